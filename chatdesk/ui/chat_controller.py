"""Between the widgets of a chat and the services: opens, sends, follows facts.

Knows which conversation is open. Services arrive late (the window stands before the database is
open), so a message sent before that waits for them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.chat import (
    ContextUse,
    Conversation,
    ConversationSummary,
    Message,
    MessageState,
    Role,
)
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.services.facts import (
    AnswerEnded,
    AnswerReopened,
    EngineChanged,
    EngineState,
    MessageAdded,
    PromptRead,
    TextArrived,
    ThinkingArrived,
)
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat_view import ChatView
from chatdesk.ui.composer import Composer, ComposerState
from chatdesk.ui.feedback_controller import learned_from, learned_words
from chatdesk.ui.inspector import Inspector
from chatdesk.ui.notice import UNDO_MS, Notice
from chatdesk.ui.prompt_counter import PromptCounter
from chatdesk.ui.window_state import WindowState

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app_services import AppServices

FOREIGN_MS = 1000  # how often to look at an answer that another process writes


class ChatController(QObject):
    """Requests come from widgets as method calls; what changed goes out as signals."""

    opened = Signal()  # another conversation, or a new chat, is shown
    listed = Signal(object)  # the conversations, as a tuple of summaries
    context_measured = Signal(object)  # a ContextUse, or None until it is measured
    state_changed = Signal()  # something worth keeping over a restart
    answering_changed = Signal(bool)  # whether the open conversation is being answered
    adapter_shown = Signal(object)  # what the open conversation chose (see `Conversation.adapter`)
    personalize_requested = Signal()

    def __init__(
        self,
        bridge: Bridge,
        view: ChatView,
        composer: Composer,
        inspector: Inspector,
        notice: Notice,
        state: WindowState,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._view = view
        self._composer = composer
        self._inspector = inspector
        self._notice = notice
        self._state = state
        self._services: AppServices | None = None
        self._current: str | None = state.conversation
        self._last_id: str | None = None  # the last message shown
        self._system_prompt = ""  # of the next new chat
        self._adapter: str | None = None  # likewise
        self._answering: dict[str, str] = {}  # message id -> conversation id
        self._sending = False
        self._sent_from: str | None = None
        self._waiting: str | None = None  # sent before the services were there
        self._counter = PromptCounter(bridge, composer, self._countable)
        self._counter.measured.connect(self._show_context)
        self._composer.set_text(state.drafts.get(self._current or "", ""))
        self._show_composer_state()

    @property
    def current(self) -> str | None:
        """The open conversation; None is a new chat."""
        return self._current

    def attach(self, services: "AppServices") -> None:
        """The services are there: show what was open, and send what was waiting."""
        self._services = services
        self._counter.attach(services)
        self.refresh_list()
        if self._current:
            self._load(self._current, restore=True)
        else:
            self.opened.emit()
        if self._waiting is not None:
            text, self._waiting = self._waiting, None
            self._sending = False
            self.send(text)

    # Opening

    def new_chat(self) -> None:
        """Leave the open conversation for an empty one."""
        self._leave()
        self._current = self._state.conversation = None
        self._view.clear()
        self._last_id = None
        self._enter()
        self._inspector.show_system_prompt(self._system_prompt)
        self._inspector.show_answer(None, None)
        self._show_adapter(None)
        self.opened.emit()

    def open(self, conversation_id: str) -> None:
        """Show a conversation where it was left."""
        if conversation_id == self._current:
            return
        self._leave()
        self._current = self._state.conversation = conversation_id
        self._view.clear()
        self._last_id = None  # nothing is shown, so there is no position to remember
        self._enter()
        self.opened.emit()  # the view has its size by the time the messages come
        self._load(conversation_id, restore=True)

    def remember(self) -> None:
        """Put the draft and the reading position into the window's state."""
        self._state.remember_draft(self._current, self._composer.text)
        if self._current and self._last_id:
            self._state.remember_anchor(self._current, self._view.scroll_anchor())

    def _leave(self) -> None:
        self._inspector.flush()
        self.remember()
        self._sending = False

    def _enter(self) -> None:
        self._composer.set_text(self._state.drafts.get(self._current or "", ""))
        self._show_composer_state()
        self._counter.count_soon()
        self.state_changed.emit()

    def _load(self, conversation_id: str, *, restore: bool = False) -> None:
        services = self._services
        if services is None:
            return

        def show(found: tuple[Conversation, bool]) -> None:
            if conversation_id == self._current:
                self._show(*found, restore=restore)

        def gone(problem: EnvironmentProblem) -> None:
            if conversation_id == self._current:
                self.new_chat()
                self._notice.show_problem(problem)

        self._bridge.run(
            lambda: (
                services.chat.conversation(conversation_id),
                services.chat.is_answering(conversation_id),
            ),
            show,
            gone,
        )
        if restore:
            self._bridge.run(lambda: services.sessions.restore(conversation_id), patient=True)

    def _load_if_open(self, conversation_id: str) -> None:
        if conversation_id == self._current:
            self._load(conversation_id)

    def _show(self, conversation: Conversation, answering: bool, *, restore: bool) -> None:
        if conversation.deleted:
            self.new_chat()
            return
        path = conversation.path()
        anchor = self._state.anchors.get(conversation.id) if restore else None
        if not restore and not self._view.at_bottom:
            anchor = self._view.scroll_anchor()
        self._view.show_path(
            path, lambda message_id: [other.id for other in conversation.siblings(message_id)]
        )
        if anchor:
            self._view.restore_anchor(anchor)
        self._last_id = path[-1].id if path else None
        streaming = [m for m in conversation.messages if m.state is MessageState.STREAMING]
        if answering and restore:
            self._show_context(None)  # of this chat it is counted when the answer has ended
        if answering:
            self._answering.update({message.id: conversation.id for message in streaming})
        elif streaming:  # by another process, the command line: no facts of it come here
            QTimer.singleShot(FOREIGN_MS, lambda: self._load_if_open(conversation.id))
        self._inspector.show_system_prompt(conversation.system_prompt)
        self.adapter_shown.emit(conversation.adapter)
        self._show_last_answer(path[-1] if path else None)
        self._show_composer_state()
        self._counter.count_soon()

    def refresh_list(self) -> None:
        """Read the list of conversations anew."""
        if services := self._services:
            self._bridge.run(services.conversations.list, self._listed)

    def _listed(self, summaries: tuple[ConversationSummary, ...]) -> None:
        self.listed.emit(summaries)

    # Asking

    def send(self, text: str) -> None:
        """Ask; the text stays in the composer until it is accepted."""
        if self._sending or self._is_answering():
            return
        self._sending = True
        self._show_composer_state()
        services = self._services
        if services is None:
            self._waiting = text
            return
        self._sent_from = conversation_id = self._current
        system, choice = self._system_prompt, self._adapter

        def work() -> str:
            if services.engine.status.state is EngineState.FAILED:
                services.engine.reload()
            return services.chat.send(conversation_id, text, system_prompt=system, choice=choice)

        self._bridge.run(
            work,
            lambda accepted: self._accepted(conversation_id, accepted, text),
            self._refused,
            patient=True,
        )

    def _accepted(self, sent_from: str | None, conversation_id: str, text: str) -> None:
        self._sending = False
        if self._state.drafts.get(sent_from or "") == text:
            self._state.remember_draft(sent_from, "")
        if self._current in (sent_from, conversation_id) and self._composer.text == text:
            self._composer.clear()
        self._notice.hide()
        self._show_composer_state()
        self.state_changed.emit()

    def _refused(self, problem: EnvironmentProblem) -> None:
        self._sending = False
        self._show_composer_state()
        if self._current == self._sent_from:
            again = tr("Try again")
            self._notice.show_problem(problem, again, lambda: self.send(self._composer.text))
        else:  # the words wait in the draft of the chat that was left
            self._notice.show_problem(problem)

    def wait_failed(self) -> None:
        """The services will not come (the database cannot be opened): nothing is being sent."""
        self._waiting = None
        self._sending = False
        self._show_composer_state()

    def stop(self) -> None:
        """Stop the answer of the open conversation."""
        current, services = self._current, self._services
        if services and current:
            self._bridge.run(lambda: services.chat.stop(current), patient=True)

    def regenerate(self, message_id: str) -> None:
        """Answer again, as a sibling."""
        self._ask_again(lambda services: services.chat.regenerate(message_id))

    def continue_answer(self, message_id: str) -> None:
        """Go on with an answer that stopped early."""
        self._ask_again(lambda services: services.chat.continue_answer(message_id))

    def edit(self, message_id: str, text: str) -> None:
        """Ask in other words, as a sibling."""
        self._ask_again(
            lambda services: services.chat.edit(message_id, text),
            lambda: self._view.edit(message_id, text),  # what was written must not be lost
        )

    def correct(self, message_id: str, text: str) -> None:
        """Put the person's own words beside an answer, as a sibling."""
        services = self._services
        if services is None or self._is_answering():
            self._view.edit(message_id, text)  # what was written must not be lost
            return

        def refused(problem: EnvironmentProblem) -> None:
            self._tell(problem)
            self._view.edit(message_id, text)

        self._bridge.run(lambda: services.chat.correct(message_id, text), None, refused)

    def _ask_again(
        self,
        ask: Callable[["AppServices"], None],
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        services = self._services
        if services is None or self._sending or self._is_answering():
            on_refused()
            return
        self._sending = True
        self._show_composer_state()

        def work() -> None:
            if services.engine.status.state is EngineState.FAILED:
                services.engine.reload()
            ask(services)

        def accepted(_: None) -> None:
            self._sending = False
            self._show_composer_state()

        def refused(problem: EnvironmentProblem) -> None:
            accepted(None)
            self._notice.show_problem(problem)
            on_refused()

        self._bridge.run(work, accepted, refused, patient=True)

    def show_branch(self, message_id: str) -> None:
        """Read another branch."""
        services, current = self._services, self._current
        if services is None:
            return

        def show(conversation: Conversation) -> None:
            if conversation.id == self._current == current:
                self._show(conversation, self._is_answering(), restore=False)

        self._bridge.run(lambda: services.chat.show_branch(message_id), show, self._tell)

    def pin(self, message_id: str, pinned: bool) -> None:
        """Keep a message in the model's view when the context is full, or no longer."""
        services = self._services
        if services is None:
            return

        def show(_: None) -> None:
            self._view.change(message_id, pinned=pinned)
            self._counter.count_soon()

        self._bridge.run(lambda: services.chat.pin(message_id, pinned), show, self._tell)

    def edit_last(self) -> None:
        """Edit the user's last message in place."""
        if message_id := self._view.last_user_message_id():
            self._view.edit(message_id)

    # Keeping

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation the user's own title."""
        if services := self._services:
            self._bridge.run(lambda: services.chat.rename(conversation_id, title), None, self._tell)

    def delete(self, conversation_id: str, title: str) -> None:
        """Move a conversation to the trash, with a way back."""
        services = self._services
        if services is None:
            return
        if conversation_id == self._current:
            self.new_chat()
        draft = self._state.drafts.get(conversation_id, "")
        anchor = self._state.anchors.get(conversation_id)

        def undo() -> None:
            self._state.remember_draft(conversation_id, draft)
            self._state.remember_anchor(conversation_id, anchor)
            self._bridge.run(
                lambda: services.chat.restore(conversation_id),
                lambda _: self.open(conversation_id),
                self._tell,
            )

        def work() -> int:
            services.chat.delete(conversation_id)
            return learned_from(services, conversation_id)

        def deleted(adapters: int) -> None:
            self._state.forget(conversation_id)
            self.state_changed.emit()
            self._notice.show_words(
                tr("“{title}” was deleted.", title=title),
                learned_words(adapters) if adapters else "",
                tr("Undo"),
                undo,
                other=tr("Personalize"),
                act_otherwise=self.personalize_requested.emit if adapters else None,
                for_ms=UNDO_MS,
            )

        self._bridge.run(work, deleted, self._tell)

    def choose_adapter(self, choice: str | None) -> None:
        """Who answers in the open conversation, or in the next new one."""
        services, current = self._services, self._current
        if current is None or services is None:
            self._show_adapter(choice)
            return

        def chosen(_: None) -> None:
            if current == self._current:
                self.adapter_shown.emit(choice)

        self._bridge.run(lambda: services.adapters.choose(current, choice), chosen, self._tell)

    def _show_adapter(self, choice: str | None) -> None:
        self._adapter = choice
        self.adapter_shown.emit(choice)

    def set_system_prompt(self, text: str) -> None:
        """The system prompt of the open conversation, or of the next new one."""
        services, current = self._services, self._current
        if current is None or services is None:
            self._system_prompt = text
            return
        self._bridge.run(
            lambda: services.conversations.set_system_prompt(current, text),
            lambda _: self._counter.count_soon(),
            self._tell,
        )

    def set_default_system_prompt(self, text: str) -> None:
        """What new chats begin with."""
        self._system_prompt = text
        if self._current is None:
            self._inspector.show_system_prompt(text)

    def draft_changed(self) -> None:
        """The composer's text is another one: keep it, and count it."""
        self._state.remember_draft(self._current, self._composer.text)
        self.state_changed.emit()
        self._counter.count_soon()

    def _tell(self, problem: EnvironmentProblem) -> None:
        self._notice.show_problem(problem)

    # Facts

    def on_message_added(self, fact: MessageAdded) -> None:
        """A question or the beginning of an answer."""
        message = fact.message
        if message.state is MessageState.STREAMING:
            self._answering[message.id] = message.conversation_id
        adopts = self._sending and self._current is None and self._sent_from is None
        if adopts and message.role is Role.USER and message.parent_id is None:
            self._current = self._state.conversation = message.conversation_id
            self._last_id = None
            self.opened.emit()
        if message.conversation_id != self._current:
            return
        if message.parent_id == self._last_id:
            self._view.add_message(message)
            self._last_id = message.id
        else:
            self._load(message.conversation_id)
        self._show_last_answer(message)
        self._show_composer_state()

    def on_answer_reopened(self, fact: AnswerReopened) -> None:
        """An answer goes on."""
        self._answering[fact.message.id] = fact.message.conversation_id
        if fact.message.conversation_id == self._current:
            self._view.replace(fact.message)
            self._show_composer_state()

    def on_prompt_read(self, fact: PromptRead) -> None:
        """Prefill goes on."""
        if fact.conversation_id == self._current:
            self._view.set_prompt_progress(fact.message_id, fact.done, fact.total)

    def on_thinking(self, fact: ThinkingArrived) -> None:
        """A piece of the thinking before an answer."""
        self._append(fact, self._view.append_thinking)

    def on_text(self, fact: TextArrived) -> None:
        """A piece of an answer."""
        self._append(fact, self._view.append_text)

    def _append(
        self, fact: TextArrived | ThinkingArrived, append: Callable[[str, int, str], bool]
    ) -> None:
        """Show a piece. After a gap (the chat was opened meanwhile) everything is read anew."""
        if fact.conversation_id != self._current or fact.message_id != self._last_id:
            return
        if not append(fact.message_id, fact.start, fact.text):
            self._load(fact.conversation_id)

    def on_answer_ended(self, fact: AnswerEnded) -> None:
        """An answer is final."""
        message = fact.message
        self._answering.pop(message.id, None)
        if message.conversation_id == self._current:
            self._view.finish(message)
            self._show_last_answer(message)
            self._show_composer_state()
            self._counter.count_soon()
        if fact.unsaved:
            self._notice.show_problem(fact.unsaved, tr("Save again"), self._save_again)

    def on_engine(self, fact: EngineChanged) -> None:
        """Count again when the model can."""
        if fact.status.state is EngineState.READY:
            self._counter.count_soon()
        else:
            self._counter.forget()

    def _save_again(self) -> None:
        if services := self._services:
            self._bridge.run(
                services.chat.save_again,
                lambda _: self._notice.show_words(tr("Everything is saved."), for_ms=4000),
                lambda problem: self._notice.show_problem(
                    problem, tr("Save again"), self._save_again
                ),
            )

    # Showing

    def _is_answering(self) -> bool:
        return self._current is not None and self._current in self._answering.values()

    def _show_composer_state(self) -> None:
        self.answering_changed.emit(self._is_answering())
        if self._is_answering():
            self._composer.set_state(ComposerState.ANSWERING)
            self._composer.set_placeholder(tr("Esc to stop"))
        else:
            state = ComposerState.SENDING if self._sending else ComposerState.READY
            self._composer.set_state(state)
            self._composer.set_placeholder(tr("Ask anything"))

    def _show_context(self, use: ContextUse | None) -> None:
        self._inspector.show_context(use)
        self._view.show_view_line(use.view_after if use else None)
        self.context_measured.emit(use)

    def _show_last_answer(self, message: Message | None) -> None:
        answer = message.answer if message else None
        self._inspector.show_answer(answer, message.state if message else None)

    def _countable(self) -> tuple[str | None, str] | None:
        return None if self._is_answering() else (self._current, self._system_prompt)
