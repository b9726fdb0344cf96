"""One message of the conversation, the user's in a card, the assistant's on the page."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QEnterEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.chat import Message, MessageState, Role, with_thinking_apart
from chatdesk.core.i18n import tr
from chatdesk.ui.answer_body import AnswerBody
from chatdesk.ui.message_actions import ROW_HEIGHT, ActionRow, PinMark, StateLine, facts
from chatdesk.ui.prose_view import ProseView
from chatdesk.ui.theme import Theme, set_class

CARD_WIDTH = 560
_PAD_X, _PAD_Y = 16, 10
_ROW_GAP = 2
_EDIT_LINES = 10
_OPEN_BUDGET_S = 0.025  # what is not shown within it comes with the next frames
_MARK_HEIGHT = 20


class MessageView(QWidget):
    """Shows a message and asks for what can be done with it.

    Its owner gives it a width with `relayout` and answers `resized` by doing so again.
    """

    regenerate_requested = Signal(str)
    edit_requested = Signal(str, str)
    continue_requested = Signal(str)
    branch_requested = Signal(str)
    retry_requested = Signal(str)
    pin_requested = Signal(str, bool)
    resized = Signal()

    def __init__(
        self,
        message: Message,
        theme: Theme,
        siblings: Sequence[str] = (),
        is_last: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.message = message = with_thinking_apart(message)
        self._theme = theme
        self._is_last = is_last
        self.editor: _Editor | None = None
        self.card: QFrame | None = None
        self.card_text: ProseView | None = None
        self._ideal_width = 0
        self.body: AnswerBody | None = None
        self._state: StateLine | None = None
        if message.role is Role.USER:
            self.card = QFrame(self)
            set_class(self.card, "user-card")
            self.card_text = ProseView(theme, self.card)
            self._show_card_text(message.text)
            self.setAccessibleName(tr("Your message"))
        else:
            self.body = AnswerBody(theme, self)
            self.body.resized.connect(self.resized)
            self._state = StateLine(theme, self)
            self._state.continue_clicked.connect(
                lambda: self.continue_requested.emit(self.message.id)
            )
            self._state.retry_clicked.connect(lambda: self.retry_requested.emit(self.message.id))
            self.setAccessibleName(tr("Answer"))
        self.actions_row = ActionRow(message.role, theme, self)
        self._connect_actions()
        self.set_siblings(siblings)
        self.pin_mark = PinMark(theme, self)
        self.set_pinned(message.pinned)
        if self.body is not None:
            self._show_answer(message)
        self._show_state()

    def set_message(self, message: Message) -> None:
        """Show another state or text of the same message."""
        message = with_thinking_apart(message)
        was_streaming = self.message.state is MessageState.STREAMING
        streaming = message.state is MessageState.STREAMING
        before = self.message.text, self.message.thinking
        changed = (message.text, message.thinking) != before or streaming != was_streaming
        self.message = message
        self.set_pinned(message.pinned)
        if self.card_text is not None and changed:
            self._show_card_text(message.text)
        elif self.body is not None and changed:
            self._show_answer(message)
        self._show_state()

    def set_siblings(self, siblings: Sequence[str]) -> None:
        """The ids of the message and its alternatives, in order."""
        self.actions_row.set_siblings(siblings, self.message.id)

    def set_last(self, is_last: bool) -> None:
        """Whether nothing follows this message."""
        if is_last != self._is_last:
            self._is_last = is_last
            self._show_state()

    def set_pinned(self, pinned: bool) -> None:
        """Whether the message is pinned; its mark needs room, so lay it out again."""
        self.message = replace(self.message, pinned=pinned)
        self.pin_mark.setVisible(pinned)
        self.actions_row.set_pinned(pinned)

    def append_thinking(self, piece: str, *, at_start: bool) -> None:
        """More of what the model thinks before its answer; `flush` shows it."""
        if self.body is not None:
            self._hide_state()
            self.body.append_thinking(piece, at_start=at_start)

    def append_text(self, piece: str) -> None:
        """More of the answer; `flush` shows it."""
        if self.body is not None:
            self._hide_state()
            self.body.append_text(piece)

    def flush(self, budget_s: float) -> None:
        """Show what has come, for about `budget_s` seconds."""
        if self.body is not None:
            self.body.flush(budget_s)

    @property
    def unfinished(self) -> bool:
        """Whether there is more to show than `flush` has shown."""
        return self.body is not None and self.body.unfinished

    def finish(self, message: Message, streamed: Message) -> None:
        """The answer ended as `message`; `streamed` is what came of it piece by piece."""
        self.message = message
        if self.body is not None and message.answer is not None:
            self.body.finish(message.answer.thinking_s)
            came = (streamed.text, streamed.thinking)
            if (message.text, message.thinking) != came or self.body.needs_definitions:
                self._show_whole(message)
            self.body.flush(_OPEN_BUDGET_S)
            self.body.set_caret(False)
        self._show_state()

    def set_prompt_progress(self, done: int, total: int) -> None:
        """The prompt is being read; both numbers are tokens."""
        if self._state is not None and not _has_begun(self.message):
            self._state.show_progress(done, total)

    def set_caret(self, shown: bool) -> None:
        """Show or hide the block where text is being written."""
        if self.body is not None:
            self.body.set_caret(shown)

    @property
    def editing(self) -> bool:
        """Whether the text is being edited."""
        return self.editor is not None

    def begin_edit(self, text: str | None = None) -> None:
        """Edit the message in place, beginning with `text` or else as it stands."""
        if self.card is None or self.editor is not None:
            return
        self.editor = _Editor(self.message.text if text is None else text, self)
        self.editor.cancelled.connect(self._end_edit)
        self.editor.sent.connect(self._send_edit)
        self.editor.resized.connect(self.resized)
        for part in (self.card, self.actions_row, self.pin_mark):
            part.hide()
        self.editor.show()
        self.resized.emit()
        self.editor.text.setFocus()

    def relayout(self, width: int) -> int:
        """Place everything in `width` pixels; the height that is needed."""
        if self.editor is not None:
            height = self.editor.height_for()
            self.editor.setGeometry(0, 0, width, height)
            return height + 12
        top = self._place_mark(width)
        top = self._place_card(width, top) if self.card else self._place_answer(width, top)
        self.actions_row.setGeometry(-4 if self.body else 0, top + _ROW_GAP, width + 4, ROW_HEIGHT)
        return top + _ROW_GAP + ROW_HEIGHT

    def enterEvent(self, event: QEnterEvent) -> None:
        """The actions come into sight."""
        super().enterEvent(event)
        self.actions_row.set_hovered(True)

    def leaveEvent(self, event: QEvent) -> None:
        """The actions go out of sight."""
        super().leaveEvent(event)
        self.actions_row.set_hovered(False)

    def _connect_actions(self) -> None:
        row = self.actions_row
        row.copy_clicked.connect(self._copy)
        row.edit_clicked.connect(self.begin_edit)
        row.regenerate_clicked.connect(lambda: self.regenerate_requested.emit(self.message.id))
        row.branch_clicked.connect(self.branch_requested)
        row.pin_clicked.connect(
            lambda: self.pin_requested.emit(self.message.id, not self.message.pinned)
        )

    def _show_card_text(self, text: str) -> None:
        assert self.card_text is not None
        self.card_text.clear_all()
        self.card_text.append_plain(text)
        self._ideal_width = self.card_text.ideal_width()

    def _show_answer(self, message: Message) -> None:
        assert self.body is not None
        if message.state is MessageState.STREAMING:
            self.body.set_text("")
            if message.thinking:
                self.body.append_thinking(message.thinking)
            if message.text:
                self.body.append_text(message.text)
        else:
            self._show_whole(message)
        self.body.flush(_OPEN_BUDGET_S)

    def _show_whole(self, message: Message) -> None:
        assert self.body is not None
        seconds = message.answer.thinking_s if message.answer else None
        self.body.set_text(message.text, message.thinking, seconds)

    def _hide_state(self) -> None:
        if self._state is not None and self._state.isVisibleTo(self):
            self._state.hide()

    def _show_state(self) -> None:
        streaming = self.message.state is MessageState.STREAMING
        if self._state is not None:
            self._state.show_state(self.message, self._is_last)
            self.actions_row.facts.setText(facts(self.message))
            if streaming and not _has_begun(self.message):
                self._state.show_progress(0, 0)
        self.actions_row.setVisible(not streaming and not self.editing)
        self.actions_row.set_always(self._is_last and self.body is not None)

    def _place_mark(self, width: int) -> int:
        """Put the pin's mark above the message; where the message begins."""
        if not self.message.pinned:
            return 0
        mark = self.pin_mark.sizeHint().width()
        left = width - mark - _PAD_X if self.card else 0
        self.pin_mark.setGeometry(left, 0, mark, _MARK_HEIGHT)
        return _MARK_HEIGHT + _ROW_GAP

    def _place_card(self, width: int, top: int) -> int:
        assert self.card is not None and self.card_text is not None
        inner = min(self._ideal_width, min(CARD_WIDTH, width) - 2 * _PAD_X)
        height = self.card_text.height_for(inner)
        card = inner + 2 * _PAD_X
        self.card.setGeometry(width - card, top, card, height + 2 * _PAD_Y)
        self.card_text.setGeometry(_PAD_X, _PAD_Y - 1, inner, height)  # optically centred
        return top + height + 2 * _PAD_Y

    def _place_answer(self, width: int, top: int) -> int:
        assert self.body is not None and self._state is not None
        self.body.move(0, top)
        height = self.body.relayout(width)
        top += height
        if self._state.isVisibleTo(self):
            top += 6 if height else 0
            hint = max(self._state.heightForWidth(width), self._state.sizeHint().height())
            self._state.setGeometry(0, top, width, hint)
            top += hint
        return top

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.message.text)

    def _send_edit(self, text: str) -> None:
        self._end_edit()
        self.edit_requested.emit(self.message.id, text)

    def _end_edit(self) -> None:
        if self.editor is None or self.card is None:
            return
        self.editor.hide()
        self.editor.deleteLater()
        self.editor = None
        self.card.show()
        self.actions_row.show()
        self.pin_mark.setVisible(self.message.pinned)
        self.actions_row.edit_button.setFocus()
        self.resized.emit()


