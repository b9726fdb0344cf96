"""Windows and dialogs that fit on their screen, whatever its size and scale."""

from PySide6.QtCore import QMargins, QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

from chatdesk.ui.theme import scaled

FRAME = QMargins(4, 36, 4, 4)  # of a window that is not shown yet: nobody knows its own


def fit_size(window: QWidget, width: int, height: int) -> None:
    """Give a window this size, or that of its screen if it is smaller.

    A dialog comes to the screen of its parent; before it is shown it says the first one.
    """
    screen = (window.parentWidget() or window).screen()
    window.resize(_fitting(QSize(width, height), screen.availableGeometry(), FRAME))


def fit_dialog(dialog: QWidget, width: int, height: int) -> None:
    """Likewise, with more room for larger text."""
    fit_size(dialog, scaled(width), scaled(height))


def fit_place(window: QWidget, wanted: QRect) -> None:
    """Put a window that is not shown yet to this place, or to the nearest where all of it is seen.

    `wanted` has the corner of the window's frame and the size without it.
    """
    inner = wanted.translated(FRAME.left(), FRAME.top())
    fitted = fitted_place(inner, _screen_of(wanted).availableGeometry(), FRAME)
    window.resize(fitted.size())
    window.move(_outer(fitted, FRAME).topLeft())


def refit(window: QWidget) -> None:
    """Bring a window that is shown back onto its screen, if it reaches beyond it."""
    if window.isMaximized() or window.isFullScreen():
        return
    outer, inner = window.frameGeometry(), window.geometry()
    frame = QMargins(
        inner.left() - outer.left(),
        inner.top() - outer.top(),
        outer.right() - inner.right(),
        outer.bottom() - inner.bottom(),
    )
    fitted = fitted_place(inner, _screen_of(outer).availableGeometry(), frame)
    if fitted.size() != inner.size():
        window.resize(fitted.size())
    if fitted.topLeft() != inner.topLeft():
        window.move(_outer(fitted, frame).topLeft())


def fitted_place(wanted: QRect, available: QRect, frame: QMargins) -> QRect:
    """Return the place nearest to `wanted` that is within `available` together with its frame."""
    size = _fitting(wanted.size(), available, frame)
    room = available.marginsRemoved(frame)
    last = QPoint(room.right() + 1 - size.width(), room.bottom() + 1 - size.height())
    left = max(room.left(), min(wanted.left(), last.x()))
    top = max(room.top(), min(wanted.top(), last.y()))
    return QRect(QPoint(left, top), size)


def _fitting(size: QSize, available: QRect, frame: QMargins) -> QSize:
    return size.boundedTo(available.marginsRemoved(frame).size())


def _outer(inner: QRect, frame: QMargins) -> QRect:
    return inner.marginsAdded(frame)


def _screen_of(place: QRect) -> QScreen:
    """Return the screen with most of a place; the first one if it is on none."""

    def seen(screen: QScreen) -> int:
        size = (screen.availableGeometry() & place).size()
        return max(0, size.width()) * max(0, size.height())

    best = max(QGuiApplication.screens(), key=seen)
    return best if seen(best) else QGuiApplication.primaryScreen()
