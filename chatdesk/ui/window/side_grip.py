"""The edge of the sidebar: dragged, or moved with the arrow keys, it changes its width."""

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr

WIDTH = 9  # pixels that can be grasped
_STEP = 16


class SideGrip(QWidget):
    """`dragged` carries the wanted width; `reset` asks for the usual one (double click, Home)."""

    dragged = Signal(int)
    reset = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._grasped_at: int | None = None  # where in the grip
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(tr("Width of the sidebar"))
        self.setAccessibleDescription(
            tr("The left and right arrow keys change it, Home resets it.")
        )

    def place(self, edge: int, height: int) -> None:
        """Stand over the edge, in the parent's pixels."""
        self.setGeometry(QRect(edge - WIDTH // 2 - 1, 0, WIDTH, height))
        self.raise_()

    @property
    def edge(self) -> int:
        """Where the edge is, in the parent's pixels."""
        return self.x() + WIDTH // 2 + 1

    # Qt's names from here on

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grasp the edge."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._grasped_at = event.position().toPoint().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag it."""
        if self._grasped_at is not None:
            self.dragged.emit(self.edge + event.position().toPoint().x() - self._grasped_at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._grasped_at = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the usual width."""
        self._grasped_at = None
        self.reset.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the edge by a step."""
        step = {Qt.Key.Key_Left: -_STEP, Qt.Key.Key_Right: _STEP}.get(Qt.Key(event.key()))
        if step:
            self.dragged.emit(self.edge + step)
        elif event.key() == Qt.Key.Key_Home:
            self.reset.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a line while it is grasped, pointed at or has the focus."""
        if self.hasFocus() or self.underMouse() or self._grasped_at is not None:
            line = QRect(WIDTH // 2 - 1, 0, 2, self.height())
            painter = QPainter(self)
            painter.fillRect(line, self.palette().accent())
