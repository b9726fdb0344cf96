"""A button inside a message."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QToolButton, QWidget

_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class PassingButton(QToolButton):
    """A button to which the arrow keys lead, from one control of the message to the next.

    The Tab key goes from message to message; a click leaves the focus where it was.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass the arrow keys on to the message."""
        if event.key() in _ARROWS:
            event.ignore()
        else:
            super().keyPressEvent(event)
