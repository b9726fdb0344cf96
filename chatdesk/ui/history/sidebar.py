"""The sidebar: new chat, find a chat, the chats, the other pages and the settings."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QVBoxLayout,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.feature import Page
from chatdesk.ui.history.conversation_list import ConversationList
from chatdesk.ui.history.conversation_list_model import ConversationListModel, ListRole
from chatdesk.ui.history.row_menus import RowMenus
from chatdesk.ui.history.rows import ChatRow, FolderRow
from chatdesk.ui.icons import icon, show_icon
from chatdesk.ui.shortcuts import Keys, with_keys
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.buttons import PictureButton
from chatdesk.ui.widgets.fading_edges import FadingEdges
from chatdesk.ui.widgets.menus import open_menu
from chatdesk.ui.widgets.search_field import SearchField
from chatdesk.ui.widgets.tag import Tag, Tone


class _PageButton(QPushButton):
    """Leads to a page of the window; beside its title, how the feature stands."""

    def __init__(self, page: Page) -> None:
        super().__init__(page.title)
        self.page = page
        self._status = Tag()
        self.setVisible(not page.ends_chats)
        inside = QHBoxLayout(self)
        inside.setContentsMargins(0, 0, 8, 0)
        inside.addWidget(self._status, 0, Qt.AlignmentFlag.AlignRight)

    def show_status(self, words: str) -> None:
        """Show a status in few words; nothing for ""."""
        self._status.show_words(words, Tone.PLAIN if self.page.ends_chats else Tone.GOOD)
        self.setAccessibleDescription(words)
        if self.page.ends_chats:
            self.setVisible(bool(words))


class Sidebar(QFrame):
    """Requests go up; the list and the pages that have a button are given from outside.

    `page_requested` carries a page's id.
    """

    new_chat_requested = Signal()
    open_requested = Signal(str)
    delete_requested = Signal(str)
    hide_requested = Signal()
    page_requested = Signal(str)
    settings_requested = Signal()

    def __init__(self, model: ConversationListModel, pages: Sequence[Page], theme: Theme) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self._model = model
        self._theme = theme
        self.menus = RowMenus(self)
        self._current: str | None = None
        self._new = QPushButton(tr("New chat"))
        self._hide = PictureButton(with_keys(tr("Hide the sidebar"), Keys.SIDEBAR))
        self._search = SearchField(tr("Search all chats"), theme)
        self._list = ConversationList(model, theme)
        self._empty = QLabel(tr("Your chats will be listed here."))
        self._pages = {page.id: _PageButton(page) for page in pages}
        self._settings = QPushButton(tr("Settings"))
        self._build()
        self._connect()
        self.set_theme(theme)
        self._after_reset()

    def _build(self) -> None:
        self._new.setToolTip(with_keys(tr("New chat"), Keys.NEW_CHAT))
        self._search.setAccessibleName(tr("Search the titles and messages of all chats"))
        self._search.setClearButtonEnabled(True)
        FadingEdges(self._list, QPalette.ColorRole.AlternateBase)  # the ground of the sidebar
        self._list.setAccessibleName(tr("Chats"))
        self._empty.setWordWrap(True)
        self._empty.setContentsMargins(8, 16, 8, 0)
        set_class(self._empty, "small")
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._new, 1)
        top.addWidget(self._hide)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._search)
        layout.addWidget(self._empty)
        layout.addWidget(self._list, 1)
        bottom = QVBoxLayout()
        bottom.setSpacing(1)
        by_place = sorted(self._pages.values(), key=lambda button: not button.page.ends_chats)
        for button in (*by_place, self._settings):
            set_class(button, "row")
            bottom.addWidget(button)
        layout.addLayout(bottom)
        set_class(self._new, "new")

    def _connect(self) -> None:
        self._new.clicked.connect(self.new_chat_requested)
        self._hide.clicked.connect(self.hide_requested)
        for page_id, button in self._pages.items():
            button.clicked.connect(partial(self._ask_for_page, page_id))
        self._settings.clicked.connect(self.settings_requested)
        self._list.clicked.connect(self._open_index)
        self._list.open_requested.connect(self.open_requested)
        self._list.delete_requested.connect(self.delete_requested)
        self._list.menu_requested.connect(self._open_menu)
        self._list.project_wanted.connect(partial(self.menus.new_project_requested.emit, ()))
        self.menus.rename_requested.connect(self.rename)
        self.menus.delete_requested.connect(self.delete_requested)
        self._model.modelReset.connect(self._after_reset)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        for button, name in (
            (self._new, "plus"),
            *((button, button.page.icon) for button in self._pages.values()),
            (self._settings, "settings"),
        ):
            show_icon(button, name, theme.text)
        self._hide.setIcon(icon("sidebar", theme.muted))
        self._search.set_theme(theme)
        self._list.set_theme(theme)

    def select(self, conversation_id: str | None) -> None:
        """Mark the open conversation."""
        self._current = conversation_id
        row = self._model.row_of(conversation_id)
        if row < 0:
            self._list.clearSelection()
            self._list.setCurrentIndex(QModelIndex())
        else:
            self._list.setCurrentIndex(self._model.index(row))

    def show_status(self, page_id: str, words: str) -> None:
        """Show a feature's status beside the button of its page; nothing for ""."""
        self._pages[page_id].show_status(words)

    def mark_page(self, shown: str) -> None:
        """Mark the page that the window shows."""
        for page_id, button in self._pages.items():
            set_class(button, "row-chosen" if page_id == shown else "row")

    def rename(self, key: str) -> None:
        """Edit the title of a chat, or a project's name, in place."""
        self._model.reveal(key)
        row = self._model.row_of(key)
        if row >= 0:
            self._list.setFocus()
            self._list.setCurrentIndex(self._model.index(row))
            self._list.edit(self._model.index(row))

    @property
    def is_renaming(self) -> bool:
        """True while a title is being edited in place."""
        return self._list.state() == QAbstractItemView.State.EditingState

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    @property
    def search_field(self) -> QLineEdit:
        """Where one types what to find."""
        return self._search

    def _ask_for_page(self, page_id: str, _checked: bool = False) -> None:
        self.page_requested.emit(page_id)

    def _after_reset(self) -> None:
        self.select(self._current)
        nothing = self._model.rowCount() == 0
        self._empty.setVisible(nothing and self._model.is_known)

    def _open_index(self, index: QModelIndex) -> None:
        several = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        row = index.data(ListRole.ROW)
        if QApplication.keyboardModifiers() & several:  # it is being chosen with others
            return
        if isinstance(row, FolderRow):
            self._model.open_folder(row.key, not row.is_open)
        elif isinstance(row, ChatRow):
            self.open_requested.emit(row.chat.id)

    def menu_of(self, index: QModelIndex) -> QMenu:
        """Return the menu of a row; that of all chosen chats if it is one of them."""
        row = index.data(ListRole.ROW)
        if isinstance(row, FolderRow) and row.project:
            return self.menus.of_project(row.project, self._theme, self)
        chosen = self._list.chosen
        ids = chosen if index.data(ListRole.ID) in chosen else (index.data(ListRole.ID),)
        chats = [chat for each in ids if (chat := self._model.chat(each))]
        return self.menus.of_chats(chats, self._model.projects, self)

    def _open_menu(self, index: QModelIndex, at: QPoint) -> None:
        menu = self.menu_of(index)
        self._list.keep_more(QPersistentModelIndex(index))
        menu.aboutToHide.connect(self._menu_closed)
        viewport = self._list.viewport()
        open_menu(menu, viewport, QRect(viewport.mapFromGlobal(at), QSize(0, 0)), once=True)

    def _menu_closed(self) -> None:
        self._list.keep_more(None)
        if not self.is_renaming and len(self._list.chosen) < 2:
            self.select(self._current)  # a right click has moved the mark
