"""The chat that is open: which one it is, its messages and its settings on the screen."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.chat import (
    AnswerRecord,
    ContextUse,
    Conversation,
    Message,
    MessageState,
    is_temporary,
    new_temporary_id,
)
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.chat.facts import PromptRead, TextArrived, ThinkingArrived
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer
from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window_state import WindowState

FOREIGN_MS = 1000  # how often to look at an answer that another process writes


class OpenChat(QObject):
    """Opens a conversation, or a new chat, where it was left."""

    opened = Signal()  # another conversation, or a new chat, is open; its messages may follow
    shown = Signal(list)  # it was read; its answers that are being written by this process
    prompt_changed = Signal()  # what would be asked next is longer, shorter or another
    context_measured = Signal(object)  # a ContextUse, or None until it is measured
    figures_shown = Signal(object)  # the AnswerRecord of its last answer, or None
    adapter_shown = Signal(object)  # what it chose (see `Conversation.adapter`)
    state_changed = Signal()  # something worth keeping over a restart

    def __init__(
        self,
        bridge: Bridge,
        view: ChatView,
        composer: Composer,
        inspector: Inspector,
        notice: Notice,
        state: WindowState,
    ) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._view = view
        self._composer = composer
        self._inspector = inspector
        self._notice = notice
        self._state = state
        self._last_id: str | None = None  # the last message shown
        self._use: ContextUse | None = None  # as it was last measured
        self._marked = ""  # the message to mark when it is shown
        self._reported = 0  # number of messages that came, continued or ended
        self.system_prompt = ""  # of the next new chat
        self.adapter: str | None = None  # likewise
        self.project: str | None = None  # likewise; the id of the one that it begins in
        view.message_actions.edit_changed.connect(self._edit_changed)
        view.message_actions.edit_given_up.connect(self._edit_given_up)
        bridge.opened.connect(self._begin)
        bridge.subscribe(PromptRead, self._on_prompt_read)
        bridge.subscribe(ThinkingArrived, self._on_thinking)
        bridge.subscribe(TextArrived, self._on_text)
        self._show_draft()

    @property
    def current(self) -> str | None:
        """The open conversation; None is a new chat."""
        return self._state.conversation

    def _begin(self) -> None:
        """Show what was open."""
        if self.current:
            self._return_to(self.current)
        else:
            self.opened.emit()

    # Opening

    def new_chat(self, project: str | None = None) -> None:
        """Leave the open conversation for an empty one, in a project or in none."""
        self._enter(None)
        self.project = project
        self._inspector.show_system_prompt(self.system_prompt)
        self._show_last_answer(None)
        self._show_adapter(None)
        self.opened.emit()

    def new_temporary(self) -> None:
        """Begin a chat of which nothing is kept, with what was typed in the new chat."""
        typed = self.take_draft(None) if self.current is None else ""
        self._enter(new_temporary_id())
        self._inspector.show_system_prompt(self.system_prompt)
        self._show_last_answer(None)
        self._show_adapter(None)
        self._composer.set_text(typed)
        self.opened.emit()

    @property
    def is_temporary(self) -> bool:
        """True if nothing of the open chat is kept."""
        return is_temporary(self.current)

    @property
    def is_empty(self) -> bool:
        """True before the first message."""
        return self.current is None or (self.is_temporary and self._last_id is None)

    @property
    def loses_words(self) -> bool:
        """True if something is gone for good when this chat is left."""
        typed = bool(self._composer.text.strip())
        return self.is_temporary and (typed or not self.is_empty)

    def open(self, conversation_id: str) -> None:
        """Show a conversation where it was left."""
        if conversation_id == self.current:
            return
        self._enter(conversation_id)
        self.opened.emit()  # the view has its size by the time the messages come
        self._return_to(conversation_id)

    def show_at(self, conversation_id: str, message_id: str) -> None:
        """Show a conversation at a message, now if it is open, else when it is opened next."""
        anchor = (message_id, 0)
        if conversation_id == self.current and self._view.column.message(message_id):
            self._view.column.restore_anchor(anchor)
            self._view.mark(message_id)
            return
        self._state.remember_anchor(conversation_id, anchor)
        self._marked = message_id
        if conversation_id == self.current:  # it is on another branch
            self._load(conversation_id, restore=True)

    def adopt(self, conversation_id: str) -> None:
        """The new chat has become a conversation; what is typed by now is typed there."""
        self._state.conversation = conversation_id
        self.project = None
        self._state.remember_draft(None, "")
        self._state.remember_draft(conversation_id, self._composer.text)
        self._last_id = None
        self.opened.emit()

    def _enter(self, conversation_id: str | None) -> None:
        self._inspector.flush()
        self.remember()
        if (left := self.current) and self.is_temporary:
            self._state.forget(left)
            self._bridge.run(lambda app: app.temporary.end(left), patient=True)
        self._state.conversation = conversation_id
        self._view.message_actions.teaches = not self.is_temporary
        self._view.clear()
        self.show_context(None)  # that was of the chat that is left
        self._last_id = None  # nothing is shown, so there is no position to remember
        self._show_draft()
        self.prompt_changed.emit()
        self.state_changed.emit()

    def reload(self, conversation_id: str) -> None:
        """Read a conversation anew, if it is the open one."""
        if conversation_id == self.current:
            self._load(conversation_id)

    def _return_to(self, conversation_id: str) -> None:
        self._load(conversation_id, restore=True)
        self._bridge.run(lambda app: app.sessions.restore(conversation_id), patient=True)

    def _load(self, conversation_id: str, *, restore: bool = False) -> None:
        reported = self._reported

        def show(found: tuple[Conversation, bool]) -> None:
            if conversation_id != self.current:
                return
            if reported == self._reported:
                self._show(*found, restore=restore)
            else:  # the read state is outdated: an answer may have ended since
                self._load(conversation_id, restore=restore)

        def gone(problem: EnvironmentProblem) -> None:
            if conversation_id == self.current:
                self.new_chat()
                self._notice.show_problem(problem)

        self._bridge.run(
            lambda app: (
                app.chat_of(conversation_id).conversation(conversation_id),
                app.chat_of(conversation_id).is_answering(conversation_id),
            ),
            show,
            gone,
        )

    def _show(self, conversation: Conversation, answering: bool, *, restore: bool = False) -> None:
        """Show the open conversation as it was read; `restore` goes to where it was left."""
        if conversation.deleted:
            self.new_chat()
            return
        path = conversation.path()
        anchor = self._state.anchors.get(conversation.id) if restore else None
        if not restore and not self._view.column.at_bottom:
            anchor = self._view.column.scroll_anchor()
        self._view.show_path(
            path,
            lambda message_id: [other.id for other in conversation.siblings(message_id)],
            self._state.edits_of(conversation.id),
            self._state.given_up_of(conversation.id),
        )
        if anchor:
            self._view.column.restore_anchor(anchor)
        if self._marked:
            self._view.mark(self._marked)
            self._marked = ""
        self._last_id = path[-1].id if path else None
        streaming = [m for m in conversation.messages if m.state is MessageState.STREAMING]
        if streaming and not answering:  # by another process, the command line: no facts come here
            QTimer.singleShot(FOREIGN_MS, self, lambda: self.reload(conversation.id))
        self._inspector.show_system_prompt(conversation.system_prompt)
        self.adapter_shown.emit(conversation.adapter)
        self._show_last_answer(path[-1] if path else None)
        self.shown.emit(streaming if answering else [])
        self.prompt_changed.emit()

    # Unfinished text

    def remember(self) -> None:
        """Put the draft and the reading position into the window's state."""
        self._state.remember_draft(self.current, self._composer.text)
        if self.current and self._last_id:
            self._state.remember_anchor(self.current, self._view.column.scroll_anchor())

    def draft_changed(self) -> None:
        """The composer's text is another one."""
        self._state.remember_draft(self.current, self._composer.text)
        self.state_changed.emit()
        self.prompt_changed.emit()

    def take_draft(self, chat: str | None) -> str:
        """Take what was typed in a chat, to send it."""
        self.remember()
        text = self._state.drafts.get(chat or "", "")
        self._state.remember_draft(chat, "")
        if chat == self.current:
            self._composer.clear()
        return text

    def give_back(self, chat: str | None) -> None:
        """Make what waits to be sent in a chat its draft again."""
        if chat == self.current:
            self._state.remember_draft(chat, self._composer.text)
        self._state.give_back(chat)
        if is_temporary(chat) and chat != self.current:
            self._state.forget(chat or "")
        if chat == self.current:
            self._show_draft()
        self.state_changed.emit()

    def _edit_changed(self, message_id: str, text: str | None) -> None:
        """A message's editor has another text; None when it was closed."""
        if self.current:
            self._state.remember_edit(self.current, message_id, text)
            self.state_changed.emit()

    def _edit_given_up(self, message_id: str, text: str | None) -> None:
        """A message's editor was left; what was typed in it is kept like a draft."""
        if self.current:
            self._state.give_up_edit(self.current, message_id, text)
            self.state_changed.emit()

    def forget_edit(self, message_id: str, text: str) -> None:
        """Drop an accepted edit; text typed since then stays."""
        conversation_id, kept = self._state.edits.get(message_id, ("", ""))
        if kept.strip() == text:
            self._state.remember_edit(conversation_id, message_id, None)
            self._view.end_edit(message_id)
            self.state_changed.emit()

    def _show_draft(self) -> None:
        self._composer.set_text(self._state.drafts.get(self.current or "", ""))

    # Settings

    def choose_adapter(self, choice: str | None) -> None:
        """Choose who answers in the open conversation, or in the next new one."""
        current = self.current
        if current is None:
            self._show_adapter(choice)
            return

        def chosen(_: None) -> None:
            if current == self.current:
                self.adapter_shown.emit(choice)

        attempt(
            self._bridge,
            self._notice,
            f"adapter of {current}",
            lambda app: app.choose_adapter(current, choice),
            chosen,
        )

    def set_system_prompt(self, text: str) -> None:
        """The system prompt of the open conversation, or of the next new one."""
        current = self.current
        if current is None:
            self.system_prompt = text
            return
        attempt(
            self._bridge,
            self._notice,
            f"system prompt of {current}",
            lambda app: app.store_of(current).set_system_prompt(current, text),
            lambda _: self.prompt_changed.emit(),
        )

    def set_default_system_prompt(self, text: str) -> None:
        """Set the system prompt of new chats."""
        self.system_prompt = text
        if self.current is None:
            self._inspector.show_system_prompt(text)

    # Its messages

    def add(self, message: Message) -> None:
        """Show a question, or the beginning of an answer, if it belongs here."""
        if message.conversation_id != self.current:
            return
        begins = self.is_empty
        self._reported += 1
        if message.parent_id == self._last_id:
            self._view.add_message(message)
            self._last_id = message.id
        else:
            self._load(message.conversation_id)
        self._show_last_answer(message)
        if begins:
            self.opened.emit()

    def replace(self, message: Message) -> None:
        """Show an answer that goes on."""
        if message.conversation_id == self.current:
            self._reported += 1
            self._view.replace(message)

    def finish(self, message: Message) -> None:
        """Show an answer that is final."""
        if message.conversation_id == self.current:
            self._reported += 1
            self._view.finish(message)
            self._show_last_answer(message)
            self.prompt_changed.emit()

    def _on_prompt_read(self, fact: PromptRead) -> None:
        """Prefill goes on."""
        if fact.conversation_id == self.current:
            self._view.set_prompt_progress(fact.message_id, fact.done, fact.total)

    def _on_thinking(self, fact: ThinkingArrived) -> None:
        """A piece of the thinking before an answer."""
        self._append(fact, self._view.append_thinking)

    def _on_text(self, fact: TextArrived) -> None:
        """A piece of an answer."""
        self._append(fact, self._view.append_text)

    def _append(
        self, fact: TextArrived | ThinkingArrived, append: Callable[[str, int, str], bool]
    ) -> None:
        """Show a piece. After a gap (the chat was opened meanwhile) everything is read anew."""
        if fact.conversation_id != self.current or fact.message_id != self._last_id:
            return
        if not append(fact.message_id, fact.start, fact.text):
            self._load(fact.conversation_id)

    # Beside them

    def show_context(self, use: ContextUse | None) -> None:
        """Show how full the context window is; None is not measured yet."""
        self._use = use
        if use:
            self._view.column.show_view_line(use.view_after, cut=use.cuts)
        else:
            self._view.column.show_view_line(None)
        self._show_use(use)

    def show_context_so_far(self, tokens: int, window: int) -> None:
        """Show how full the context window is while an answer is written."""
        before = self._use or ContextUse(tokens, window)
        self._show_use(replace(before, tokens=tokens, window=window))

    def show_figures(self, record: AnswerRecord | None, state: MessageState | None) -> None:
        """Show what is measured of an answer, the last one or the one that is being written."""
        self._inspector.show_answer(record, state)
        self.figures_shown.emit(record)

    def _show_use(self, use: ContextUse | None) -> None:
        self._inspector.show_context(use)
        self.context_measured.emit(use)

    def _show_adapter(self, choice: str | None) -> None:
        self.adapter = choice
        self.adapter_shown.emit(choice)

    def _show_last_answer(self, message: Message | None) -> None:
        answer = message.answer if message else None
        self.show_figures(answer, message.state if message else None)
