"""Menus that open at a button, and stay within its window."""

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QPainterPath, QRegion
from PySide6.QtWidgets import QAbstractButton, QMenu, QWidget

RADIUS = 10  # pixels of a menu's corners, as in the style sheet


def open_menu(menu: QMenu, at: QWidget, place: QRect | None = None, *, once: bool = False) -> None:
    """Open a menu below a widget, or a place in it; delete it when it closes if it is for `once`.

    The menu of a thing in the right half of the window ends where that does, others begin with it.
    A point is a place without a size.
    """
    window = at.window()
    place = at.rect() if place is None else place  # a point is false
    anchor = QRect(at.mapToGlobal(place.topLeft()), place.size())
    room = QRect(window.mapToGlobal(QPoint(0, 0)), window.size())
    screen = at.screen().availableGeometry()
    menu.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)  # a press on the button closes it
    if once:
        menu.aboutToHide.connect(menu.deleteLater)
    menu.setMask(_rounded(menu.sizeHint()))
    menu.popup(menu_origin(menu.sizeHint(), anchor, room & screen, screen))


def menu_origin(size: QSize, anchor: QRect, room: QRect, screen: QRect) -> QPoint:
    """Return where a menu of this size opens: below `anchor`, or above it.

    It stays within `room` if it is that small, and within `screen` in any case.
    """
    in_right_half = anchor.width() > 0 and anchor.center().x() > room.center().x()
    left = anchor.right() + 1 - size.width() if in_right_half else anchor.left()
    for place in (room, screen):
        left = _within(left, size.width(), place.left(), place.right())
    below, above = anchor.bottom() + 1, anchor.top() - size.height()
    for top in (below, above):
        if room.top() <= top and top + size.height() <= room.bottom() + 1:
            return QPoint(left, top)
    return QPoint(left, _within(below, size.height(), screen.top(), screen.bottom()))


def open_when_pressed(button: QAbstractButton, menu: QMenu) -> None:
    """Let a button open a menu."""

    def open_it() -> None:
        button.setDown(True)
        open_menu(menu, button)

    button.clicked.connect(open_it)
    menu.aboutToHide.connect(lambda: button.setDown(False))


def _rounded(size: QSize) -> QRegion:
    """Return what is left of a window without the corners outside the style sheet's frame."""
    shape = QPainterPath()
    shape.addRoundedRect(QRectF(QPointF(), QSizeF(size)), RADIUS, RADIUS)
    return QRegion(shape.toFillPolygon().toPolygon())


def _within(start: int, length: int, first: int, last: int) -> int:
    return max(first, min(start, last + 1 - length))
