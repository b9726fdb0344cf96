"""The settings: a list of pages, each with few fields and good defaults."""

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QIcon, QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.fields import plain_button
from chatdesk.ui.widgets.fitting import fit_dialog
from chatdesk.ui.widgets.scroll import scrolling

SIZE = (760, 620)
LIST_WIDTH, ICONS_WIDTH = 190, 62
_NARROW = 540  # pixels below which the list has only its icons
_P = TypeVar("_P", bound=SettingsPage)


class SettingsDialog(QDialog):
    """Changes hold at once. `pages` are in the order of the list."""

    def __init__(self, pages: Sequence[SettingsPage], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Settings"))
        fit_dialog(self, *SIZE)
        self.pages = pages
        self._list = _PageList()
        self._stack = QStackedWidget()
        self._build()
        self.set_theme(theme)
        self._list.setCurrentRow(0)

    def page(self, kind: type[_P]) -> _P:
        """The page of this class."""
        return next(page for page in self.pages if isinstance(page, kind))

    def show_page(self, page_id: str) -> None:
        """Turn to the page of a section."""
        sections = [page.section for page in self.pages]
        self._list.setCurrentRow(sections.index(page_id))

    def _turn_to(self, row: int) -> None:
        self._stack.setCurrentIndex(row)
        self.pages[row].turned_to()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._list.setIconSize(icon_size())  # as large as the one that is selected
        for row, page in enumerate(self.pages):
            drawn = icon(page.icon, theme.muted)
            shown = QIcon(drawn)  # Qt would tint it where it is selected
            pixmap = drawn.pixmap(icon_size(), self.devicePixelRatioF())
            shown.addPixmap(pixmap, QIcon.Mode.Selected)
            self._list.item(row).setIcon(shown)
            page.set_theme(theme)

    def done(self, result: int) -> None:
        """Close, with what was typed last."""
        for page in self.pages:
            page.finish()
        super().done(result)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the titles of the pages where there is room."""
        super().resizeEvent(event)
        narrow = self.width() < scaled(_NARROW)
        self._list.setFixedWidth(scaled(ICONS_WIDTH if narrow else LIST_WIDTH))
        for row, page in enumerate(self.pages):
            item = self._list.item(row)
            item.setText("" if narrow else page.title)
            item.setToolTip(page.title if narrow else "")

    def _build(self) -> None:
        self._list.setObjectName("pages")
        self._list.setAccessibleName(tr("Pages of the settings"))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for page in self.pages:
            item = QListWidgetItem(page.title)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, page.title)
            self._list.addItem(item)
            self._stack.addWidget(scrolling(page, steady=True))
        self._list.currentRowChanged.connect(self._turn_to)
        close = plain_button(tr("Close"))
        close.setDefault(False)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(28, 12, 28, 18)
        buttons.addStretch(1)
        buttons.addWidget(close)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._stack, 1)
        right.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._list)
        row.addLayout(right, 1)


class _PageList(QListWidget):
    """The titles; the frame of the focus is for who came by the keyboard."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        reason = Qt.FocusReason
        by_key = event.reason() in (reason.TabFocusReason, reason.BacktabFocusReason)
        set_class(self, "by-key" if by_key else "")
        super().focusInEvent(event)
