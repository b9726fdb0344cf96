"""Personalization as the window sees it: a page, and how far learning is."""

from functools import partial
from typing import TYPE_CHECKING

from chatdesk.core.i18n import tr
from chatdesk.ui.feature import Feature, Host, Page
from chatdesk.ui.navigator import PageId
from chatdesk.ui.personalize.controller import PersonalizeController
from chatdesk.ui.personalize.learning_status import LearningStatus
from chatdesk.ui.theme import Theme

if TYPE_CHECKING:  # imported when the page is shown
    from chatdesk.ui.widgets.page import PageView


class PersonalizeFeature(Feature):
    """Teaches the model, and shows what came of it."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._controller = controller = PersonalizeController(
            host.bridge, host.navigator, host.title_of, host.notice, host.window
        )
        self._status = LearningStatus(
            host.bridge,
            partial(self.status_changed.emit, PageId.PERSONALIZE),
            lambda: controller.is_looked_at,
        )
        self.pages = (Page(PageId.PERSONALIZE, tr("Personalize"), "leaf", self._make_page),)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._controller.set_theme(theme)

    def _make_page(self) -> "PageView":
        self._status.seen()
        return self._controller.page()
