"""The files of messages: a folder beside the database, each named by the SHA-256 of its content.

A part of a message refers to one by that name (`message_parts.sha256`); the same content is there
once. They are private to the user and written whole.
"""

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.files import PRIVATE, sync_folder
from chatdesk.core.i18n import tr

_CHUNK = 1 << 20
_NAME = re.compile(r"[0-9a-f]{64}")
_ABANDONED_S = 86_400.0  # no file takes as long to be written


class AttachmentFiles:
    """Keeps files by their content; the folder is made with the first one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, stream: BinaryIO) -> tuple[str, int]:
        """Keep what a stream holds; return its SHA-256 and size.

        Raises `EnvironmentProblem` when it cannot be written, and what the stream raises.
        """
        with _disk_problems():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self._folder / f".{secrets.token_hex(8)}.part"
        digest, size = hashlib.sha256(), 0
        try:
            with _disk_problems():
                descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
            with os.fdopen(descriptor, "wb") as file:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    with _disk_problems():
                        file.write(chunk)
                with _disk_problems():
                    file.flush()
                    os.fsync(file.fileno())
            with _disk_problems():
                self._place(partial, digest.hexdigest())
        finally:
            partial.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def _place(self, partial: Path, sha256: str) -> None:
        path = self._path(sha256)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        partial.replace(path)  # also over the same content: it is young again
        sync_folder(path.parent)

    def read(self, sha256: str) -> bytes:
        """Return a file, checked. Raises `NotFound`, also for one that is not what it was."""
        try:
            data = self._path(sha256).read_bytes()
        except (OSError, ValueError) as problem:
            raise _missing() from problem
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _missing()
        return data

    def path(self, sha256: str) -> Path | None:
        """Return where a file is, None when it is not there."""
        path = self._path(sha256)
        return path if path.is_file() else None

    def tidy(self, named: Container[str], older_than: datetime) -> int:
        """Remove files that no message names and that are older; return how many."""
        removed = 0
        for folder in self._folder.glob("[0-9a-f][0-9a-f]"):
            for path in folder.iterdir():
                if _NAME.fullmatch(path.name) and path.name not in named:
                    removed += _remove(path, older_than.timestamp())
        for partial in self._folder.glob(".*.part"):
            _remove(partial, time.time() - _ABANDONED_S)
        return removed

    def _path(self, sha256: str) -> Path:
        if not _NAME.fullmatch(sha256):
            raise ValueError("not a SHA-256")
        return self._folder / sha256[:2] / sha256


def _remove(path: Path, older_than: float) -> bool:
    with suppress(OSError):  # another process was faster
        if path.stat().st_mtime < older_than:
            path.unlink()
            return True
    return False


@contextmanager
def _disk_problems() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise EnvironmentProblem(
                tr("The disk is full."), tr("Free some space, then try again.")
            ) from problem
        raise EnvironmentProblem(
            tr("A file of a chat cannot be written: {reason}.", reason=problem.strerror),
            tr("Check that you may write to the folder of ChatDesk's data."),
        ) from problem


def _missing() -> NotFound:
    return NotFound(
        tr("A file of this chat is missing or damaged."), tr("Import the chat again to get it.")
    )
