"""The page of models: find some, what is on this computer, what is fetched, what is recommended."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.core.library import KeptModel
from chatdesk.library.hardware import Hardware
from chatdesk.ui.fields import plain_button, section, small
from chatdesk.ui.icons import ICON_SIZE, icon
from chatdesk.ui.kept_list import OVERHANG, KeptList
from chatdesk.ui.models_words import computer_words
from chatdesk.ui.notice import Notice
from chatdesk.ui.outside_words import PlainLabel
from chatdesk.ui.theme import Theme, set_class

WIDTH = 1080
MARGIN = 40
NARROW = 540  # pixels below which the title and its buttons stand below each other


class ModelsPage(QWidget):
    """Places the parts it is given among its own; requests go up."""

    add_requested = Signal()
    elsewhere_requested = Signal()
    duplicates_requested = Signal()
    back_requested = Signal()
    sidebar_requested = Signal()

    def __init__(self, theme: Theme, search: QWidget, downloads: QWidget, catalog: QWidget) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # for Escape
        self.notice = Notice(theme)
        self.search, self.downloads, self.catalog = search, downloads, catalog
        self.kept = KeptList(theme)
        self._sidebar = _tool(tr("Show the sidebar (Ctrl+B)"))
        self._back = _tool(tr("Back to the chat (Esc)"))
        self._more = plain_button(tr("More"), tr("More about the models on this computer"))
        self._add = plain_button(tr("Add a file…"), tr("Add a model file"))
        self._computer = PlainLabel(look="muted")
        self._looking = small(tr("Looking at what is on this computer…"))
        self._empty = self._empty_card()
        self._build()
        self._connect()
        self.set_theme(theme)

    # Assembly

    def _build(self) -> None:
        content = QWidget()
        content.setMaximumWidth(WIDTH + 2 * OVERHANG)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 24, 0, 28)
        column.setSpacing(0)
        column.addLayout(_inset(self._header(), self.notice, self.search))
        column.addSpacing(22)
        column.addLayout(
            _inset(section(tr("On this computer").upper()), self._looking, self._empty)
        )
        column.addWidget(self.kept)
        column.addSpacing(20)
        column.addLayout(_inset(self.downloads, self.catalog))
        column.addStretch(1)
        centred = QWidget()
        centred.setObjectName("page")
        self._margins = row = QHBoxLayout(centred)
        row.addStretch(1)
        row.addWidget(content, 1000)  # all there is, up to its largest width
        row.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(centred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    def _header(self) -> QVBoxLayout:
        title = QLabel(tr("Models"))
        set_class(title, "page-title")
        self._more.setMenu(self._menu())
        left, right = QHBoxLayout(), QHBoxLayout()
        for row, widgets in (
            (left, (self._sidebar, self._back, title)),
            (right, (self._more, self._add)),
        ):
            row.setSpacing(8)
            for widget in widgets:
                row.addWidget(widget)
        left.addStretch(1)
        right.addStretch(0)
        self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._top.setSpacing(8)
        self._top.addLayout(left, 1)
        self._top.addLayout(right)
        header = QVBoxLayout()
        header.setSpacing(4)
        header.addLayout(self._top)
        header.addWidget(self._computer)
        return header

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction(tr("Find models of other apps…"), self.elsewhere_requested.emit)
        menu.addAction(tr("Find duplicates…"), self.duplicates_requested.emit)
        return menu

    def _empty_card(self) -> QFrame:
        card = QFrame()
        set_class(card, "card")
        title = QLabel(tr("There is no model on this computer yet"))
        set_class(title, "card-title")
        words = small(
            tr(
                "Download one of those below, add a GGUF file that you have, or let ChatDesk look "
                "for models of other apps. You can also drag a file onto the window."
            )
        )
        column = QVBoxLayout(card)
        column.setContentsMargins(18, 16, 18, 18)
        column.setSpacing(6)
        column.addWidget(title)
        column.addWidget(words)
        card.hide()
        return card

    def _connect(self) -> None:
        self._sidebar.clicked.connect(self.sidebar_requested)
        self._back.clicked.connect(self.back_requested)
        self._add.clicked.connect(self.add_requested)

    # What it is told

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours; the parts that were given are told by who made them."""
        self.notice.set_theme(theme)
        self.kept.set_theme(theme)
        self._sidebar.setIcon(icon("sidebar", theme.muted))
        self._back.setIcon(icon("chevron-left", theme.muted))

    def offer_sidebar(self, offered: bool) -> None:
        """Whether there is a sidebar to show; its chats lead back."""
        self._sidebar.setVisible(offered)
        self._back.setVisible(offered)

    def show_computer(self, hardware: Hardware) -> None:
        """Say what this computer has."""
        self._computer.setText(computer_words(hardware))

    def stop_looking(self) -> None:
        """What is on this computer is known, or could not be read."""
        self._looking.hide()

    def show_kept(self, kept: Sequence[KeptModel], in_use: str) -> None:
        """Show the models on this computer; `in_use` is the id of the one in use, or ""."""
        self.stop_looking()
        self._empty.setVisible(not kept)
        self.kept.show_kept(kept, in_use)

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
        narrow = self.width() < NARROW
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._top.setDirection(down if narrow else right)
        margin = (MARGIN // 2 if narrow else MARGIN) - OVERHANG
        self._margins.setContentsMargins(margin, 0, margin, 0)


def _inset(*parts: QWidget | QVBoxLayout) -> QVBoxLayout:
    """A column that begins where the words of the rows do."""
    column = QVBoxLayout()
    column.setContentsMargins(OVERHANG, 0, OVERHANG, 0)
    column.setSpacing(16)
    for part in parts:
        if isinstance(part, QWidget):
            column.addWidget(part)
        else:
            column.addLayout(part)
    return column


def _tool(name: str) -> QToolButton:
    button = QToolButton()
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setFixedSize(36, 36)
    button.setIconSize(ICON_SIZE)
    return button
