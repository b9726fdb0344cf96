"""The link between the open chat and the service that answers: asks, and shows the outcome.

Text stays in the composer, or in the message's editor, until it is accepted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from chatdesk.core.chat import Message, MessageState, Role
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.services.chat.facts import AnswerEnded, AnswerReopened, MessageAdded
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.chat.composer import Composer, ComposerState
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.chat.open_chat import OpenChat
from chatdesk.ui.chat.token_counter import TokenCounter
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.notice import Notice

_T = TypeVar("_T")


@dataclass(slots=True, eq=False)
class _Request:
    """A request that is not yet accepted or refused."""

    chat: str | None  # the conversation it is of; None is a new chat that has not become one yet


class AskController(QObject):
    """Knows whether the open chat is being asked or answered, and the composer shows it."""

    answering_changed = Signal(bool)  # whether the open conversation is being answered

    def __init__(
        self, bridge: Bridge, chat: OpenChat, view: ChatView, composer: Composer, notice: Notice
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._chat = chat
        self._view = view
        self._composer = composer
        self._notice = notice
        self._answering: dict[str, str] = {}  # message id -> conversation id
        self._requests: set[_Request] = set()
        self._counter = TokenCounter(bridge, composer, self._countable)
        self._counter.measured.connect(chat.show_context)
        chat.prompt_changed.connect(self._counter.count_soon)
        chat.opened.connect(self._show_state)
        chat.shown.connect(self._on_shown)
        actions = view.message_actions
        actions.regenerate_requested.connect(self._regenerate)
        actions.other_model_requested.connect(self._answer_with)
        actions.continue_requested.connect(self._continue)
        actions.edit_requested.connect(self._edit)
        actions.correct_requested.connect(self._correct)
        actions.branch_requested.connect(self._show_branch)
        actions.pin_requested.connect(self._pin)
        bridge.subscribe(MessageAdded, self._on_message_added)
        bridge.subscribe(AnswerReopened, self._on_answer_reopened)
        bridge.subscribe(AnswerEnded, self._on_answer_ended)
        bridge.subscribe(EngineChanged, self._on_engine)
        self._show_state()

    # Asking

    def send(self, text: str) -> None:
        """Ask; the text stays in the composer until it is accepted."""
        if not self._is_busy():
            self._send(self._chat.current, text)

    def _send(self, sent_from: str | None, text: str) -> None:
        system, choice = self._chat.system_prompt, self._chat.adapter
        self._ask(
            sent_from,
            lambda app: app.chat.send(sent_from, text, system_prompt=system, choice=choice),
            lambda conversation_id: self._accepted(sent_from, conversation_id, text),
            lambda problem: self._refused(sent_from, text, problem),
        )

    def _accepted(self, sent_from: str | None, conversation_id: str, text: str) -> None:
        self._chat.forget_draft(sent_from, conversation_id, text)
        for chat in (sent_from, conversation_id):
            self._notice.solved(_key(chat))

    def _refused(self, sent_from: str | None, text: str, problem: EnvironmentProblem) -> None:
        def again() -> None:
            if self._chat.current == sent_from:
                self.send(self._composer.text)
            else:  # which may hold words of another chat by now
                self._send(sent_from, text)

        if self._chat.current == sent_from:
            self._notice.show_problem(problem, tr("Try again"), again, key=_key(sent_from))
        else:  # the words wait in the draft of the chat that was left
            self._notice.show_problem(problem, key=_key(sent_from))

    def _regenerate(self, message_id: str) -> None:
        """Answer again, as a sibling."""
        self._ask_again(lambda app: app.chat.regenerate(message_id))

    def _answer_with(self, message_id: str, model_id: str) -> None:
        """Answer again with another model, as a sibling."""
        self._ask_again(lambda app: app.guest.answer_again(message_id, model_id))

    def _continue(self, message_id: str) -> None:
        """Go on with an answer that stopped early."""
        self._ask_again(lambda app: app.chat.continue_answer(message_id))

    def edit_last(self) -> None:
        """Edit the user's last message in place."""
        if message_id := self._view.last_user_message_id():
            self._view.edit(message_id)

    def _edit(self, message_id: str, text: str) -> None:
        """Ask in other words, as a sibling; they stay in the editor until they are accepted."""
        self._ask_again(
            lambda app: app.chat.edit(message_id, text),
            lambda: self._chat.forget_edit(message_id, text),
            lambda: self._view.edit(message_id, text),
        )

    def _ask_again(
        self,
        ask: Work[object],
        on_accepted: Callable[[], None] = lambda: None,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        if self._is_busy():
            on_refused()
            return

        def refused(problem: EnvironmentProblem) -> None:
            self._notice.show_problem(problem)
            on_refused()

        self._ask(self._chat.current, ask, lambda _: on_accepted(), refused)

    def _ask(
        self,
        chat: str | None,
        ask: Work[_T],
        accepted: Callable[[_T], None],
        refused: Callable[[EnvironmentProblem], None],
    ) -> None:
        """Ask, and show that until it is accepted or refused."""
        request = _Request(chat)
        self._requests.add(request)
        self._show_state()

        def ended() -> None:
            self._requests.discard(request)
            self._show_state()

        self._bridge.run(
            lambda app: app.with_engine(ask), accepted, refused, ended=ended, patient=True
        )

    def stop(self) -> None:
        """Stop the answer of the open conversation."""
        if current := self._chat.current:
            self._bridge.run(lambda app: app.chat.stop(current), patient=True)

    # Changing what was asked and answered

    def _correct(self, message_id: str, text: str) -> None:
        """Put the user's own words beside an answer; they stay in the editor until then."""
        if self._is_answering():
            self._view.edit(message_id, text)
            return

        def refused(problem: EnvironmentProblem) -> None:
            self._notice.show_problem(problem)
            self._view.edit(message_id, text)

        self._bridge.run(
            lambda app: app.chat.correct(message_id, text),
            lambda _: self._chat.forget_edit(message_id, text),
            refused,
        )

    def _show_branch(self, message_id: str) -> None:
        """Read another branch."""
        self._bridge.run(
            lambda app: app.chat.show_branch(message_id),
            lambda conversation: self._chat.reload(conversation.id),
            self._notice.show_problem,
        )

    def _pin(self, message_id: str, pinned: bool) -> None:
        """Keep a message in the model's view when the context is full, or no longer."""
        attempt(
            self._bridge,
            self._notice,
            f"pin of {message_id}",
            lambda app: app.chat.pin(message_id, pinned),
            lambda _: self._counter.count_soon(),
        )

    # Facts

    def _on_message_added(self, fact: MessageAdded) -> None:
        """A question or the beginning of an answer."""
        message = fact.message
        if message.state is MessageState.STREAMING:
            self._answering[message.id] = message.conversation_id
        if message.role is Role.USER and message.parent_id is None:
            self._begin(message.conversation_id)
        self._chat.add(message)
        self._show_state()

    def _begin(self, conversation_id: str) -> None:
        """A conversation got its first message, or another first one by an edit."""
        if any(request.chat == conversation_id for request in self._requests):
            return
        asked = next((request for request in self._requests if request.chat is None), None)
        if asked is not None:
            asked.chat = conversation_id
            if self._chat.current is None:
                self._chat.adopt(conversation_id)

    def _on_answer_reopened(self, fact: AnswerReopened) -> None:
        """An answer goes on."""
        self._answering[fact.message.id] = fact.message.conversation_id
        self._chat.replace(fact.message)
        self._show_state()

    def _on_answer_ended(self, fact: AnswerEnded) -> None:
        """An answer is final."""
        self._answering.pop(fact.message.id, None)
        self._chat.finish(fact.message)
        self._show_state()

    def _on_engine(self, fact: EngineChanged) -> None:
        """Count again when the model can."""
        self._counter.show_engine(fact.status.state)

    def _on_shown(self, answering: list[Message]) -> None:
        self._answering.update({message.id: message.conversation_id for message in answering})
        self._show_state()

    # State of the composer

    def _is_answering(self) -> bool:
        return self._chat.current is not None and self._chat.current in self._answering.values()

    def _is_sending(self) -> bool:
        return any(each.chat == self._chat.current for each in self._requests)

    def _is_busy(self) -> bool:
        return self._is_sending() or self._is_answering()

    def _show_state(self) -> None:
        self.answering_changed.emit(self._is_answering())
        if self._is_answering():
            self._composer.set_state(ComposerState.ANSWERING)
            self._composer.set_placeholder(tr("Esc to stop"))
        else:
            state = ComposerState.SENDING if self._is_sending() else ComposerState.READY
            self._composer.set_state(state)
            self._composer.set_placeholder(tr("Ask anything"))

    def _countable(self) -> tuple[str | None, str] | None:
        return None if self._is_answering() else (self._chat.current, self._chat.system_prompt)


def _key(chat: str | None) -> str:
    """The key of notices about what was asked in a chat."""
    return f"asked in {chat or 'a new chat'}"
