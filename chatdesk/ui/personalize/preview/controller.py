"""Between the preview of what will be learned and the services: read, choose, mask, begin."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import Preview, TrainingConfig
from chatdesk.services.app import App
from chatdesk.services.personalize.service import PersonalizeService
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.personalize.preview.dialog import PreviewDialog
from chatdesk.ui.widgets.file_dialogs import choose_files

Change = Callable[[PersonalizeService, Preview], Preview]


@dataclass(frozen=True, slots=True)
class LeftPreview:
    """What was chosen and masked when the dialog was closed, and the chat files added to it."""

    preview: Preview
    files: tuple[Path, ...]


class PreviewController(QObject):
    """Exists as long as its dialog. It goes on from `before`, if that is of the same model.

    The user's actions are done in order, each on the result of the one before.
    """

    def __init__(
        self,
        bridge: Bridge,
        model: ModelFile,
        dialog: PreviewDialog,
        before: LeftPreview | None = None,
    ) -> None:
        super().__init__(dialog)
        self._bridge = bridge
        self._model = model
        self._dialog = dialog
        self._is_open = True
        if before is None or before.preview.model_id != model.id:
            before = LeftPreview(Preview(model.id, (), 0), ())
        self._preview, self._files = before.preview, before.files
        self._changes: deque[tuple[Change, Callable[[], None]]] = deque()  # one is being done
        dialog.choose_requested.connect(self._choose)
        dialog.mask_requested.connect(self._mask)
        dialog.config_changed.connect(lambda: self._do(lambda _, preview: preview))
        dialog.read_requested.connect(self.read)
        dialog.add_file_requested.connect(self._pick_files)
        dialog.start_requested.connect(self._start)
        dialog.finished.connect(self._closed)

    @property
    def left(self) -> LeftPreview:
        """What is chosen and masked now."""
        return LeftPreview(self._preview, self._files)

    def read(self, more_files: Iterable[Path] = ()) -> None:
        """Read what would be learned, with more chat files; what was chosen and masked stays so."""
        files = (*self._files, *more_files)

        def read(service: PersonalizeService, before: Preview) -> Preview:
            return _as_before(service, before, service.preview(self._model, files=files))

        def keep() -> None:
            self._files = files

        self._dialog.show_waiting()
        self._do(read, keep)

    def _choose(self, example_ids: Collection[str], chosen: bool) -> None:
        self._do(lambda service, preview: service.choose(preview, example_ids, chosen))

    def _mask(self, value: str, masked: bool) -> None:
        self._do(lambda service, preview: service.mask(preview, value, masked))

    def _pick_files(self) -> None:
        from chatdesk.exchange.formats import FORMATS

        files = " ".join(sorted({f"*{each.ending}" for each in FORMATS}))
        paths = choose_files(self._dialog, tr("Add chat files"), tr("Chat files") + f" ({files})")
        if paths:
            self.read(map(Path, paths))

    def _start(self, config: TrainingConfig, name: str) -> None:
        def start(service: PersonalizeService, preview: Preview) -> Preview:
            service.start(preview, config, name)
            return preview

        self._do(start, self._dialog.accept)

    # One after the other

    def _do(self, change: Change, then: Callable[[], None] = lambda: None) -> None:
        self._changes.append((change, then))
        if len(self._changes) == 1:
            self._begin_next()

    def _begin_next(self) -> None:
        (change, _), preview, config = self._changes[0], self._preview, self._dialog.config

        def work(app: App) -> tuple[Preview, float]:
            changed = change(app.personalize, preview)
            return changed, app.personalize.estimate(changed, config)

        self._bridge.run(work, self._done, self._failed, patient=True)

    def _done(self, outcome: tuple[Preview, float]) -> None:
        if not self._is_open:
            return
        self._preview, seconds = outcome
        _, then = self._changes.popleft()
        if not self._changes:
            self._dialog.show_preview(self._preview, seconds)
        then()
        if self._changes:
            self._begin_next()

    def _failed(self, problem: EnvironmentProblem) -> None:
        if not self._is_open:
            return
        self._changes.clear()  # they were made to what is not there now
        self._dialog.show_failure(problem)

    def _closed(self, _result: int) -> None:
        self._is_open = False


def _as_before(service: PersonalizeService, before: Preview, preview: Preview) -> Preview:
    """`preview` with what was chosen and masked by hand in the one before."""
    for chosen in (True, False):
        ids = {each.id for each in before.examples if each.chosen is chosen}
        preview = service.choose(preview, ids, chosen)
    findings = {finding for each in before.examples for finding in each.findings}
    for value in {finding.value for finding in findings if not finding.masked}:
        preview = service.mask(preview, value, False)
    return preview
