"""Between the Models page and the services: what is kept, and what can be done with it."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.services.facts import EngineChanged, ModelsChanged, QuantizingChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.downloads_controller import DownloadsController
from chatdesk.ui.hub_controller import HubController
from chatdesk.ui.notice import Notice
from chatdesk.ui.theme import Theme

if TYPE_CHECKING:  # made and imported when they are opened; SQLAlchemy comes with the services
    from chatdesk.core.library import KeptModel, Quantizing
    from chatdesk.library.hardware import Hardware
    from chatdesk.services.app_services import AppServices
    from chatdesk.ui.library_searches import LibrarySearches
    from chatdesk.ui.model_actions import ModelActions
    from chatdesk.ui.models_page import ModelsPage

    Found = tuple[tuple[KeptModel, ...], Hardware]


class ModelsPageController(QObject):
    """Makes the page when it is opened first; `set_theme` comes before.

    `hub` and `downloads` give the parts of the page that are theirs. `chat_requested` and
    `options_requested` carry a `ModelFile`.
    """

    open_requested = Signal()
    back_requested = Signal()
    sidebar_requested = Signal()
    add_requested = Signal()
    chat_requested = Signal(object)
    options_requested = Signal(object)
    personalize_requested = Signal()

    def __init__(
        self,
        bridge: Bridge,
        hub: HubController,
        downloads: DownloadsController,
        notice: Notice,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._hub = hub
        self._downloads = downloads
        self._chats_notice = notice
        self._services: AppServices | None = None
        self._theme: Theme | None = None
        self._page: ModelsPage | None = None
        self._actions: ModelActions | None = None
        self._searches: LibrarySearches | None = None
        self._offers_sidebar = False
        self._kept: tuple[KeptModel, ...] | None = None
        self._in_use: ModelFile | None = None
        self._reads = False  # one reading at a time; what changes meanwhile is read after it
        self._read_again = False

    def attach(self, services: "AppServices") -> None:
        """The services are there."""
        self._services = services
        self._in_use = services.engine.status.model
        if self._page:
            self._serve(self._page)
            self._read()

    def page(self) -> "ModelsPage":
        """The page, with everything read anew."""
        if self._page is None:
            self._page = self._make_page()
        self._read()
        return self._page

    def offer_sidebar(self, offered: bool) -> None:
        """Whether there is a sidebar to show."""
        self._offers_sidebar = offered
        if self._page:
            self._page.offer_sidebar(offered)

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self._theme = theme
        for part in (self._page, self._actions, self._searches):
            if part:
                part.set_theme(theme)

    @property
    def notice(self) -> Notice:
        """Where something is told so that it is seen."""
        page = self._page
        return page.notice if page and page.isVisible() else self._chats_notice

    # Facts

    def on_models(self, _fact: ModelsChanged) -> None:
        """There are others, or something else is known of one."""
        if self._page:
            self._read()

    def on_engine(self, fact: EngineChanged) -> None:
        """Another model may be in use."""
        if fact.status.model != self._in_use:
            self._in_use = fact.status.model
            self._show()

    def on_quantizing(self, fact: QuantizingChanged) -> None:
        """A model that is made smaller has come further."""
        seen = self._searches is not None and self._searches.show_quantizing(fact.progress)
        if not seen and not fact.progress.is_running:
            self._tell_end(fact.progress)

    def _tell_end(self, progress: "Quantizing") -> None:
        name, result = progress.model.header.name, progress.result
        if result:
            self.notice.show_words(
                tr("The smaller “{name}” is ready, as {type}.", name=name, type=progress.type),
                "",
                tr("Models"),
                self.open_requested.emit,
            )
        elif progress.problem:
            what = tr("“{name}” could not be made smaller.", name=name)
            self.notice.show_problem(EnvironmentProblem(what, progress.problem))

    # The page

    def _make_page(self) -> "ModelsPage":
        from chatdesk.ui.models_page import ModelsPage

        assert self._theme
        hub, downloads = self._hub, self._downloads
        page = ModelsPage(self._theme, hub.search, downloads.view, hub.catalog)
        for signal, request in (
            (page.add_requested, self.add_requested),
            (page.back_requested, self.back_requested),
            (page.sidebar_requested, self.sidebar_requested),
        ):
            signal.connect(request)
        page.offer_sidebar(self._offers_sidebar)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        # A disk may have come back, or a file gone, while another app was in front.
        app.applicationStateChanged.connect(self._on_application_state)
        self._serve(page)
        return page

    def _serve(self, page: "ModelsPage") -> None:
        from chatdesk.ui.library_searches import LibrarySearches
        from chatdesk.ui.model_actions import ModelActions

        if self._services is None:
            return
        assert self._theme
        actions = self._actions = ModelActions(self._bridge, self._services, page, self._theme)
        searches = self._searches = LibrarySearches(self._bridge, self._services, page, self._theme)
        for signal, slot in (
            (actions.chat_requested, self.chat_requested),
            (actions.options_requested, self.options_requested),
            (actions.personalize_requested, self.personalize_requested),
            (actions.shrink_requested, searches.open_shrink),
            (actions.duplicates_requested, searches.open_duplicates),
            (searches.chat_requested, self.chat_requested),
            (searches.delete_requested, actions.delete),
        ):
            signal.connect(slot)

    def _on_application_state(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive and self._page and self._page.isVisible():
            self._read()

    def _read(self) -> None:
        services = self._services
        self._read_again = self._reads
        if services and not self._reads:
            self._reads = True
            work = partial(_look, services)
            self._bridge.run(work, self._take, self._tell_unread, patient=True)

    def _take(self, found: "Found") -> None:
        self._kept, hardware = found
        if self._page:
            self._page.show_computer(hardware)
        self._show()
        self._end_reading()

    def _tell_unread(self, problem: EnvironmentProblem) -> None:
        if self._page:
            self._page.stop_looking()
        self.notice.show_problem(problem, tr("Try again"), self._read)
        self._end_reading()

    def _end_reading(self) -> None:
        self._reads = False
        if self._read_again:
            self._read()

    def _show(self) -> None:
        if self._page and self._kept is not None:
            self._page.show_kept(self._kept, self._in_use.id if self._in_use else "")


def _look(services: "AppServices") -> "Found":
    """What is kept, and what this computer has; not on the window's thread."""
    from chatdesk.library.hardware import read_hardware

    return services.models.kept(), read_hardware()
