"""Between what finds models and the services: search, open, judge, recommend, begin to fetch."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.hub import CatalogEntry, HubRepository, Variant
from chatdesk.core.i18n import tr, trn
from chatdesk.core.model_files import Estimate, KeptModel
from chatdesk.services.hub.facts import DownloadsChanged
from chatdesk.services.machine.facts import MachineMeasured
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.models.download_words import FileKey, file_key
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when they are made
    from chatdesk.ui.models.hub.catalog_list import CatalogList
    from chatdesk.ui.models.hub.search import HubSearch

_T = TypeVar("_T")
_KEY = "hub"
Recommended = tuple[CatalogEntry, Estimate]
Taken = tuple[set[FileKey], set[FileKey]]  # what is being fetched, and what is kept


class HubController(QObject):
    """Makes its widgets on demand; `set_theme` comes before.

    `notice` is a place where a message is seen.
    """

    def __init__(self, bridge: Bridge, navigator: Navigator, notice: Callable[[], Notice]) -> None:
        super().__init__()
        self._bridge = bridge
        self._navigator = navigator
        self._notice = notice
        self._theme: Theme | None = None
        self._search_made: HubSearch | None = None
        self._catalog_made: CatalogList | None = None
        self._question = 0  # the number of what was asked last; answers to others are dropped
        self._marking = 0  # likewise of what is read to mark what is taken
        bridge.opened.connect(self._begin)
        bridge.subscribe(MachineMeasured, self._on_measured)
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
        search.settings_requested.connect(
            lambda: self._navigator.show_settings(SettingsId.DOWNLOADS)
        )
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

    def _begin(self) -> None:
        self._show_catalog()
        self._mark_taken()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        if self._search_made:
            self._search_made.set_theme(theme)

    def _on_measured(self, _fact: MachineMeasured) -> None:
        """Say anew how models would run."""
        self._show_catalog()
        if self._search_made and (repository := self._search_made.repository.shown):
            self._ask_how(repository)

    def _on_models(self, _fact: ModelsChanged) -> None:
        """Update the marks: models on this computer need not be fetched."""
        self._mark_taken()

    def _on_downloads(self, _fact: DownloadsChanged) -> None:
        """Likewise what is being fetched."""
        self._mark_taken()

    # Finding

    def _search(self, words: str, sort: str) -> None:
        self._ask(lambda app: app.hub.search(words, sort), self.search.show_models)

    def _open(self, repo_or_link: str) -> None:
        self._ask(lambda app: app.hub.open(repo_or_link), self._judge)

    def _judge(self, repository: HubRepository) -> None:
        self.search.show_repository(repository)
        self._ask_how(repository)

    def _ask_how(self, repository: HubRepository) -> None:
        show = partial(self.search.show_judged, repository)
        self._ask(lambda app: app.hub.judge(repository), show)

    def _ask(self, work: Work[_T], show: Callable[[_T], None]) -> None:
        self._question += 1
        question = self._question

        def is_asked() -> bool:  # no longer, perhaps, when the services are open
            return question == self._question

        def done(found: _T | None) -> None:
            self._on_reached()
            if found is not None and is_asked():
                show(found)

        def failed(problem: EnvironmentProblem) -> None:
            if is_asked():
                self.search.show_problem(problem)

        self._bridge.run(lambda app: work(app) if is_asked() else None, done, failed, patient=True)

    def _ask_nothing(self) -> None:
        self._question += 1

    # Recommending

    def _show_catalog(self) -> None:
        catalog = self._catalog_made
        if catalog is None:
            return

        def show(read: tuple[tuple[Recommended, ...], Recommended | None]) -> None:
            entries, best = read
            catalog.show_entries(entries, best and best[0])

        self._bridge.run(lambda app: (app.hub.catalog(), app.hub.recommended()), show, patient=True)

    def _look_for_newer(self) -> None:
        def done(new: int) -> None:
            self._on_reached()
            self._show_catalog()
            self.catalog.show_looked(
                trn("{n} model is new in the list.", "{n} models are new in the list.", new)
                if new
                else tr("This is the newest list.")
            )

        def failed(problem: EnvironmentProblem) -> None:
            self.catalog.show_looked(str(problem), failed=True)

        self.catalog.show_looking()
        self._bridge.run(lambda app: app.hub.update_catalog(), done, failed, patient=True)

    # Fetching

    def _fetch(self, repository: HubRepository, variant: Variant) -> None:
        repo, revision = repository.model.repo, repository.revision
        self._bridge.run(
            lambda app: app.downloads.start(repo, revision, variant),
            lambda _: self._on_reached(),
            lambda problem: self._notify(problem, partial(self._fetch, repository, variant)),
        )

    def _fetch_entry(self, entry: CatalogEntry) -> None:
        def failed(problem: EnvironmentProblem) -> None:
            self._mark_taken()
            self._notify(problem, partial(self._fetch_entry, entry))

        self.catalog.mark_asking(entry)
        self._bridge.run(
            lambda app: app.downloads.start(*app.hub.locate(entry)),
            lambda _: self._on_reached(),
            failed,
            patient=True,
        )

    def _notify(self, problem: EnvironmentProblem, again: Callable[[], None]) -> None:
        self._notice().show_problem(problem, tr("Try again"), again, key=_KEY)

    def _on_reached(self) -> None:
        """The hub answers: what was told of it is not so any more."""
        self._notice().solved(_KEY)

    def _mark_taken(self) -> None:
        """Read what is being fetched and what is kept, and mark it wherever it is offered."""
        parts = [each for each in (self._search_made, self._catalog_made) if each]
        if not parts:
            return
        self._marking += 1
        marking = self._marking

        def show(read: tuple[tuple[Download, ...], tuple[KeptModel, ...]]) -> None:
            if marking == self._marking:
                for part in parts:
                    part.mark_taken(*_taken(*read))

        self._bridge.run(lambda app: (app.downloads.list(), app.models.kept()), show, patient=True)


def _taken(downloads: Sequence[Download], kept: Sequence[KeptModel]) -> Taken:
    """The files that are being fetched, and those of repositories that are kept."""
    fetching = [each for each in downloads if each.state is not DownloadState.DONE]
    return (
        {file_key(each.repo, each.files[0].path) for each in fetching},
        {(each.notes.repo, Path(each.model.path).name) for each in kept},
    )
