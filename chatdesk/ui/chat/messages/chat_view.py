"""The conversation: messages come, grow, end, and are shown from where one reads.

Text is shown at most once a frame for all messages together, and rarer when that takes long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Thread
from time import perf_counter

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.chat import Message, MessageState, Role
from chatdesk.core.i18n import tr
from chatdesk.ui.chat.messages.message_column import COLUMN, MessageColumn, Siblings
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.icons import icon
from chatdesk.ui.markdown.splitter import warm_up
from chatdesk.ui.theme import Theme, reduced_motion

__all__ = ["COLUMN", "FRAME_MS", "ChatView", "Siblings"]

FRAME_MS = 16
_FRAME_BUDGET_S = 0.006
_BLINK_MS = 530
_WARM_UP_MS = 400


class ChatView(MessageColumn):
    """Shows one path through a conversation and the answer that is being written."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._dirty: set[str] = set()
        self._edits: dict[str, str] = {}  # message id -> what is in its editor
        self._typed_at: tuple[str, int] | None = None  # the editor with the cursor, in a rebuild
        self._caret_on = True
        self._frame_timer = QTimer(self)
        self._frame_timer.setSingleShot(True)
        self._frame_timer.timeout.connect(self._frame)
        self._blink_timer = QTimer(self)
        self._blink_timer.setInterval(_BLINK_MS)
        self._blink_timer.timeout.connect(self._blink)
        self.message_actions.edit_changed.connect(self._keep_edit)
        QTimer.singleShot(_WARM_UP_MS, self, _start_warm_up)

    # What is shown

    def show_path(
        self,
        messages: Sequence[Message],
        siblings: Siblings,
        edits: Mapping[str, str] | None = None,
    ) -> None:
        """Show these messages, oldest first, from their end.

        `edits` is what stands in the editors that are open, by message id.
        """
        self._path = list(messages)
        self._siblings = siblings
        self._edits = dict(edits or {})
        self._follow = True
        self._rebuild(len(self._path) - 1)

    def clear(self) -> None:
        """Show nothing."""
        self.show_view_line(None)
        self.show_path((), {})

    def add_message(self, message: Message, siblings: Sequence[str] = ()) -> None:
        """Show one more message at the end; one by the user is scrolled to."""
        if self._path and self._built_to_end and self._views:
            self._views[-1].set_last(False)
            self._relayout_view(self._views[-1])
        at_end = self._built_to_end
        self._path.append(message)
        if message.role is Role.USER:
            self._follow = True
        if at_end:
            view = self._make(len(self._path) - 1, siblings)
            self._views.append(view)
            self._place()
        elif self._follow:
            self._rebuild(len(self._path) - 1)
        self._update_caret()

    def append_thinking(self, message_id: str, start: int, text: str) -> bool:
        """More of what the model thinks before an answer; otherwise as `append_text`."""
        at = self._index(message_id)
        if at is None or start > len(self._path[at].thinking):
            return False
        message = self._path[at]
        if new := text[len(message.thinking) - start :]:
            self._path[at] = message.with_words(thinking=message.thinking + new)
            if view := self._view(message_id):
                view.append_thinking(new, at_start=not message.thinking)
                self._want_frame(view)
        return True

    def append_text(self, message_id: str, start: int, text: str) -> bool:
        """More of an answer: `text` begins after its first `start` characters.

        What is there already is passed over. False, and nothing is done, when something between
        is missing or the message is not shown.
        """
        at = self._index(message_id)
        if at is None or start > len(self._path[at].text):
            return False
        message = self._path[at]
        if new := text[len(message.text) - start :]:
            self._path[at] = message.with_words(text=message.text + new)
            if view := self._view(message_id):
                view.append_text(new)
                self._want_frame(view)
        return True

    def set_prompt_progress(self, message_id: str, done: int, total: int) -> None:
        """The prompt of this answer is being read; both numbers are tokens."""
        if view := self._view(message_id):
            view.set_prompt_progress(done, total)
            self._relayout_view(view)

    def finish(self, message: Message) -> None:
        """An answer ended: show its final state, and tell a screen reader."""
        at = self._index(message.id)
        if at is None:
            return
        streamed = self._path[at]
        self._path[at] = message
        self._dirty.discard(message.id)
        if view := self._view(message.id):
            view.finish(message, streamed)
            self._relayout_view(view)
            if view.unfinished:
                self._want_frame(view)
        self._update_caret()
        self._announce(message)

    def replace(self, message: Message) -> None:
        """Show another state of a message that is shown."""
        at = self._index(message.id)
        if at is None:
            return
        self._path[at] = message
        if view := self._view(message.id):
            view.set_message(message)
            self._relayout_view(view)
            if view.unfinished:
                self._want_frame(view)
        self._update_caret()

    def change(self, message_id: str, **fields: object) -> None:
        """A message that may be shown was pinned, rated or marked, or is so no longer."""
        at = self._index(message_id)
        if at is not None:
            self.replace(replace(self._path[at], **fields))  # type: ignore[arg-type]

    def edit(self, message_id: str, text: str | None = None) -> None:
        """Edit a message in place, as it stands or with another text; or go on editing it."""
        at = self._index(message_id)
        if at is None:
            return
        if self._view(message_id) is None:
            self._follow = False
            self._rebuild(at)
        if view := self._view(message_id):
            view.begin_edit(text)
            self._show_range(view.y(), view.height())

    def end_edit(self, message_id: str) -> None:
        """What was edited was accepted: close the editor if it is shown."""
        if view := self._view(message_id):
            view.end_edit()
        self._edits.pop(message_id, None)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The path that is shown, with what has arrived of an answer so far."""
        return tuple(self._path)

    def last_user_message_id(self) -> str | None:
        """The id of the newest message by the user."""
        return next((m.id for m in reversed(self._path) if m.role is Role.USER), None)

    def set_theme(self, theme: Theme) -> None:
        """Show everything in other colours, at the same place."""
        self._theme = theme
        self._pill.setIcon(icon("arrow-down", theme.text))
        anchor = self.scroll_anchor()
        self._rebuild(len(self._path) - 1)
        self.restore_anchor(anchor)

    # Streaming

    def _view_built(self, view: MessageView) -> None:
        text = self._edits.get(view.message.id)
        if text is not None:
            view.open_editor(text)
        if view.unfinished:
            self._want_frame(view)

    def _drop(self, view: MessageView) -> None:
        if view.editor is not None and view.editor.text is self.window().focusWidget():
            self._typed_at = view.message.id, view.editor.text.textCursor().position()
        super()._drop(view)

    def _rebuilt(self) -> None:
        self._update_caret()
        if self._typed_at is not None:
            (message_id, position), self._typed_at = self._typed_at, None
            view = self._view(message_id)
            if view is not None and view.editor is not None:
                view.editor.type_at(position)

    def _keep_edit(self, message_id: str, text: str | None) -> None:
        if text is None:
            self._edits.pop(message_id, None)
        else:
            self._edits[message_id] = text

    def _frame(self) -> None:
        """Show what came since the last frame; long work makes frames rarer."""
        start = perf_counter()
        for message_id in list(self._dirty):
            view = self._view(message_id)
            if view is not None:
                view.flush(_FRAME_BUDGET_S)
                self._relayout_view(view)
            if view is None or not view.unfinished:
                self._dirty.discard(message_id)
        self._keep_wanted()
        spent_ms = (perf_counter() - start) * 1000
        if self._dirty or spent_ms > FRAME_MS / 4:
            self._frame_timer.start(max(FRAME_MS, int(5 * spent_ms)))

    def _want_frame(self, view: MessageView) -> None:
        self._dirty.add(view.message.id)
        if not self._frame_timer.isActive():
            self._frame_timer.start(FRAME_MS)

    def _update_caret(self) -> None:
        streaming = any(v.message.state is MessageState.STREAMING for v in self._views)
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
        for view in self._views:
            if view.body is not None:
                view.set_caret(shown and view.message.state is MessageState.STREAMING)

    def _announce(self, message: Message) -> None:
        if QAccessible.isActive():
            words = {
                MessageState.COMPLETE: tr("The answer is complete."),
                MessageState.STOPPED: tr("The answer was stopped."),
            }.get(message.state, tr("The answer did not finish."))
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))


def _start_warm_up() -> None:
    # The Markdown parser's first use compiles patterns for longer than a frame may take.
    Thread(target=warm_up, name="markdown warm-up", daemon=True).start()
