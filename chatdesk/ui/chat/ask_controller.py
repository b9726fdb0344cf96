"""The link between the open chat and the service that answers: asks, and shows the outcome.

What is sent leaves the composer at once and stands above it until it is accepted. While a chat is
busy it waits for its turn there. What is refused goes back into the composer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.chat import Message, MessageState, Role, is_temporary
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.services.chat.facts import AnswerEnded, AnswerReopened, MessageAdded
from chatdesk.services.engine.facts import EngineChanged, EngineState
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.chat.composer import Composer, ComposerState
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.chat.model_controller import ModelController
from chatdesk.ui.chat.open_chat import OpenChat
from chatdesk.ui.chat.outbox import Outbox
from chatdesk.ui.chat.token_counter import TokenCounter
from chatdesk.ui.chat.waiting_words import WaitingWords
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window is shown
    from chatdesk.services.app import App

SOON_MS = 300  # what is accepted sooner is not shown as waiting

_T = TypeVar("_T")
_U = TypeVar("_U")


@dataclass(slots=True, eq=False)
class _Request:
    """A request that is not yet accepted or refused.

    With `sends` it is the oldest of what waits in its chat; `arrived` once that is in the chat.
    """

    chat: str | None  # the conversation it is of; None is a new chat that has not become one yet
    sends: bool = False
    arrived: bool = False
    is_late: bool = False
    settled: bool = False


class AskController(QObject):
    """Knows whether the open chat is being asked or answered, and the composer shows it."""

    answering_changed = Signal(bool)  # whether the open conversation is being answered

    def __init__(
        self,
        bridge: Bridge,
        chat: OpenChat,
        view: ChatView,
        composer: Composer,
        waiting: WaitingWords,
        outbox: Outbox,
        notice: Notice,
        models: ModelController,
    ) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._chat = chat
        self._view = view
        self._composer = composer
        self._waiting = waiting
        self._outbox = outbox
        self._notice = notice
        self._models = models
        self._engine = EngineState.LOADING
        self._answering: dict[str, str] = {}  # message id -> conversation id
        self._requests: set[_Request] = set()
        self._counter = TokenCounter(bridge, composer, self._countable)
        self._counter.measured.connect(chat.show_context)
        chat.prompt_changed.connect(self._counter.count_soon)
        chat.opened.connect(self._show_state)
        chat.shown.connect(self._on_shown)
        waiting.take_back_requested.connect(self._take_back)
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
        """Ask in the open chat, as soon as it is not busy."""
        chat = self._chat.current
        self._chat.take_draft(chat)
        self._outbox.add(chat, text)
        self._send_next(chat)
        self._show_waiting()

    def _send_next(self, chat: str | None) -> None:
        """Send the oldest of what waits in a chat, if that has its turn."""
        words = self._outbox.words(chat)
        if not words or self._is_busy(chat):
            return
        system, choice, project = (
            self._chat.system_prompt,
            self._chat.adapter,
            self._chat.project,
        )
        request = _Request(chat, sends=True)
        self._ask(
            request,
            lambda app: app.chat_of(chat).send(
                chat, words[0], system_prompt=system, choice=choice, project_id=project
            ),
            lambda conversation_id: self._accepted(request, conversation_id),
            partial(self._refused, request),
        )
        QTimer.singleShot(SOON_MS, self, partial(self._show_late, request))

    def _accepted(self, request: _Request, conversation_id: str) -> None:
        self._outbox.remove(request.chat)
        self._show_waiting()
        for chat in (None, conversation_id):
            self._notice.solved(_key(chat))
        self._send_next(request.chat)

    def _refused(self, request: _Request, problem: EnvironmentProblem) -> None:
        chat = request.chat
        self._give_back(chat)
        if self._chat.current == chat:
            again = partial(self._send_draft, chat)
            self._notice.show_problem(problem, tr("Try again"), again, key=_key(chat))
        elif not is_temporary(chat):  # the words wait in the draft of the chat that was left
            self._notice.show_problem(problem, key=_key(chat))

    def _send_draft(self, chat: str | None) -> None:
        """Send what is typed in a chat, open or not."""
        if text := self._chat.take_draft(chat).strip():
            self._outbox.add(chat, text)
            self._send_next(chat)

    def _take_back(self, number: int) -> None:
        """Put what waits back into the composer, in front of what was typed since."""
        words = (
            self._outbox.remove(self._chat.current, number + self._hidden()),
            self._composer.text,
        )
        self._show_waiting()
        self._composer.set_text("\n\n".join(each for each in words if each.strip()))
        self._composer.setFocus()

    def _regenerate(self, message_id: str) -> None:
        """Answer again, as a sibling."""
        chat = self._chat.current
        self._ask_again(lambda app: app.chat_of(chat).regenerate(message_id))

    def _answer_with(self, message_id: str, model_id: str) -> None:
        """Answer again with another model, as a sibling."""
        self._ask_again(lambda app: app.guest.answer_again(message_id, model_id), by_guest=True)

    def _continue(self, message_id: str) -> None:
        """Go on with an answer that stopped early."""
        chat = self._chat.current
        self._ask_again(lambda app: app.chat_of(chat).continue_answer(message_id))

    def edit_last(self) -> None:
        """Edit the user's last message in place."""
        if message_id := self._view.last_user_message_id():
            self._view.edit(message_id)

    def _edit(self, message_id: str, text: str) -> None:
        """Ask in other words, as a sibling; they stay in the editor until they are accepted."""
        chat = self._chat.current
        self._ask_again(
            lambda app: app.chat_of(chat).edit(message_id, text),
            lambda: self._chat.forget_edit(message_id, text),
            lambda: self._view.edit(message_id, text),
        )

    def _ask_again(
        self,
        ask: Work[object],
        on_accepted: Callable[[], None] = lambda: None,
        on_refused: Callable[[], None] = lambda: None,
        *,
        by_guest: bool = False,
    ) -> None:
        chat = self._chat.current
        if self._is_busy(chat):
            on_refused()
            return

        def refused(problem: EnvironmentProblem) -> None:
            self._notice.show_problem(problem)
            self._give_back(chat)
            on_refused()

        self._ask(_Request(chat), ask, lambda _: on_accepted(), refused, by_guest=by_guest)

    def _ask(
        self,
        request: _Request,
        ask: Work[_T],
        accepted: Callable[[_T], None],
        refused: Callable[[EnvironmentProblem], None],
        *,
        by_guest: bool = False,
    ) -> None:
        """Ask the model of the chat, or a guest; show that until it is accepted or refused."""

        def ask_it(app: "App") -> _T:
            if by_guest:
                return app.with_engine(ask)
            held = app.held_model(chat) if chat and not model else None
            return app.with_engine(ask, model or held)

        chat = request.chat
        model = self._models.model_of(chat)
        self._requests.add(request)
        self._show_state()

        def ended() -> None:
            self._requests.discard(request)
            QTimer.singleShot(0, self, partial(self._settle, request))
            self._show_state()

        def settled(outcome: Callable[[_U], None], value: _U) -> None:
            request.settled = True
            outcome(value)

        self._bridge.run(
            ask_it,
            partial(settled, accepted),
            partial(settled, refused),
            ended=ended,
            patient=True,
        )

    def _settle(self, request: _Request) -> None:
        """A bug leaves what waits to be sent in the composer, too."""
        if not request.settled:
            self._give_back(request.chat)

    def _give_back(self, chat: str | None) -> None:
        """What waits in a chat goes back into its composer: it has no turn any more."""
        self._chat.give_back(chat)
        self._show_waiting()

    def stop(self) -> None:
        """Stop the answer of the open conversation."""
        if current := self._chat.current:
            self._bridge.run(lambda app: app.chat_of(current).stop(current), patient=True)

    # Changing what was asked and answered

    def _correct(self, message_id: str, text: str) -> None:
        """Put the user's own words beside an answer; they stay in the editor until then."""
        chat = self._chat.current
        if self._is_answering(chat):
            self._view.edit(message_id, text)
            return

        def refused(problem: EnvironmentProblem) -> None:
            self._notice.show_problem(problem)
            self._view.edit(message_id, text)

        self._bridge.run(
            lambda app: app.chat_of(chat).correct(message_id, text),
            lambda _: self._chat.forget_edit(message_id, text),
            refused,
        )

    def _show_branch(self, message_id: str) -> None:
        """Read another branch."""
        chat = self._chat.current
        self._bridge.run(
            lambda app: app.chat_of(chat).show_branch(message_id),
            lambda conversation: self._chat.reload(conversation.id),
            self._notice.show_problem,
        )

    def _pin(self, message_id: str, pinned: bool) -> None:
        """Keep a message in the model's view when the context is full, or no longer."""
        chat = self._chat.current
        attempt(
            self._bridge,
            self._notice,
            f"pin of {message_id}",
            lambda app: app.chat_of(chat).pin(message_id, pinned),
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
        if message.role is Role.USER and (request := self._sending(message.conversation_id)):
            request.arrived = True
        self._chat.add(message)
        self._show_state()

    def _begin(self, conversation_id: str) -> None:
        """A conversation got its first message, or another first one by an edit."""
        if any(request.chat == conversation_id for request in self._requests):
            return
        asked = next((request for request in self._requests if request.chat is None), None)
        if asked is not None:
            asked.chat = conversation_id
            self._outbox.adopt(conversation_id)
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
        self._send_next(fact.message.conversation_id)

    def _on_engine(self, fact: EngineChanged) -> None:
        """Count again when the model can."""
        self._engine = fact.status.state
        self._counter.show_engine(fact.status.state)
        self._show_waiting()

    def _on_shown(self, answering: list[Message]) -> None:
        self._answering.update({message.id: message.conversation_id for message in answering})
        self._show_state()

    # State of the composer

    def _is_answering(self, chat: str | None) -> bool:
        return chat is not None and chat in self._answering.values()

    def _is_sending(self, chat: str | None) -> bool:
        return any(each.chat == chat for each in self._requests)

    def _is_busy(self, chat: str | None) -> bool:
        return self._is_sending(chat) or self._is_answering(chat)

    def _sending(self, chat: str | None) -> _Request | None:
        """The request that sends the oldest of what waits in a chat."""
        sending = (each for each in self._requests if each.sends and each.chat == chat)
        return next(sending, None)

    def _show_late(self, request: _Request) -> None:
        request.is_late = True
        self._show_waiting()

    def _show_state(self) -> None:
        current = self._chat.current
        answering = self._is_answering(current)
        self.answering_changed.emit(answering)
        if answering:
            self._composer.set_state(ComposerState.ANSWERING)
        else:
            sending = self._is_sending(current)
            self._composer.set_state(ComposerState.SENDING if sending else ComposerState.READY)
        self._show_waiting()

    def _show_waiting(self) -> None:
        current = self._chat.current
        words = self._outbox.words(current)[self._hidden() :]
        state = ""
        if self._sending(current) and not self._hidden():
            ready = self._engine is EngineState.READY
            state = tr("being sent") if ready else tr("waits for the model")
        self._waiting.show_words(state, words)

    def _hidden(self) -> int:
        """How many of what waits in the open chat are not shown: one that is as good as there."""
        request = self._sending(self._chat.current)
        if request is None:
            return 0
        soon = self._engine is EngineState.READY and not request.is_late
        return 1 if request.arrived or soon else 0

    def _countable(self) -> tuple[str | None, str] | None:
        current = self._chat.current
        return None if self._is_busy(current) else (current, self._chat.system_prompt)


def _key(chat: str | None) -> str:
    """The key of notices about what was asked in a chat."""
    return f"asked in {chat or 'a new chat'}"
