"""Problems of the disk that a download goes to, as sentences."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.units import size_words

SPARE_BYTES = 100 << 20  # left free on the disk for other programs

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class DiskProblem(EnvironmentProblem):
    """A download cannot be written to its place."""


@contextmanager
def disk_problems(target: Path) -> Iterator[None]:
    """Raise `DiskProblem` instead of `OSError`; `target` is the file to write."""
    try:
        yield
    except OSError as error:
        raise _problem(error, target) from error


def check_room(folder: Path, needed: int) -> None:
    """Raise `DiskProblem` unless `needed` more bytes fit on the disk of `folder`, or `OSError`."""
    free = shutil.disk_usage(folder).free
    if needed and free < needed + SPARE_BYTES:
        raise DiskProblem(
            tr(
                "There is not enough room on the disk: {size} are missing.",
                size=size_words(needed + SPARE_BYTES - free),
            ),
            tr("Make room in {folder}, then resume.", folder=folder),
        )


def in_the_way(target: Path) -> DiskProblem:
    """Return the problem that something else is at the place of a file."""
    if target.is_dir():
        what = tr("There is a folder where the file is to go: {path}.", path=target)
    else:
        what = tr("There is another file where this one is to go: {path}.", path=target)
    return DiskProblem(what, tr("Move it away, then resume."))


def _problem(error: OSError, target: Path) -> DiskProblem:
    if error.errno in _FULL:
        return DiskProblem(
            tr("The disk is full."),
            tr("Make room in {folder}, then resume.", folder=target.parent),
        )
    if error.errno == errno.EFBIG:
        return DiskProblem(
            tr("The disk takes no files as large as {name}.", name=target.name),
            tr("Choose another models folder in the settings."),
        )
    if error.errno in _FORBIDDEN:
        return DiskProblem(
            tr("ChatDesk may not write in {folder}.", folder=target.parent),
            tr("Allow it, or choose another models folder in the settings."),
        )
    return DiskProblem(
        tr("{path} cannot be written: {reason}.", path=target, reason=error.strerror or str(error)),
        tr("Check the disk, then resume."),
    )
