"""The head of a code block: its language, and the button that copies it."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import show_icon
from chatdesk.ui.markdown.passing_button import PassingButton
from chatdesk.ui.theme import Theme, scaled, set_class

HEAD_HEIGHT = 32  # pixels, with the line below it
COPIED_MS = 1_500


class CodeHead(QFrame):
    """Lies over the code when that is scrolled."""

    def __init__(self, title: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = title or tr("code")
        set_class(self, "code-head")
        self._label = QLabel(self._title, self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        set_class(self._label, "small")
        self.copy_button = PassingButton(self)
        self.copy_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.copy_button.setToolTip(tr("Copy this code"))
        self.copy_button.setAccessibleName(tr("Copy this code"))
        self._copied: QTimer | None = None
        self._show_copy()

    def show_copied(self) -> None:
        """Say for a moment that the code was copied."""
        self.copy_button.setText(tr("Copied"))
        show_icon(self.copy_button, "check", self._theme.accent)
        self._place()
        if self._copied is None:
            self._copied = QTimer(self, singleShot=True, interval=COPIED_MS)
            self._copied.timeout.connect(self._show_copy)
        self._copied.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the language at the left, the button at the right."""
        super().resizeEvent(event)
        self._place()

    def _show_copy(self) -> None:
        self.copy_button.setText(tr("Copy"))
        show_icon(self.copy_button, "copy", self._theme.muted)
        self._place()

    def _place(self) -> None:
        size, width = self.copy_button.sizeHint(), self.width()
        whole = scaled(HEAD_HEIGHT)
        height = min(size.height(), whole - 1)
        top = (whole + 1 - height) // 2
        self.copy_button.setGeometry(width - size.width() - 3, top, size.width(), height)
        room = max(0, width - size.width() - 24)
        shown = self._label.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        self._label.setText(shown)
        self._label.setToolTip(self._title if shown != self._title else "")
        self._label.setGeometry(12, 1, room, whole - 2)
