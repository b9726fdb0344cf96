"""A file being fetched: hidden beside its final place, resumable to the byte, complete or absent.

What survives: every piece is written to the system at once, so that a killed process loses nothing
that was written. A power cut may lose what was not synced: every 32 MB the file is synced, and a
note beside it says how far. After a restart of the machine only that part is trusted.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import msgspec
import psutil

from chatdesk.core.files import sync_folder, whole_file
from chatdesk.library.models.identity import CHUNK_BYTES

SYNC_BYTES = 32 << 20
CATCH_UP = 4  # bytes hashed for each byte written, until the hash has caught up
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
CLOCK_SLACK_S = 5.0  # Linux calculates the boot time, which a clock correction shifts a little


class Notes(msgspec.Struct, frozen=True):
    """The notes on a partial file. `boot` is when the machine started, seconds since 1970.

    `mark` is the server's mark (ETag) of its content; `verified` means that the file is complete
    and that its hash is right.
    """

    mark: str
    boot: float
    synced: int
    verified: bool = False


class PartialFile:
    """The partial file of `target`, for use by one process only (see `locked`).

    `identity` identifies its content; other content has another partial file. Every method may
    raise `OSError`.
    """

    def __init__(self, target: Path, identity: str) -> None:
        self._target = target
        self._path = partial_path(target, identity)
        self._notes_path = self._path.with_suffix(".note")
        self.mark = ""
        self.size = self._synced = 0
        self.verified = False
        self._restart_hash()
        with contextlib.ExitStack() as stack:
            descriptor = os.open(self._path, _FLAGS, 0o666)
            self._file = stack.enter_context(open(descriptor, "r+b", buffering=0))  # noqa: PTH123
            self._take_up()
            stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._file.closed:
            if self.size > self._synced:
                with contextlib.suppress(OSError):  # it is kept anyway, unless the power fails
                    self.sync()
            self._file.close()

    def _take_up(self) -> None:
        """Continue with the data on disk, as far as it can be trusted."""
        there, notes = os.fstat(self._file.fileno()).st_size, self._read_notes()
        if notes is not None:
            same_boot = abs(notes.boot - psutil.boot_time()) < CLOCK_SLACK_S
            self.mark, self.size = notes.mark, there if same_boot else min(there, notes.synced)
            self._synced = min(notes.synced, self.size)
            self.verified = notes.verified and notes.synced == self.size
        self._file.truncate(self.size)
        self._write_notes()

    def begin_anew(self, mark: str) -> None:
        """Drop the data: from now on it is content of this mark."""
        self.mark = mark
        self.size = self._synced = 0
        self.verified = False
        self._file.truncate(0)
        self._restart_hash()
        self._write_notes()

    def write(self, data: bytes) -> None:
        """Append a piece. On a full disk, as much of it as fits."""
        self._file.seek(self.size)
        rest = memoryview(data)
        while rest:
            written = self._file.write(rest)
            self.size += written
            rest = rest[written:]
        self._hash(CATCH_UP * len(data))
        if self.size - self._synced >= SYNC_BYTES:
            self.sync()

    def sync(self) -> None:
        """Write everything to the disk, so that it survives a power cut."""
        os.fsync(self._file.fileno())
        self._synced = self.size
        self._write_notes()

    def sha256(self, check: Callable[[], None]) -> str:
        """Return the hash of everything, in hexadecimal; `check` may raise to stop the reading."""
        while self._hashed < self.size:
            check()
            self._hash(8 * CHUNK_BYTES)
        return self._digest.hexdigest()

    def verify(self) -> None:
        """Record that everything is there and right, so that it is never read for that again."""
        self.verified = True
        self.sync()

    def finish(self) -> None:
        """Move the verified file to its final place, at once and complete."""
        self._file.close()
        self._path.replace(self._target)
        sync_folder(self._target.parent)
        self._notes_path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove everything of it."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._notes_path.unlink(missing_ok=True)

    def _restart_hash(self) -> None:
        self._digest = hashlib.sha256()
        self._hashed = 0

    def _hash(self, most: int) -> None:
        """Continue the hash where it stopped, by at most about that many bytes."""
        end = min(self._hashed + most, self.size)
        self._file.seek(self._hashed)
        while self._hashed < end:
            data = self._file.read(min(CHUNK_BYTES, end - self._hashed))
            if not data:
                raise OSError(0, "the file was cut short by another program")
            self._digest.update(data)
            self._hashed += len(data)

    def _read_notes(self) -> Notes | None:
        try:
            notes = msgspec.json.decode(self._notes_path.read_bytes(), type=Notes)
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return notes if notes.synced >= 0 else None

    def _write_notes(self) -> None:
        """Write atomically, and to the disk: the notes are trusted after a power cut."""
        notes = Notes(self.mark, psutil.boot_time(), self._synced, self.verified)
        unfinished = self._notes_path.with_suffix(".tmp")
        with whole_file(self._notes_path, durable=True, partial=unfinished):
            unfinished.write_bytes(msgspec.json.encode(notes))


def partial_path(target: Path, identity: str) -> Path:
    """Return the place of the partial file of `target`: hidden, and not found as a model."""
    key = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return target.with_name(f".{target.name}.{key}.part")


@contextlib.contextmanager
def locked(target: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the right to fetch to this place, among all processes. Raises `OSError`.

    Calls `wait` while another one holds it; `wait` sleeps a little, and may raise to give up.
    """
    from filelock import FileLock, Timeout

    file = target.with_name(f".{target.name}.lock")
    lock = FileLock(file, timeout=0)
    while True:
        try:
            lock.acquire()
            break
        except Timeout:
            wait()
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):  # Windows keeps it while it is open
            file.unlink(missing_ok=True)  # filelock makes sure that nobody holds a removed one
        lock.release()
