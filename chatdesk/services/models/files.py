"""Model files on the disk: where they lie, whether they are what they were, to the trash."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from chatdesk.core.errors import EnvironmentProblem, ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.core.model_files import Presence
from chatdesk.core.models import ModelFile
from chatdesk.formats.gguf.parts import is_further_part, parts_of


class Stamp(NamedTuple):
    """By what a file is known to be the same without reading it.

    Of a split model the bytes of all parts, and the mean of their times: any of them counts.
    """

    bytes: int
    mtime_ns: int


def stamp_of(path: Path) -> Stamp:
    """The stamp of the model that begins in a file. Raises `OSError`."""
    found = [part.stat() for part in parts_of(path)]
    mtimes = [status.st_mtime_ns for status in found]
    return Stamp(sum(status.st_size for status in found), sum(mtimes) // len(mtimes))


def presence_of(model: ModelFile) -> Presence:
    """Return if a model's file is there, readable and unchanged since it was listed."""
    try:
        stamp = stamp_of(Path(model.path))
    except OSError:
        return Presence.MISSING
    if not os.access(model.path, os.R_OK):
        return Presence.MISSING
    same = stamp == (model.header.bytes, model.mtime_ns)
    return Presence.THERE if same else Presence.CHANGED


def is_same(model: ModelFile) -> bool:
    """Return True if a model's file has the size and time with which it was listed."""
    return presence_of(model) is Presence.THERE


def models_under(folder: Path) -> Iterator[Path]:
    """The files under a folder that models begin in, in order."""
    return (path for path in sorted(folder.glob("**/*.gguf")) if not is_further_part(path))


def path_of(path: Path) -> Path:
    """Return the full path of a model's first file, given any part of it.

    Raises `ModelProblem` for what the database cannot keep.
    """
    place = Path(os.path.expanduser(path)).absolute()  # noqa: PTH111 - never raises
    try:
        str(place).encode()
    except UnicodeEncodeError:
        what = tr("The path {path} is not text.", path=ascii(str(place)))
        raise ModelProblem(what, tr("Rename the folder or the file.")) from None
    return parts_of(place)[0]


def to_trash(path: Path) -> int:
    """Move a model's files to the trash; how many bytes they have.

    Nothing is ever deleted for good: raises `EnvironmentProblem` where there is no trash for them.
    """
    from send2trash import send2trash  # slow to import, and seldom needed

    files = [file for part in parts_of(path) for file in _link_and_blob(part)]
    try:
        freed = stamp_of(path).bytes if not path.is_symlink() or len(files) > 1 else 0
        for file in files:
            send2trash(file)
    except OSError as problem:
        reason = os.strerror(problem.errno) if problem.errno else str(problem)
        what = tr(
            "“{file}” could not be moved to the trash: {reason}.", file=path.name, reason=reason
        )
        todo = tr("Nothing was deleted for good. Delete it by hand if you do not need it.")
        raise EnvironmentProblem(what, todo) from problem
    return freed


def _link_and_blob(path: Path) -> Sequence[Path]:
    """A file, and the target of its link if that is its blob in the hub's cache.

    Any other link only means itself: the user put its target there.
    """
    real = path.resolve()
    cached = real.parent.name == "blobs" and path.is_relative_to(real.parent.parent / "snapshots")
    return (path, real) if path.is_symlink() and cached else (path,)
