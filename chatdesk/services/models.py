"""The models on this computer: the starter, those in the models folder, those added by hand."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem, ModelProblem, NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.loading import Device
from chatdesk.core.models import Fit, ModelFile
from chatdesk.library.fit import judge, memory_needed
from chatdesk.library.gguf_header import read_header
from chatdesk.library.hardware import available_memory
from chatdesk.library.identity import sha256_of
from chatdesk.library.starter import find_starter
from chatdesk.store.models import ModelStore

_log = logging.getLogger(__name__)

ROOM_SHARE = 0.7  # of the free memory; the rest is for the KV cache and other programs


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model beside what this machine makes of it. `memory_bytes` at the context asked for."""

    model: ModelFile
    fit: Fit
    memory_bytes: int
    present: bool


class ModelService:
    """Knows the models; does not run them."""

    def __init__(self, store: ModelStore, models_folder: Path) -> None:
        self._store = store
        self._folder = models_folder

    def refresh(self) -> tuple[ModelFile, ...]:
        """Take up the starter and new files of the models folder; every model that is there."""
        starter = find_starter()
        for path in [*([starter] if starter else []), *sorted(self._folder.glob("**/*.gguf"))]:
            try:
                self.add(path)
            except ModelProblem as problem:
                _log.warning("left out of the models: %s", problem)
        return tuple(model for model in self._store.list() if _is_there(model))

    def room_bytes(self) -> int:
        """About how large a model file may be to run well here beside everything else."""
        return int(available_memory() * ROOM_SHARE)

    def add(self, path: Path) -> ModelFile:
        """Take up a GGUF file where it lies. Raises `ModelProblem`."""
        path = _place(path)
        known = self._unchanged(path)
        if known:
            return known
        header = read_header(path)
        return self._store.add(path, header, path.stat().st_mtime_ns)

    def get(self, id_or_path: str) -> ModelFile:
        """A model by its id, or by the path of a file. Raises `NotFound` or `ModelProblem`."""
        for model in self._store.list():
            if model.id == id_or_path:
                return model
        path = _place(Path(id_or_path))
        if path.suffix.lower() == ".gguf" or os.access(path, os.F_OK):
            return self.add(path)
        raise NotFound(
            tr("There is no model “{name}”.", name=id_or_path),
            tr("See the models there are with: chatdesk models list"),
        )

    def default(self, preferred: str | None) -> ModelFile | None:
        """The model to start with: the preferred one if its file is there, else the starter.

        A file that changed since it was chosen has another id, but is still the one at that place.
        """
        try:
            if preferred:
                return self.add(Path(self._store.get(preferred).path))
        except (NotFound, ModelProblem) as problem:
            _log.warning("the chosen model cannot be used: %s", problem)
        starter = find_starter()
        if starter:
            return self.add(starter)
        return next(iter(self.refresh()), None)

    def chosen(self, id_or_path: str | None, preferred: str | None) -> ModelFile:
        """The model that is asked for, else the default. Raises `NotFound` or `ModelProblem`."""
        model = self.get(id_or_path) if id_or_path else self.default(preferred)
        if model is None:
            raise NotFound(
                tr("No model was found on this computer."),
                tr("Add a GGUF file with: chatdesk models add PATH"),
            )
        return model

    def info(self, model: ModelFile, context_window: int, devices: Sequence[Device]) -> ModelInfo:
        """What this machine makes of a model at a context window of that many tokens."""
        context = min(context_window, model.header.context_length or context_window)
        return ModelInfo(
            model=model,
            fit=judge(model.header, context, devices, available_memory()),
            memory_bytes=memory_needed(model.header, context),
            present=_is_there(model),
        )

    def identity(self, model: ModelFile) -> str | None:
        """The hash of a model's content, if it is known and the file is still the same."""
        try:
            return self._store.get(model.id).sha256 if _is_same(model) else None
        except EnvironmentProblem as problem:
            _log.warning("no hash of %s: %s", model.id, problem)
            return None

    def identify(
        self, model: ModelFile, cancelled: Callable[[], bool] = lambda: False
    ) -> str | None:
        """The hash of a model's content, worked out if it is not known: that reads the whole file.

        None when `cancelled`, or when the file is not what it was.
        """
        if known := self.identity(model):
            return known
        try:
            worked_out = sha256_of(Path(model.path), cancelled)
            if _is_same(model):
                self._store.set_hash(model.id, worked_out)
        except (EnvironmentProblem, OSError) as problem:
            _log.warning("no hash of %s: %s", model.id, problem)
        except CancelledError:
            return None
        return self.identity(model)

    def _unchanged(self, path: Path) -> ModelFile | None:
        for model in self._store.list():
            if Path(model.path) == path and _is_same(model):
                return model
        return None


def _is_same(model: ModelFile) -> bool:
    """Whether the file has the size and time it was taken up with."""
    try:
        stat = Path(model.path).stat()
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (model.header.bytes, model.mtime_ns)


def _is_there(model: ModelFile) -> bool:
    return os.access(model.path, os.R_OK)  # `Path.is_file` raises where a folder is closed


def _place(path: Path) -> Path:
    """Where a file lies, in full. Raises `ModelProblem` for what the database cannot keep."""
    place = Path(os.path.expanduser(path)).absolute()  # noqa: PTH111 - never raises
    try:
        str(place).encode()
    except UnicodeEncodeError:
        what = tr("The path {path} is not text.", path=ascii(str(place)))
        raise ModelProblem(what, tr("Rename the folder or the file.")) from None
    return place
