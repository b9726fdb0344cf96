"""The darkening of the window behind a drawer; a click on it closes the drawer."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

_DARKNESS = 70  # of 255


class Shade(QWidget):
    """Lies over what it is a child of."""

    pressed = Signal()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell it; nothing below is pressed."""
        self.pressed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Darken."""
        colour = QColor(Qt.GlobalColor.black)
        colour.setAlpha(_DARKNESS)
        QPainter(self).fillRect(self.rect(), colour)
