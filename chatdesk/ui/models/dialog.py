"""The common frame of the model library's dialogs: heading, scrolling body, buttons below."""

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.buttons import GHOST_AIR
from chatdesk.ui.widgets.fields import plain_button
from chatdesk.ui.widgets.fitting import fit_dialog, refit
from chatdesk.ui.widgets.labels import PlainLabel
from chatdesk.ui.widgets.scroll import SCROLL_BAR, FittingArea
from chatdesk.ui.widgets.wrapping import Flow

_SIDE = 28


class LibraryDialog(QDialog):
    """A dialog: `lead` is below the title, `body` holds the content, the buttons are at the end.

    `size` is the largest one: a dialog with little in it is as high as that.
    `heading` is the heading within the window, if it differs from the window's title.
    """

    def __init__(
        self, title: str, lead: str, size: tuple[int, int], parent: QWidget, heading: str = ""
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        fit_dialog(self, *size)
        self._most = self.size()
        self._is_placed = False
        self.heading = Flow(10)
        self.heading.add(PlainLabel(heading or title, "page-title"))
        self.lead = PlainLabel(lead)
        if not lead:
            self.lead.hide()
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        self._buttons = Flow(10, 10)
        self._buttons.setContentsMargins(_SIDE, 12, _SIDE, 18)
        top = QVBoxLayout()
        top.setContentsMargins(_SIDE, 22, _SIDE, 10)
        top.setSpacing(4)
        top.addWidget(self.heading)
        top.addWidget(self.lead)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        self._area = self._scrolling_body()
        self._area.fitted.connect(self._fit)
        layout.addWidget(self._area)
        layout.addStretch(1)
        layout.addWidget(self._buttons)

    def add_button(self, words: str, look: str = "", *, right: bool = True) -> QPushButton:
        """Add a button at the end of the dialog; at its left only before all others."""
        button = plain_button(words)
        set_class(button, look)
        if look == "ghost" and not right:  # its words begin where those above do
            self._buttons.setContentsMargins(_SIDE - GHOST_AIR, 12, _SIDE, 18)
        self._buttons.add(button, right=right)
        return button

    def showEvent(self, event: QShowEvent) -> None:
        """Come to the middle of the window; before that it has no screen to fit on."""
        super().showEvent(event)
        self._is_placed = True
        refit(self)

    def _fit(self) -> None:
        """Be as high as the content, up to the size that was asked for."""
        layout = self.layout()
        assert layout
        wanted = layout.totalHeightForWidth(self.width())
        self.resize(self.width(), min(wanted, self._most.height()))
        if self._is_placed:
            refit(self)  # it may have grown beyond the end of the screen

    def _scrolling_body(self) -> FittingArea:
        inner = QWidget()
        inner.setObjectName("page")
        column = QVBoxLayout(inner)
        column.setContentsMargins(_SIDE, 6, _SIDE - SCROLL_BAR, 20)
        column.addLayout(self.body)
        return FittingArea(inner)


class Working(QWidget):
    """The name of a running task, above a bar that moves while the progress is unknown."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = PlainLabel(words)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName(words)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.words)
        column.addWidget(self.bar)
