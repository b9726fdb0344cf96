"""What scrolls fades where it goes on, in place of being cut in the middle of a letter."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QLinearGradient, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

HEIGHT = 16  # pixels


class FadingEdges(QObject):
    """The fades over the upper and the lower end of an area, in a colour of its palette."""

    def __init__(
        self, area: QAbstractScrollArea, ground: QPalette.ColorRole = QPalette.ColorRole.Window
    ) -> None:
        super().__init__(area)
        self._area = area
        self._upper = _Edge(area, ground, at_top=True)
        self._lower = _Edge(area, ground, at_top=False)
        bar = area.verticalScrollBar()
        bar.valueChanged.connect(self._show)
        bar.rangeChanged.connect(self._show)
        area.viewport().installEventFilter(self)
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the ends of the viewport."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._show()
        return False

    def _show(self) -> None:
        bar, place = self._area.verticalScrollBar(), self._area.viewport().geometry()
        self._upper.setGeometry(place.left(), place.top(), place.width(), HEIGHT)
        self._lower.setGeometry(place.left(), place.bottom() + 1 - HEIGHT, place.width(), HEIGHT)
        for edge, shown in (
            (self._upper, bar.value() > bar.minimum()),
            (self._lower, bar.value() < bar.maximum()),
        ):
            if edge.isHidden() is shown:
                edge.setVisible(shown)


class _Edge(QWidget):
    def __init__(self, area: QWidget, ground: QPalette.ColorRole, *, at_top: bool) -> None:
        super().__init__(area)
        self._ground = ground
        self._at_top = at_top
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        solid = self.palette().color(self._ground)
        clear = self.palette().color(self._ground)
        clear.setAlpha(0)
        fade = QLinearGradient(0, 0, 0, self.height())
        fade.setColorAt(0, solid if self._at_top else clear)
        fade.setColorAt(1, clear if self._at_top else solid)
        QPainter(self).fillRect(self.rect(), fade)
