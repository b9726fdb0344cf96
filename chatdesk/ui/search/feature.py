"""The search as the window sees it: a page that comes as one types in the sidebar's field."""

from PySide6.QtWidgets import QLineEdit

from chatdesk.core.i18n import tr
from chatdesk.ui.feature import Feature, Host, Page
from chatdesk.ui.navigator import PageId
from chatdesk.ui.search.controller import SearchController
from chatdesk.ui.theme import Theme


class SearchFeature(Feature):
    """Finds words in all chats."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._controller = SearchController(host.bridge, host.navigator, host.notice, host.window)
        page, title = self._controller.page, tr("Search")
        self.pages = (Page(PageId.SEARCH, title, "search", page, ends_chats=True),)

    def take_words_of(self, field: QLineEdit) -> None:
        """Search what is typed in this field."""
        self._controller.take_words_of(field)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._controller.set_theme(theme)
