"""The editor of a message's text, in its place."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.chat import Role
from chatdesk.core.i18n import tr
from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.fields import small
from chatdesk.ui.widgets.writing_field import WritingField

_LINES = {Role.USER: 10, Role.ASSISTANT: 20}  # at most, then it scrolls
_LEAST_LINES = 2
_FRAME = 44  # pixels around the text, without the buttons


class MessageEditor(QFrame):
    """Escape leaves; the keys that send accept the new text: to ask again, or as the better answer.

    An answer must be changed before it can be accepted. Accepted text stays, read-only, until the
    owner closes the editor or calls `go_on`.
    """

    cancelled = Signal()
    accepted = Signal(str)
    changed = Signal(str)
    resized = Signal()

    def __init__(
        self, role: Role, text: str, before: str, enter: EnterRule, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._most_lines = _LINES[role]
        self._unwanted = before.strip() if role is Role.ASSISTANT else ""
        set_class(self, "edit-card")
        self.text = WritingField(enter, before)
        if text != before:  # undoing leads back to the message
            cursor = self.text.textCursor()
            cursor.select(cursor.SelectionType.Document)
            cursor.insertText(text)
            self.text.moveCursor(cursor.MoveOperation.End)
        self.text.textChanged.connect(self._changed)
        self.text.sent.connect(self._accept)
        self.cancel_button = QPushButton(tr("Cancel"), self)
        self.cancel_button.setToolTip(tr("Leave the message as it was; your words are kept (Esc)"))
        self.cancel_button.clicked.connect(self.cancelled)
        set_class(self.cancel_button, "ghost")
        self.accept_button = QPushButton(self)
        self.accept_button.clicked.connect(self._accept)
        set_class(self.accept_button, "primary")
        self._buttons = buttons = QHBoxLayout()
        if role is Role.USER:
            self.text.setAccessibleName(tr("Edit your message"))
            self.accept_button.setText(tr("Send"))
            self.accept_button.setToolTip(tr("Send as a new version ({key})", key=enter.key))
            self._hint = enter.words
        else:
            self.text.setAccessibleName(tr("Correct the answer"))
            self.accept_button.setText(tr("Save"))
            self.accept_button.setToolTip(tr("Save as a new version ({key})", key=enter.key))
            self._hint = tr("Your version stands beside the old one.")
        self._note = small(self._hint)
        self._note.setContentsMargins(4, 0, 0, 0)  # below the text
        buttons.addWidget(self._note, 1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.accept_button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 10, 10, 10)
        self._column.addWidget(self.text, 1)
        self._column.addLayout(buttons)
        self._show_acceptable()

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key leads to, in order."""
        return [self.text, self.cancel_button, self.accept_button]

    def go_on(self) -> None:
        """Allow typing again, also after the text was accepted and refused."""
        self.text.setReadOnly(False)
        self._show_acceptable()
        self.text.setFocus()

    def type_at(self, position: int) -> None:
        """Put the cursor after so many characters."""
        cursor = self.text.textCursor()
        cursor.setPosition(position)
        self.text.setTextCursor(cursor)
        self.text.setFocus()

    def height_for(self, width: int, most: int) -> int:
        """Return the height in pixels at a width: the text up to some lines, and the buttons.

        With more than `most` pixels the buttons would be out of sight.
        """
        self.resize(width, self.height())
        self._column.activate()  # a document that is wrapped again knows its lines
        margins = self._column.contentsMargins()
        inside = width - margins.left() - margins.right()
        beside = self.cancel_button.sizeHint().width() + self.accept_button.sizeHint().width()
        words = self._note.fontMetrics().horizontalAdvance(self._hint)
        fits = words + beside + 3 * self._buttons.spacing() < inside
        self._note.setText(self._hint if fits else "")  # lines of it would take those of the text
        buttons = self._buttons.heightForWidth(inside)
        around = buttons + _FRAME
        fitting = (most - around) // self.text.line_step
        lines = min(self.text.lines, self._most_lines, fitting)
        return max(_LEAST_LINES, lines) * self.text.line_step + around

    def event(self, event: QEvent) -> bool:
        """Escape belongs to the editor, also while it would stop an answer."""
        if event.type() == QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            if event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle Escape and Ctrl+Enter, wherever in the card the focus is."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._accept()
        else:
            super().keyPressEvent(event)

    def _changed(self) -> None:
        self._show_acceptable()
        self.changed.emit(self.text.toPlainText())
        self.resized.emit()

    def _show_acceptable(self) -> None:
        text = self.text.toPlainText().strip()
        taken = self.text.isReadOnly()
        self.accept_button.setEnabled(bool(text) and text != self._unwanted and not taken)

    def _accept(self) -> None:
        if self.accept_button.isEnabled():
            self.text.setReadOnly(True)
            self.text.setFocus()  # a disabled button passes the focus on to any other widget
            self._show_acceptable()
            self.accepted.emit(self.text.toPlainText().strip())
