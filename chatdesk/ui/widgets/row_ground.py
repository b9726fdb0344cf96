"""The rounded ground of a row that is chosen or pointed at, and the frame of one with the focus."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from chatdesk.ui.theme import Theme

_RADIUS = 8


def paint_ground(painter: QPainter, place: QRect | QRectF, colour: str, line: str = "") -> None:
    """Fill the ground, with a line around it if that has a colour."""
    painter.setPen(QPen(QColor(line)) if line else QPen(Qt.PenStyle.NoPen))
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(place, _RADIUS, _RADIUS)


def paint_focus(painter: QPainter, place: QRect | QRectF, theme: Theme) -> None:
    """Frame a row that has the focus."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.accent), 2))
    painter.drawRoundedRect(place, _RADIUS, _RADIUS)
