"""Models as the window sees them: a page, and the options of one model."""

from functools import partial

from chatdesk.core.i18n import tr
from chatdesk.ui.feature import Feature, Host, Page
from chatdesk.ui.models.controller import ModelsController
from chatdesk.ui.models.options.controller import ModelOptionsController
from chatdesk.ui.models.suggestion.card import SuggestionCard
from chatdesk.ui.models.suggestion.controller import SuggestionController
from chatdesk.ui.navigator import PageId
from chatdesk.ui.theme import Theme


class ModelsFeature(Feature):
    """Finds, downloads and keeps models."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        bridge, navigator, window = host.bridge, host.navigator, host.window
        self._options = ModelOptionsController(bridge, host.settings, window)
        self._controller = ModelsController(bridge, navigator, host.settings, host.notice, window)
        self.welcome = self._card = SuggestionCard()
        self._suggestion = SuggestionController(bridge, navigator, self._card)
        self.pages = (Page(PageId.MODELS, tr("Models"), "cube", self._controller.page, "Ctrl+M"),)
        navigator.options_requested.connect(self._options.open)
        self._said = {"downloads": "", "smaller": ""}
        self._controller.downloads.status_changed.connect(partial(self._say, "downloads"))
        self._controller.status_changed.connect(partial(self._say, "smaller"))

    def _say(self, of: str, words: str) -> None:
        """Show what goes on beside the page's button: a download, or else the other."""
        self._said[of] = words
        said = self._said["downloads"] or self._said["smaller"]
        self.status_changed.emit(PageId.MODELS, said)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._options.set_theme(theme)
        self._card.set_theme(theme)
        self._controller.set_theme(theme)
