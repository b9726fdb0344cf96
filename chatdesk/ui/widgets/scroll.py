"""Areas that scroll up and down."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from chatdesk.ui.widgets.fading_edges import FadingEdges

SCROLL_BAR = 10  # pixels of its width, as in the style sheet
_LOWEST = 48  # pixels in which something can be scrolled


def scrolling(content: QWidget, name: str = "", *, steady: bool = False) -> QScrollArea:
    """An area around `content`; with a name the keyboard reaches it too, not only what is in it.

    Where it is `steady` the place of the bar is kept: the content does not jump aside for it, and
    ends where what is above and below it does.
    """
    area = QScrollArea()
    _fill(area, content)
    if steady:
        _keep_place_of_bar(area)
    area.setFocusPolicy(Qt.FocusPolicy.StrongFocus if name else Qt.FocusPolicy.NoFocus)
    area.setAccessibleName(name)
    return area


class FittingArea(QScrollArea):
    """As high as its content where there is room for that; `fitted` tells of another height."""

    fitted = Signal()

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._content = content
        self._height = 0
        _fill(self, content)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        _keep_place_of_bar(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        content.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Room for the content."""
        return QSize(self._content.sizeHint().width(), self._height)

    def minimumSizeHint(self) -> QSize:
        """Room to scroll in."""
        return QSize(0, min(_LOWEST, self._height))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the content when it needs more or less room."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        content = self._content
        height = content.heightForWidth(self.viewport().width())
        height = content.sizeHint().height() if height < 0 else height
        if height != self._height:
            self._height = height
            self.updateGeometry()
            self.fitted.emit()


def _keep_place_of_bar(area: QScrollArea) -> None:
    area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
    bar = area.verticalScrollBar()
    bar.setEnabled(False)  # then it is not drawn
    bar.rangeChanged.connect(lambda low, high: bar.setEnabled(high > low))


def _fill(area: QScrollArea, content: QWidget) -> None:
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    content.setMinimumWidth(1)  # never wider than the area, which does not scroll sideways
    area.setWidget(content)
    FadingEdges(area)
