"""The sideways scroll bar of something high, which stays where it can be reached."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QScrollBar, QWidget

from chatdesk.core.i18n import tr


class StickyBar(QScrollBar):
    """Scrolls `area` sideways; hidden while all of it is in sight."""

    def __init__(self, area: QAbstractScrollArea, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._bar = area.horizontalScrollBar()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr("Scroll sideways"))
        self.setSingleStep(40)
        self.setInvertedControls(False)
        self._bar.rangeChanged.connect(self._take_range)
        self._bar.valueChanged.connect(self.setValue)
        self.valueChanged.connect(self._bar.setValue)
        self._take_range()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll sideways only; what is up and down belongs to the page."""
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def _take_range(self) -> None:
        self.setRange(self._bar.minimum(), self._bar.maximum())
        self.setPageStep(self._bar.pageStep())
        self.setVisible(self.maximum() > 0)


def is_sideways(event: QWheelEvent) -> bool:
    """Return True if a turn of the wheel means left or right."""
    turned = event.angleDelta()
    shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
    return shifted or abs(turned.x()) > abs(turned.y())
