"""Between what finds models and the services: search, open, judge, recommend, begin to fetch."""

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.i18n import current_language, tr, trn
from chatdesk.core.library import CatalogEntry, DownloadState, Estimate, HubRepository, Variant
from chatdesk.services.hub.facts import DownloadsChanged
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.models.download_words import FileKey, file_key, summary_of
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # made and imported when they are opened; SQLAlchemy comes with the services
    from chatdesk.services.app import App
    from chatdesk.ui.models.hub.catalog_list import CatalogList
    from chatdesk.ui.models.hub.search import HubSearch

Recommended = tuple[CatalogEntry, Estimate]
Taken = tuple[set[FileKey], set[FileKey]]  # what is being fetched, and what is kept


class HubController(QObject):
    """Makes its widgets when they are asked for first; `set_theme` comes before.

    `notice` is where something is told so that it is seen. `recommended` carries a `CatalogEntry`
    that is better than the model in use, its `Estimate` and the sentence about it.
    """

    settings_requested = Signal()
    recommended = Signal(object, object, str)

    def __init__(self, bridge: Bridge, notice: Callable[[], Notice]) -> None:
        super().__init__()
        self._bridge = bridge
        self._notice = notice
        self._services: App | None = None
        self._theme: Theme | None = None
        self._search_made: HubSearch | None = None
        self._catalog_made: CatalogList | None = None
        self._pending: Callable[[], None] | None = None  # what is asked once the services are there
        self._question = 0  # the number of what was asked last; answers to others are dropped
        self._marking = 0  # likewise of what is read to mark what is taken
        bridge.subscribe(ModelsChanged, self._on_models)
        bridge.subscribe(DownloadsChanged, self._on_downloads)

    @cached_property
    def search(self) -> "HubSearch":
        """The field and what was found."""
        from chatdesk.ui.models.hub.search import HubSearch

        assert self._theme
        search = self._search_made = HubSearch(self._theme)
        search.search_requested.connect(self._search)
        search.open_requested.connect(self._open)
        search.cancelled.connect(self._ask_nothing)
        search.download_requested.connect(self._fetch)
        search.settings_requested.connect(self.settings_requested)
        self._mark_taken()
        return search

    @cached_property
    def catalog(self) -> "CatalogList":
        """The recommended models."""
        from chatdesk.ui.models.hub.catalog_list import CatalogList

        catalog = self._catalog_made = CatalogList()
        catalog.download_requested.connect(self._fetch_entry)
        catalog.newer_requested.connect(self._look_for_newer)
        self._show_catalog()
        self._mark_taken()
        return catalog

    def attach(self, services: "App") -> None:
        """The services are there."""
        self._services = services
        self._suggest()
        self._show_catalog()
        self._mark_taken()
        if self._pending:
            self._pending()

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self._theme = theme
        if self._search_made:
            self._search_made.set_theme(theme)

    def _on_models(self, _fact: ModelsChanged) -> None:
        """What is on this computer need not be fetched."""
        self._mark_taken()

    def _on_downloads(self, _fact: DownloadsChanged) -> None:
        """Likewise what is being fetched."""
        self._mark_taken()

    # Finding

    def _search(self, words: str, sort: str) -> None:
        if services := self._services:
            self._ask(partial(services.hub.search, words, sort), self.search.show_models)
        else:
            self._pending = partial(self._search, words, sort)

    def _open(self, repo_or_link: str) -> None:
        if services := self._services:
            self._ask(partial(services.hub.open, repo_or_link), self._judge)
        else:
            self._pending = partial(self._open, repo_or_link)

    def _judge(self, repository: HubRepository) -> None:
        self.search.show_repository(repository)
        if services := self._services:
            work = partial(services.hub.judge, repository)
            self._ask(work, partial(self.search.show_judged, repository))

    def _ask(self, work: Callable[[], object], show: Callable[..., None]) -> None:
        self._question += 1
        question = self._question

        def done(found: object) -> None:
            if question == self._question:
                show(found)

        def failed(problem: EnvironmentProblem) -> None:
            if question == self._question:
                self.search.show_problem(problem)

        self._bridge.run(work, done, failed, patient=True)

    def _ask_nothing(self) -> None:
        self._question += 1
        self._pending = None

    # Recommending

    def _suggest(self) -> None:
        services = self._services
        assert services
        hub, engine = services.hub, services.engine

        def show(best: Recommended | None) -> None:
            model = engine.status.model
            if best and model and model.header.parameters < best[0].parameters:
                self.recommended.emit(*best, summary_of(best[0], current_language()))

        self._bridge.run(hub.recommended, show)

    def _show_catalog(self) -> None:
        services = self._services
        if services and self._catalog_made:
            hub, catalog = services.hub, self._catalog_made

            def show(read: tuple[tuple[Recommended, ...], Recommended | None]) -> None:
                entries, best = read
                catalog.show_entries(entries, best and best[0])

            self._bridge.run(lambda: (hub.catalog(), hub.recommended()), show, patient=True)

    def _look_for_newer(self) -> None:
        services = self._services
        if services is None:
            return

        def done(new: int) -> None:
            self._show_catalog()
            self.catalog.show_looked(
                trn("{n} model is new in the list.", "{n} models are new in the list.", new)
                if new
                else tr("This is the newest list.")
            )

        def failed(problem: EnvironmentProblem) -> None:
            self.catalog.show_looked(str(problem), failed=True)

        self.catalog.show_looking()
        self._bridge.run(services.hub.update_catalog, done, failed, patient=True)

    # Fetching

    def _fetch(self, repository: HubRepository, variant: Variant) -> None:
        if services := self._services:
            start = services.downloads.start
            work = partial(start, repository.model.repo, repository.revision, variant)
            self._bridge.run(work, None, self._tell)

    def _fetch_entry(self, entry: CatalogEntry) -> None:
        services = self._services
        if services is None:
            return

        def work() -> None:
            repository = services.hub.open(entry.repo)
            for variant in repository.variants:
                if entry.file in (file.path for file in variant.files):
                    services.downloads.start(entry.repo, repository.revision, variant)
                    return
            raise NotFound(
                tr("{name} is not where the list says any more.", name=entry.name),
                tr("Look for a newer list, or search for it."),
            )

        def failed(problem: EnvironmentProblem) -> None:
            self._mark_taken()
            self._tell(problem)

        self.catalog.mark_asking(entry)
        self._bridge.run(work, None, failed, patient=True)

    def _tell(self, problem: EnvironmentProblem) -> None:
        self._notice().show_problem(problem)

    def _mark_taken(self) -> None:
        """Read what is being fetched and what is kept, and mark it wherever it is offered."""
        services = self._services
        parts = [each for each in (self._search_made, self._catalog_made) if each]
        if services is None or not parts:
            return

        self._marking += 1
        marking = self._marking

        def show(taken: Taken) -> None:
            if marking == self._marking:
                for part in parts:
                    part.mark_taken(*taken)

        self._bridge.run(partial(_read_taken, services), show, patient=True)


def _read_taken(services: "App") -> Taken:
    """The files that are being fetched, and those of repositories that are kept."""
    downloads, kept = services.downloads.list(), services.models.kept()
    fetching = [each for each in downloads if each.state is not DownloadState.DONE]
    return (
        {file_key(each.repo, each.files[0].path) for each in fetching},
        {(each.notes.repo, Path(each.model.path).name) for each in kept},
    )
