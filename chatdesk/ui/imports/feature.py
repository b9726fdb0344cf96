"""The import as the window sees it: a page, and a way to it from the first-run screen."""

from functools import partial

from chatdesk.core.i18n import tr
from chatdesk.ui.feature import Feature, Host, Page
from chatdesk.ui.imports.controller import ImportController
from chatdesk.ui.imports.invitation import ImportInvitation
from chatdesk.ui.navigator import PageId
from chatdesk.ui.theme import Theme


class ImportFeature(Feature):
    """Brings chats home from other apps."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._controller = ImportController(host.bridge, host.navigator, host.notice, host.window)
        self._controller.stood.connect(partial(self.status_changed.emit, PageId.IMPORT))
        page, title = self._controller.page, tr("Import chats")
        self.pages = (Page(PageId.IMPORT, title, "download", page, ends_chats=True),)
        self.welcome = self._invitation = ImportInvitation(host.bridge)
        self._invitation.accepted.connect(partial(host.navigator.show, PageId.IMPORT))

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._controller.set_theme(theme)
        self._invitation.set_theme(theme)
