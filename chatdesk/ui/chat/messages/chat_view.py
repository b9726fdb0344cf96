"""The conversation: messages come, grow and end, and the editors that are open in them."""

from collections.abc import Mapping, Sequence
from threading import Thread

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from chatdesk.core.chat import Message, MessageState, Role
from chatdesk.core.i18n import tr
from chatdesk.core.parts import Text, Thinking
from chatdesk.ui.chat.messages.action_row import MessageActions
from chatdesk.ui.chat.messages.frame_timer import FrameTimer
from chatdesk.ui.chat.messages.message_column import MessageColumn, Siblings
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.markdown.parser import warm_up
from chatdesk.ui.reduced_motion import reduced_motion
from chatdesk.ui.theme import Theme, set_class

_BLINK_MS = 530
_MARKED_MS = 2000
_AROUND = 6  # pixels between a message and its frame
_WARM_UP_MS = 400


class ChatView(QWidget):
    """Shows one path through a conversation and the answer that is being written.

    `column` is where it is scrolled to; what a person asks for goes to `message_actions`.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.message_actions = MessageActions(self)
        self.column = MessageColumn(theme, self.message_actions)
        self._frames = FrameTimer(self.column)
        self._edits: dict[str, str] = {}  # message id -> what is in its editor
        self._given_up: dict[str, str] = {}  # likewise of editors that were left
        self._unsaved: frozenset[str] = frozenset()
        self._typed_at: tuple[str, int] | None = None  # the editor with the cursor, in a rebuild
        self._caret_on = True
        self._blink_timer = QTimer(self)
        self._blink_timer.setInterval(_BLINK_MS)
        self._blink_timer.timeout.connect(self._blink)
        self.message_actions.edit_changed.connect(self._keep_edit)
        self.message_actions.edit_given_up.connect(self._keep_given_up)
        self.column.view_built.connect(self._on_built)
        self.column.view_dropped.connect(self._on_dropped)
        self.column.rebuilt.connect(self._on_rebuilt)
        self.setFocusProxy(self.column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.column)
        QTimer.singleShot(_WARM_UP_MS, self, _start_warm_up)

    def mark(self, message_id: str) -> None:
        """Frame a message for a moment: it was looked for."""
        view = self.column.view(message_id)
        if view is None:
            return
        frame = QFrame(view.parentWidget())
        set_class(frame, "focus-ring")
        frame.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        around = view.geometry().adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND)
        frame.setGeometry(around)
        frame.show()
        QTimer.singleShot(_MARKED_MS, frame, frame.deleteLater)

    # Content

    def show_path(
        self,
        messages: Sequence[Message],
        siblings: Siblings,
        edits: Mapping[str, str] | None = None,
        given_up: Mapping[str, str] | None = None,
    ) -> None:
        """Show these messages, oldest first, from their end.

        `edits` is what stands in the editors that are open, by message id, `given_up` what stood in
        those that were left.
        """
        self._edits, self._given_up = dict(edits or {}), dict(given_up or {})
        self.column.show_path(messages, siblings)

    def clear(self) -> None:
        """Show nothing."""
        self.column.show_view_line(None)
        self.show_path((), {})

    def add_message(self, message: Message, siblings: Sequence[str] = ()) -> None:
        """Show one more message at the end; one by the user is scrolled to."""
        self.column.append(message, siblings)
        self._update_caret()

    def append_thinking(self, message_id: str, start: int, text: str) -> bool:
        """More of what the model thinks before an answer; otherwise as `append_text`."""
        message = self.column.message(message_id)
        known = 0 if message is None else len(message.thinking)
        if message is None or start > known:
            return False
        if new := text[known - start :]:
            self.column.put(message.with_more(Thinking(new)))
            if view := self.column.view(message_id):
                view.append_thinking(new, at_start=not known)
                self._frames.want(view)
        return True

    def append_text(self, message_id: str, start: int, text: str) -> bool:
        """More of an answer: `text` begins after its first `start` characters.

        What is there already is passed over. False, and nothing is done, when something between
        is missing or the message is not shown.
        """
        message = self.column.message(message_id)
        known = 0 if message is None else len(message.text)
        if message is None or start > known:
            return False
        if new := text[known - start :]:
            self.column.put(message.with_more(Text(new)))
            if view := self.column.view(message_id):
                view.append_text(new)
                self._frames.want(view)
        return True

    def set_prompt_progress(self, message_id: str, done: int, total: int) -> None:
        """The prompt of this answer is being read; both numbers are tokens."""
        if view := self.column.view(message_id):
            view.set_prompt_progress(done, total)
            self.column.relayout(view)

    def finish(self, message: Message) -> None:
        """Show an answer's final state, and notify screen readers."""
        streamed = self.column.message(message.id)
        if streamed is None:
            return
        self.column.put(message)
        self._frames.forget(message.id)
        if view := self.column.view(message.id):
            view.finish(message, streamed)
            self._show_change(view)
        self._update_caret()
        self._announce(message)

    def replace(self, message: Message) -> None:
        """Show another state of a message that is shown."""
        if self.column.message(message.id) is None:
            return
        self.column.put(message)
        if view := self.column.view(message.id):
            view.set_message(message)
            self._show_change(view)
        self._update_caret()

    def change(self, message: Message) -> None:
        """A message that may be shown was pinned, rated or marked; what is written stays."""
        if shown := self.column.message(message.id):
            self.replace(message.with_content_of(shown))

    def show_unsaved(self, message_ids: frozenset[str]) -> None:
        """Say of these answers that they are not saved yet, and of no others."""
        changed = self._unsaved ^ message_ids
        self._unsaved = message_ids
        for view in [view for view in self.column.views if view.message.id in changed]:
            view.set_unsaved(view.message.id in message_ids)
            self.column.relayout(view)

    def show_again(self, message_id: str) -> None:
        """Show a message as it is stored: what a person asked for at it was refused."""
        if message := self.column.message(message_id):
            self.replace(message)

    def edit(self, message_id: str, text: str | None = None) -> None:
        """Edit a message in place, as it stands or with another text; or go on editing it."""
        if view := self.column.built_view(message_id):
            view.begin_edit(text)
            self.column.reveal(view)

    def end_edit(self, message_id: str) -> None:
        """Close the editor of a message, if shown: its text was accepted."""
        if view := self.column.view(message_id):
            view.end_edit()
        self._edits.pop(message_id, None)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The path that is shown, with what has arrived of an answer so far."""
        return tuple(self.column.path)

    def last_user_message_id(self) -> str | None:
        """The id of the newest message by the user."""
        path = reversed(self.column.path)
        return next((message.id for message in path if message.role is Role.USER), None)

    def set_theme(self, theme: Theme) -> None:
        """Show everything in other colours, at the same place."""
        self.column.set_theme(theme)

    def _show_change(self, view: MessageView) -> None:
        self.column.relayout(view)
        if view.unfinished:
            self._frames.want(view)

    # Widgets come and go

    def _on_built(self, view: MessageView) -> None:
        view.given_up = self._given_up.get(view.message.id)
        text = self._edits.get(view.message.id)
        if text is not None:
            view.open_editor(text)
        if view.message.id in self._unsaved:
            view.set_unsaved(True)
        if view.unfinished:
            self._frames.want(view)

    def _on_dropped(self, view: MessageView) -> None:
        if view.editor is not None and view.editor.text is self.window().focusWidget():
            self._typed_at = view.message.id, view.editor.text.textCursor().position()

    def _on_rebuilt(self) -> None:
        self._update_caret()
        if self._typed_at is not None:
            (message_id, position), self._typed_at = self._typed_at, None
            view = self.column.view(message_id)
            if view is not None and view.editor is not None:
                view.editor.type_at(position)

    def _keep_edit(self, message_id: str, text: str | None) -> None:
        if text is None:
            self._edits.pop(message_id, None)
        else:
            self._edits[message_id] = text
            self._given_up.pop(message_id, None)

    def _keep_given_up(self, message_id: str, text: str | None) -> None:
        self._given_up.pop(message_id, None)
        if text is not None:
            self._given_up[message_id] = text

    # Streaming

    def _update_caret(self) -> None:
        views = self.column.views
        streaming = any(view.message.state is MessageState.STREAMING for view in views)
        app = QApplication.instance()
        still = isinstance(app, QApplication) and reduced_motion(app)
        if streaming and not still:
            self._blink_timer.start()
        else:
            self._blink_timer.stop()
        self._set_caret(True)

    def _blink(self) -> None:
        self._set_caret(not self._caret_on)

    def _set_caret(self, shown: bool) -> None:
        self._caret_on = shown
        for view in self.column.views:
            if view.body is not None:
                view.set_caret(shown and view.message.state is MessageState.STREAMING)

    def _announce(self, message: Message) -> None:
        if QAccessible.isActive():
            words = {
                MessageState.COMPLETE: tr("The answer is complete."),
                MessageState.STOPPED: tr("The answer was stopped."),
            }.get(message.state, tr("The answer did not finish."))
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.column, words))


def _start_warm_up() -> None:
    # The Markdown parser's first use compiles patterns for longer than a frame may take.
    Thread(target=warm_up, name="markdown warm-up", daemon=True).start()
