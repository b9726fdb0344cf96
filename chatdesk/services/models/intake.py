"""Taking model files up into the library: one by one, or all that are new in the folders."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from chatdesk.core.errors import ModelProblem, NotWritable
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.formats.gguf.file import opened
from chatdesk.formats.gguf.parts import parts_of
from chatdesk.library.models.header import read_header
from chatdesk.library.models.identity import sha256_of_model
from chatdesk.library.models.starter import find_starter
from chatdesk.services.models.files import Stamp, is_same, models_under, path_of, stamp_of
from chatdesk.store.models import FoundFile, KnownModel, ModelStore

_log = logging.getLogger(__name__)

_PROGRAM_PARTS = 3  # of the starter's path, assets/models/*.gguf, are the same in all its folders


class Intake:
    """Takes up model files. What is known by its place, size and time is never read again.

    A file that changed at its place is not taken for the model it was: in a scan it stays on the
    list as changed, until it is added. The starter is always taken as it is.
    """

    def __init__(self, store: ModelStore, folders: Callable[[], Sequence[Path]]) -> None:
        self._store = store
        self._folders = folders
        self._set_aside: set[tuple[str, Stamp]] = set()  # not to be taken up as they are now
        self._one_scan = threading.Lock()  # two at once would each miss what the other takes up

    def add(self, path: Path, name: str = "") -> tuple[ModelFile, bool]:
        """Take up a file, also one that was forgotten or changed; whether the list is another now.

        `name` is what its id is made of, if not its file's name. Raises `ModelProblem`.
        """
        path = path_of(path)
        stamp = _readable_stamp(path)
        same = self._same(path, stamp, _Known(self._store.known()))
        if same and same.listed:
            return same.model, False
        header = same.model.header if same else read_header(path)
        return self._store.add(path, header, stamp.mtime_ns, name), True

    def move(self, model: ModelFile, path: Path) -> None:
        """Take a file as that of a model whose own is gone. Raises `ModelProblem` if it is not."""
        path = path_of(path)
        stamp = _readable_stamp(path)
        if not _is_same(model, path, stamp):
            what = tr(
                "“{file}” is another model than {name}.",
                file=path.name,
                name=model.header.full_name,
            )
            raise ModelProblem(what, tr("Look for another file, or add it as a model of its own."))
        self._store.move(model.id, path, stamp.mtime_ns)

    def scan(self) -> tuple[tuple[KnownModel, ...], bool]:
        """List the starter and new files of the folders; return all models, and if any is new.

        Files that cannot be used are left out; the log reports them.
        """
        with self._one_scan:
            return self._scan()

    def _scan(self) -> tuple[tuple[KnownModel, ...], bool]:
        known = _Known(self._store.known())
        starter = find_starter()
        paths = [path for folder in self._folders() for path in models_under(folder)]
        found = [self._new(path, known) for path in paths if path != starter]
        if starter:
            found.append(self._new(starter, known, always=True))
        new = [file for file in found if file]
        if not new:
            return known.models, False
        try:
            self._store.add_all(new)
        except NotWritable as problem:  # what was known is listed all the same
            _log.warning("new models are not listed: %s", problem.todo)
            return known.models, False
        return self._store.known(), True

    def _new(self, path: Path, known: "_Known", *, always: bool = False) -> FoundFile | None:
        """A file that is to be listed and is not yet."""
        try:
            path = path_of(path)
            stamp = stamp_of(path)
            if (str(path), stamp) in self._set_aside:
                return None
            if same := self._same(path, stamp, known):
                if same.listed or (same.forgotten and not always):
                    return None
                return FoundFile(path, same.model.header, stamp.mtime_ns)
            self._set_aside.add((str(path), stamp))
            if str(path) in known.listed and not always:
                return None
            header = read_header(path)
        except (ModelProblem, OSError) as problem:
            _log.warning("left out of the models: %s", problem)
            return None
        return FoundFile(path, header, stamp.mtime_ns)

    def _same(self, path: Path, stamp: Stamp, known: "_Known") -> KnownModel | None:
        """The model that a file is: known at its place, or moved there from where it was."""
        if there := known.by_file.get((str(path), stamp)):
            return there
        moved = known.earlier_starter(path, stamp) if path == find_starter() else None
        if moved is None:
            gone = known.gone(stamp)
            moved = gone.get(sha256_of_model(path, lambda: False)) if gone else None
        if moved is None:
            return None
        self._store.move(moved.model.id, path, stamp.mtime_ns)
        return replace(moved, listed=False)  # nothing is listed at that place yet


class _Known:
    """The models there are, to be found by their files."""

    def __init__(self, models: tuple[KnownModel, ...]) -> None:
        self.models = models
        self.listed = {each.model.path for each in models if each.listed}
        self.by_file = {
            (each.model.path, Stamp(each.model.header.bytes, each.model.mtime_ns)): each
            for each in models
        }

    def gone(self, stamp: Stamp) -> dict[str, KnownModel]:
        """By their hash, the models of that size whose files are not where they were."""
        return {
            each.model.sha256: each
            for each in self.models
            if each.model.sha256
            and each.model.header.bytes == stamp.bytes
            and not is_same(each.model)
        }

    def earlier_starter(self, starter: Path, stamp: Stamp) -> KnownModel | None:
        """Return the record of a starter from another folder of the program, by name and size.

        Its earlier file may still be there, beside the new one; a copy of the user's own, which is
        in a folder of another kind, stays a model of its own as long as it is there.
        """
        alike = (
            each
            for each in self.models
            if each.model.header.bytes == stamp.bytes
            and (path := Path(each.model.path)).name == starter.name
            and (
                path.parts[-_PROGRAM_PARTS:] == starter.parts[-_PROGRAM_PARTS:] or not path.exists()
            )
        )
        return max(alike, key=lambda each: each.listed, default=None)


def _is_same(model: ModelFile, path: Path, stamp: Stamp) -> bool:
    """Return True if a file has a model's content. Raises `ModelProblem` where it is no model."""
    if stamp.bytes != model.header.bytes:
        return False
    if model.sha256:
        return sha256_of_model(path, lambda: False) == model.sha256
    return replace(read_header(path), name=model.header.name) == model.header


def _readable_stamp(path: Path) -> Stamp:
    """`stamp_of`. Raises `ModelProblem`, which names the part that cannot be read."""
    try:
        return stamp_of(path)
    except OSError:
        for part in parts_of(path):
            with opened(part):
                pass
        raise
