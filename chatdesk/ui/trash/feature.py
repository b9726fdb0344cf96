"""The trash as the window sees it: a page, and how many chats are in it."""

from functools import partial

from chatdesk.core.i18n import tr
from chatdesk.ui.feature import Feature, Host, Page
from chatdesk.ui.navigator import PageId
from chatdesk.ui.theme import Theme
from chatdesk.ui.trash.controller import TrashController


class TrashFeature(Feature):
    """Brings deleted chats back, or deletes them for good."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._controller = TrashController(host.bridge, host.navigator, host.notice, host.window)
        self._controller.counted.connect(partial(self.status_changed.emit, PageId.TRASH))
        page, title = self._controller.page, tr("Recently deleted")
        self.pages = (Page(PageId.TRASH, title, "trash", page, ends_chats=True),)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._controller.set_theme(theme)
