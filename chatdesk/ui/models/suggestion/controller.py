"""Between the card with a better model and the services: what to suggest, fetch it, use it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.hub import CatalogEntry, Variant
from chatdesk.core.model_files import Estimate, KeptModel, Presence
from chatdesk.core.models import ModelFile
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.services.hub.facts import DownloadProgressed, DownloadsChanged
from chatdesk.services.machine.facts import MachineMeasured
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.models.download_words import HELD, file_key
from chatdesk.ui.models.suggestion.card import SuggestionCard
from chatdesk.ui.navigator import Navigator, PageId

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window is shown
    from chatdesk.services.app import App


class _Found(NamedTuple):
    """What there is to choose from."""

    best: tuple[CatalogEntry, Estimate] | None
    downloads: Sequence[Download]
    kept: Sequence[KeptModel]


class SuggestionController(QObject):
    """Suggests what is better than the model in use; what was asked for stays on the card."""

    def __init__(self, bridge: Bridge, navigator: Navigator, card: SuggestionCard) -> None:
        super().__init__(card)
        self._bridge = bridge
        self._navigator = navigator
        self._card = card
        self._found: _Found | None = None
        self._in_use: ModelFile | None = None
        self._wanted: CatalogEntry | None = None  # its download was asked for here
        self._asks = False  # the hub where it is
        self._problem = ""
        self._progress: dict[str, DownloadProgressed] = {}
        self._act: Callable[[], None] | None = None
        self._act_otherwise: Callable[[], None] | None = None
        card.act_requested.connect(self._press)
        card.other_requested.connect(self._press_other)
        bridge.opened.connect(self._read)
        bridge.subscribe(EngineChanged, self._on_engine)
        bridge.subscribe(DownloadProgressed, self._on_progress)
        for kind in (DownloadsChanged, MachineMeasured, ModelsChanged):
            bridge.subscribe(kind, lambda _: self._read())

    # Facts

    def _on_engine(self, fact: EngineChanged) -> None:
        """Another model may be in use."""
        if fact.status.model != self._in_use:
            self._in_use = fact.status.model
            self._show()

    def _on_progress(self, fact: DownloadProgressed) -> None:
        """A download has come further."""
        self._progress[fact.download_id] = fact
        if self._found and self._download:
            self._show()

    def _read(self) -> None:
        self._bridge.run(
            lambda app: (
                app.engine.status.model,
                _Found(app.hub.recommended(), app.downloads.list(), app.models.kept()),
            ),
            self._take,
            lambda problem: None,  # whoever reads the list of models says it
        )

    def _take(self, read: tuple[ModelFile | None, _Found]) -> None:
        model, self._found = read
        self._in_use = self._in_use or model  # a fact that came meanwhile is newer
        self._show()

    # What is shown

    @property
    def _entry(self) -> CatalogEntry | None:
        best = self._found.best if self._found else None
        return self._wanted or (best[0] if best else None)

    @property
    def _download(self) -> Download | None:
        """The download of the entry, unless it has ended."""
        entry = self._entry
        if self._found is None or entry is None:
            return None
        key = file_key(entry.repo, entry.file)
        return next(
            (
                each
                for each in self._found.downloads
                if file_key(each.repo, each.files[0].path) == key
                and each.state is not DownloadState.DONE
            ),
            None,
        )

    @property
    def _kept(self) -> KeptModel | None:
        """The entry's model on this computer."""
        entry = self._entry
        if self._found is None or entry is None:
            return None
        key = file_key(entry.repo, entry.file)
        there = (each for each in self._found.kept if each.presence is Presence.THERE)
        return next((e for e in there if (e.notes.repo, Path(e.model.path).name) == key), None)

    def _show(self) -> None:
        found, entry, card = self._found, self._entry, self._card
        if found is None:
            return
        if entry and self._asks:
            card.show_asking(entry)
            self._on_press(self._forget)
        elif entry and self._problem:
            card.show_failure(entry, self._problem)
            self._on_press(partial(self._get, entry), self._forget)
        elif entry and (download := self._download):
            running = download.state is DownloadState.RUNNING
            progress = self._progress.get(download.id) if running else None
            card.show_download(entry, download, progress)
            self._on_press(
                partial(self._hold_or_go_on, download), partial(self._discard, download, progress)
            )
        elif not any(each.answers for each in found.kept):
            card.show_no_model()
            self._on_press(self._show_models, self._navigator.pick_model_file)
        elif not (entry and self._is_better(entry)):
            card.hide()
        elif kept := self._kept:
            card.show_there(entry)
            self._on_press(partial(self._navigator.chat_with, kept.model))
        elif found.best:
            card.show_offer(*found.best)
            self._on_press(partial(self._get, found.best[0]), self._show_models)

    def _is_better(self, entry: CatalogEntry) -> bool:
        in_use, kept = self._in_use, self._kept
        if kept and in_use and kept.model.id == in_use.id:
            return False
        is_larger = in_use is None or in_use.header.parameters < entry.parameters
        return is_larger or entry == self._wanted

    # Input

    def _on_press(self, act: Callable[[], None], other: Callable[[], None] | None = None) -> None:
        """What the buttons do, as the card is now."""
        self._act, self._act_otherwise = act, other

    def _press(self) -> None:
        if self._act:
            self._act()

    def _press_other(self) -> None:
        if self._act_otherwise:
            self._act_otherwise()

    def _show_models(self) -> None:
        self._navigator.show(PageId.MODELS)

    def _hold_or_go_on(self, download: Download) -> None:
        def change(app: "App") -> None:
            if download.state in HELD:
                app.downloads.resume(download.id)
            else:
                app.downloads.pause(download.id)

        self._bridge.run(change, None, self._fail)

    def _discard(self, download: Download, progress: DownloadProgressed | None) -> None:
        from chatdesk.ui.models.downloads.discard_question import discard  # when it is wanted

        received = progress.received if progress else download.received
        cancel = partial(
            self._bridge.run, lambda app: app.downloads.cancel(download.id), None, self._fail
        )
        discard(self._card, received, cancel)

    def _get(self, entry: CatalogEntry) -> None:
        """Ask the hub where it is, then fetch it; whoever cancels meanwhile gets nothing."""
        self._wanted, self._asks, self._problem = entry, True, ""
        self._show()

        def start(place: tuple[str, str, Variant]) -> None:
            if self._asks and self._wanted == entry:
                self._bridge.run(lambda app: app.downloads.start(*place), self._began, self._fail)

        self._bridge.run(lambda app: app.hub.locate(entry), start, self._fail, patient=True)

    def _began(self, _download: Download) -> None:
        self._asks = False
        self._read()

    def _fail(self, problem: EnvironmentProblem) -> None:
        if self._wanted:
            self._asks, self._problem = False, str(problem)
            self._show()

    def _forget(self) -> None:
        self._wanted, self._asks, self._problem = None, False, ""
        self._show()
