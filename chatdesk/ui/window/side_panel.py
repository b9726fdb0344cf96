"""A panel at an edge of the window: beside the middle, or over it where there is little room."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.ui.widgets.motion import slide, stop


class SidePanel:
    """Places `widget` at the left or right edge of its parent, and slides it in and out.

    As a drawer it takes no room from the middle.
    """

    def __init__(self, widget: QWidget, *, at_left: bool) -> None:
        self.widget = widget
        self._at_left = at_left
        self.width = 0
        self.is_drawer = False
        self.is_open = False

    @property
    def room(self) -> int:
        """The pixels that it takes from the middle."""
        return self.width if self.is_open and not self.is_drawer else 0

    @property
    def has_focus(self) -> bool:
        """True if the keyboard is in it."""
        focused = QApplication.focusWidget()
        return focused is not None and self.widget.isAncestorOf(focused)

    def settle(self) -> None:
        """Be where it belongs, at once."""
        stop(self.widget)
        self._resize()
        self.widget.move(self._place(inside=True))
        self.widget.setVisible(self.is_open)

    def move(self) -> None:
        """Slide to where it belongs, if it is not there."""
        if self.widget.isHidden() is not self.is_open:
            self.settle()
            return
        stop(self.widget)
        self._resize()
        if self.is_open and self.widget.isHidden():
            self.widget.move(self._place(inside=False))
            self.widget.show()
        self.widget.raise_()
        done = None if self.is_open else self.widget.hide
        slide(self.widget, self._place(inside=self.is_open), done)

    def _resize(self) -> None:
        parent = self.widget.parentWidget()
        assert parent
        self.widget.resize(self.width, parent.height())

    def _place(self, *, inside: bool) -> QPoint:
        parent = self.widget.parentWidget()
        assert parent
        if self._at_left:
            return QPoint(0 if inside else -self.width, 0)
        return QPoint(parent.width() - (self.width if inside else 0), 0)
