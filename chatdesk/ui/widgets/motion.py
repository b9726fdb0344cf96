"""Movement: slides and fades of at most 120 ms, and none where none is wanted.

Nothing is left of a movement when it ends: no timer, no effect, no picture.
"""

from collections.abc import Callable

from PySide6.QtCore import QEasingCurve, QPoint, Qt, QVariantAnimation
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QApplication, QGraphicsOpacityEffect, QWidget

from chatdesk.ui.reduced_motion import reduced_motion

DURATION_MS = 120
_DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


def is_still(widget: QWidget) -> bool:
    """Return True if what happens to `widget` is not to be seen as a movement."""
    app = QApplication.instance()
    return not widget.isVisible() or not isinstance(app, QApplication) or reduced_motion(app)


def move(
    widget: QWidget, step: Callable[[float], None], done: Callable[[], None] | None = None
) -> None:
    """Call `step` with shares of the way from 0 to 1, then `done`; where all is still, with 1.

    An earlier movement of `widget` stops where it is, and its `done` is never called.
    """
    stop(widget)
    if is_still(widget):
        step(1.0)
        if done:
            done()
        return
    _Movement(widget, step, done).start()


def stop(widget: QWidget) -> None:
    """End the movement of `widget` where it is."""
    for movement in widget.findChildren(_Movement, options=_DIRECT):
        movement.give_up()


def is_moving(widget: QWidget) -> bool:
    """Return True while `widget` moves."""
    movements = widget.findChildren(_Movement, options=_DIRECT)
    return any(each.state() is _Movement.State.Running for each in movements)


def slide(widget: QWidget, to: QPoint, done: Callable[[], None] | None = None) -> None:
    """Move a widget that no layout places from where it is."""
    start = widget.pos()
    move(widget, lambda share: widget.move(start + (to - start) * share), done)


def fade_in(widget: QWidget) -> None:
    """Show a widget, if it is not shown wholly by now."""
    if widget.isVisible() and not widget.graphicsEffect():
        return
    widget.show()
    _fade(widget, 0.0, 1.0, None)


def fade_out(widget: QWidget, done: Callable[[], None] | None = None) -> None:
    """Hide a widget, and call `done` then."""

    def hide() -> None:
        widget.hide()
        if done:
            done()

    _fade(widget, 1.0, 0.0, hide)


def dissolve(widget: QWidget, change: Callable[[], None]) -> None:
    """Change `widget` at once, and let what it showed before fade over it."""
    if is_still(widget):
        change()
        return
    before = _Picture(widget)
    change()
    before.show()
    before.raise_()
    move(before, before.fade, before.deleteLater)


def _fade(widget: QWidget, start: float, end: float, done: Callable[[], None] | None) -> None:
    effect = widget.graphicsEffect()
    if isinstance(effect, QGraphicsOpacityEffect):
        start = effect.opacity()  # a fade that is turned round begins where that one is
    elif not is_still(widget):
        effect = QGraphicsOpacityEffect(widget)
        effect.setOpacity(start)
        widget.setGraphicsEffect(effect)

    def step(share: float) -> None:
        if isinstance(effect, QGraphicsOpacityEffect):
            effect.setOpacity(start + (end - start) * share)

    def end_of_it() -> None:
        widget.setGraphicsEffect(None)  # type: ignore[arg-type]
        if done:
            done()

    move(widget, step, end_of_it)


class _Movement(QVariantAnimation):
    def __init__(
        self, widget: QWidget, step: Callable[[float], None], done: Callable[[], None] | None
    ) -> None:
        super().__init__(widget)
        self._done = done
        self.setStartValue(0.0)
        self.setEndValue(1.0)
        self.setDuration(DURATION_MS)
        self.setEasingCurve(QEasingCurve.Type.OutCubic)
        self.valueChanged.connect(step)
        self.finished.connect(self._finish)

    def give_up(self) -> None:
        """End before the end, and call nothing."""
        self.stop()
        self.deleteLater()

    def _finish(self) -> None:
        self.deleteLater()
        if self._done:
            self._done()


class _Picture(QWidget):
    """What a widget looked like, over it."""

    def __init__(self, of: QWidget) -> None:
        self._picture: QPixmap = of.grab()
        self._opacity = 1.0
        super().__init__(of)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(of.rect())

    def fade(self, share: float) -> None:
        self._opacity = 1.0 - share
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setOpacity(self._opacity)
        painter.drawPixmap(0, 0, self._picture)
