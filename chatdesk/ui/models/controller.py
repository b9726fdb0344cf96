"""Between the Models page and the services: what is kept, and what can be done with it."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.services.machine.facts import MachineMeasured
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.services.quantize.facts import QuantizingChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.models.downloads.controller import DownloadsController
from chatdesk.ui.models.hub.controller import HubController
from chatdesk.ui.models.words import shrink_status_words
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.page_controller import PageController
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when they are made
    from chatdesk.core.model_files import KeptModel
    from chatdesk.core.quantizing import Quantizing
    from chatdesk.library.machine.hardware import Hardware
    from chatdesk.ui.models.library.actions import ModelActions
    from chatdesk.ui.models.library.searches import LibrarySearches
    from chatdesk.ui.models.page import ModelsPage

    Found = tuple[tuple[KeptModel, ...], Hardware]


class ModelsController(PageController["ModelsPage"]):
    """`hub` and `downloads` give the parts of the page that are theirs.

    `status_changed` reports a model that is being made smaller in few words, "" for none.
    """

    status_changed = Signal(str)

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        settings: SettingsValue,
        notice: Notice,
        window: QWidget,
    ) -> None:
        super().__init__(bridge, navigator, notice, window)
        self._settings = settings
        self.hub = HubController(bridge, navigator, lambda: self.notice)
        self.downloads = DownloadsController(bridge, navigator, lambda: self.notice)
        self._actions: ModelActions | None = None
        self._searches: LibrarySearches | None = None
        self._kept: tuple[KeptModel, ...] | None = None
        self._in_use: ModelFile | None = None
        self._reads = False  # one reading at a time; what changes meanwhile is read after it
        self._read_again = False
        bridge.subscribe(ModelsChanged, self._on_models)
        bridge.subscribe(MachineMeasured, self._on_measured)
        bridge.subscribe(EngineChanged, self._on_engine)
        bridge.subscribe(QuantizingChanged, self._on_quantizing)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        super().set_theme(theme)
        self.hub.set_theme(theme)
        for part in (self._actions, self._searches):
            if part:
                part.set_theme(theme)

    # Facts

    def _on_models(self, _fact: ModelsChanged) -> None:
        """There are others, or something else is known of one."""
        if self._page:
            self._read()

    def _on_measured(self, _fact: MachineMeasured) -> None:
        """This computer makes something else of them."""
        if self._page:
            self._read()

    def _on_engine(self, fact: EngineChanged) -> None:
        """Another model may be in use."""
        if fact.status.model != self._in_use:
            self._in_use = fact.status.model
            self._show()

    def _on_quantizing(self, fact: QuantizingChanged) -> None:
        """A model that is made smaller has come further."""
        self.status_changed.emit(shrink_status_words(fact.progress))
        seen = self._searches is not None and self._searches.show_quantizing(fact.progress)
        if not seen and not fact.progress.is_running:
            self._notify_end(fact.progress)

    def _notify_end(self, progress: "Quantizing") -> None:
        name, result = progress.model.header.name, progress.result
        if result:
            self.notice.show_words(
                tr("The smaller “{name}” is ready, as {type}.", name=name, type=progress.type),
                "",
                tr("Models"),
                partial(self._navigator.show, PageId.MODELS),
            )
        elif progress.problem:
            what = tr("“{name}” could not be made smaller.", name=name)
            self.notice.show_problem(EnvironmentProblem(what, progress.problem))

    # The page

    def _make_page(self, theme: Theme) -> "ModelsPage":
        from chatdesk.ui.models.library.actions import ModelActions
        from chatdesk.ui.models.library.searches import LibrarySearches
        from chatdesk.ui.models.page import ModelsPage

        hub, downloads, navigator = self.hub, self.downloads, self._navigator
        page = ModelsPage(theme, hub.search, downloads.view, hub.catalog)
        actions = self._actions = ModelActions(self._bridge, navigator, self._settings, page, theme)
        searches = self._searches = LibrarySearches(self._bridge, navigator, page, theme)
        for signal, slot in (
            (page.add_requested, navigator.pick_model_file),
            (actions.shrink_requested, searches.open_shrink),
            (actions.duplicates_requested, searches.open_duplicates),
            (searches.delete_requested, actions.delete),
        ):
            signal.connect(slot)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        # A disk may have come back, or a file gone, while another app was in front.
        app.applicationStateChanged.connect(self._on_application_state)
        return page

    def _on_application_state(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive and self._page and self._page.isVisible():
            self._read()

    def _read(self) -> None:
        from chatdesk.library.machine.hardware import read_hardware

        self._read_again = self._reads
        if not self._reads:
            self._reads = True
            self._bridge.run(
                lambda app: (app.models.kept(), read_hardware()),
                self._take,
                self._notify_unread,
                patient=True,
            )

    def _take(self, found: "Found") -> None:
        self._kept, hardware = found
        if self._page:
            self._page.show_computer(hardware)
        self._show()
        self._end_reading()

    def _notify_unread(self, problem: EnvironmentProblem) -> None:
        if self._page:
            self._page.stop_looking()
        self.notice.show_problem(problem, tr("Try again"), self._read)
        self._end_reading()

    def _end_reading(self) -> None:
        self._reads = False
        if self._read_again:
            self._read()

    def _show(self) -> None:
        if self._page and self._actions and self._kept is not None:
            self._page.show_kept(self._kept, self._in_use.id if self._in_use else "")
            self._actions.renew(self._kept)