def _has_begun(message: Message) -> bool:
    """Whether there is something to see of an answer."""
    return bool(message.text or message.thinking)


class _Editor(QFrame):
    """A text being edited; Escape gives up, Ctrl+Enter sends."""

    cancelled = Signal()
    sent = Signal(str)
    resized = Signal()

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        set_class(self, "edit-card")
        self.text = QPlainTextEdit(text, self)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setAccessibleName(tr("Edit your message"))
        self.text.setTabChangesFocus(True)
        self.text.moveCursor(self.text.textCursor().MoveOperation.End)
        self.text.textChanged.connect(self._changed)
        self.cancel_button = QPushButton(tr("Cancel"), self)
        self.cancel_button.setToolTip(tr("Leave the message as it was (Esc)"))
        self.cancel_button.clicked.connect(self.cancelled)
        set_class(self.cancel_button, "ghost")
        self.send_button = QPushButton(tr("Send"), self)
        self.send_button.setToolTip(tr("Send as a new version (Ctrl+Enter)"))
        self.send_button.clicked.connect(self._send)
        set_class(self.send_button, "primary")
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.send_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 10)
        column.addWidget(self.text, 1)
        column.addLayout(buttons)

    def height_for(self) -> int:
        """The height in pixels: up to ten lines of text, and the buttons."""
        lines = min(max(2, self.text.blockCount()), _EDIT_LINES)
        return lines * self.text.fontMetrics().lineSpacing() + 90

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape and Ctrl+Enter, wherever in the card the focus is."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._send()
        else:
            super().keyPressEvent(event)

    def _changed(self) -> None:
        self.send_button.setEnabled(bool(self.text.toPlainText().strip()))
        self.resized.emit()

    def _send(self) -> None:
        if text := self.text.toPlainText().strip():
            self.sent.emit(text)
