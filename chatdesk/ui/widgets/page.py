"""The common part of pages in the place of the chat: title, buttons, scrolling column."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon
from chatdesk.ui.shortcuts import Keys, with_keys
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.buttons import AIR, PictureButton
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.widgets.scroll import scrolling

WIDTH = 1080
MARGIN = 40
NARROW = 500  # pixels below which the title and its buttons stand below each other


class PageView(QWidget):
    """A page is filled through `column`; `overhang` is how far rows reach beyond its words.

    `notice` is the window's; the page's controller sets it.
    """

    notice: Notice
    back_requested = Signal()
    sidebar_requested = Signal()

    def __init__(self, title: str, theme: Theme, overhang: int = 0) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # for Escape
        self._title = QLabel(title)
        set_class(self._title, "page-title")
        self._sidebar = PictureButton(with_keys(tr("Show the sidebar"), Keys.SIDEBAR))
        self._back = PictureButton(with_keys(tr("Back to the chat"), "Esc"))
        self._sidebar.clicked.connect(self.sidebar_requested)
        self._back.clicked.connect(self.back_requested)
        self._before = QSpacerItem(0, 0)  # of the buttons
        self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        content = QWidget()
        self._content = content
        self.column = QVBoxLayout(content)
        inset = AIR - overhang  # the content is as wide as the air of the first button needs
        self.column.setContentsMargins(inset, 24, inset, 28)
        centred = QWidget()
        centred.setObjectName("page")
        self._margins = row = QHBoxLayout(centred)
        row.addStretch(1)
        row.addWidget(content, 100_000)  # all there is, up to its largest width
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(centred))

    @property
    def focus_home(self) -> QWidget:
        """Where a focus that is lost goes."""
        return self

    def header(self, lead: QWidget, *buttons: QPushButton) -> QVBoxLayout:
        """The title with these buttons at the right, and a line below it."""
        left, right = QHBoxLayout(), QHBoxLayout()
        left.addItem(self._before)
        for row, widgets in ((left, (self._sidebar, self._back, self._title)), (right, buttons)):
            row.setSpacing(8)
            for widget in widgets:
                row.addWidget(widget)
        left.addStretch(1)
        self._left = left
        self._top.setSpacing(8)
        self._top.addLayout(left, 1)
        self._top.addLayout(right)
        header = QVBoxLayout()
        header.setSpacing(4)
        header.addLayout(self._top)
        header.addWidget(lead)
        return header

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._sidebar.setIcon(icon("sidebar", theme.muted))
        self._back.setIcon(icon("chevron-left", theme.muted))

    def offer_sidebar(self, offered: bool) -> None:
        """Show or hide the sidebar's button; its chats lead back."""
        self._before.changeSize(-AIR if offered else 0, 0)
        self._left.invalidate()
        self._sidebar.setVisible(offered)
        self._back.setVisible(offered)

    # Qt's names from here on

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leads back to the chat."""
        if event.key() == Qt.Key.Key_Escape:
            self.back_requested.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the title and its buttons beside or below each other."""
        super().resizeEvent(event)
        self._content.setMaximumWidth(scaled(WIDTH) + 2 * AIR)
        narrow = self.width() < scaled(NARROW)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._top.setDirection(down if narrow else right)
        margin = (MARGIN // 2 if narrow else MARGIN) - AIR
        self._margins.setContentsMargins(margin, 0, margin, 0)
