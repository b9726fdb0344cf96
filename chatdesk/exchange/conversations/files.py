"""The files of an export: one file, a folder, or what is in a zip archive.

Nothing is unpacked, so no name in an archive leads anywhere; links are passed over. What is read
is counted as it comes out, whatever an archive says of itself.
"""

import gzip
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.imported import Unreadable
from chatdesk.core.units import MB

HEAD_BYTES = 1 << 16
MOST_FILES = 200_000
_MOST_TIMES = 200  # as large as the archive; JSON becomes a tenth, hardly ever a hundredth
_ALWAYS_BYTES = 256 * MB


class Files:
    """The files of an export by their names, with "/" between folders."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done = 0  # bytes that were read

    @property
    def name(self) -> str:
        """The name of the file or folder."""
        return self.path.name

    @cached_property
    def names(self) -> Sequence[str]:
        """The names of all files."""
        raise NotImplementedError

    @cached_property
    def size(self) -> int:
        """How much there is to read, about."""
        raise NotImplementedError

    def open(self, name: str) -> BinaryIO:
        """Open a file. Raises `Unreadable`, as its reading does."""
        try:
            return cast(BinaryIO, _Checked(self._open(name), self._note))
        except _PROBLEMS as problem:
            raise _unreadable(problem) from problem

    def head(self, name: str) -> bytes:
        """Return the beginning of a file; b"" where it cannot be read."""
        try:
            with self.open(name) as file:
                return file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
        except Unreadable:
            return b""

    def read(self, name: str, most: int = 64 * MB) -> bytes:
        """Return a small file whole. Raises `Unreadable`."""
        with self.open(name) as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise Unreadable(tr("The file is too large."))
        return data

    def ending(self, *endings: str) -> list[str]:
        """The names with these endings, in order."""
        return [name for name in self.names if name.lower().endswith(endings)]

    def _open(self, name: str) -> BinaryIO:
        raise NotImplementedError

    def _note(self, count: int) -> None:
        self.done += count

    def close(self) -> None:
        """Close the archive."""


class _OneFile(Files):
    @cached_property
    def names(self) -> Sequence[str]:
        return (self.path.name,)

    @cached_property
    def size(self) -> int:
        return self.path.stat().st_size

    def _open(self, name: str) -> BinaryIO:
        return self.path.open("rb")


class _Packed(_OneFile):
    """One file that gzip packed."""

    def _open(self, name: str) -> BinaryIO:
        return _counted(cast(IO[bytes], gzip.open(self.path, "rb")), _Budget(self.size))


class _Folder(Files):
    @cached_property
    def names(self) -> Sequence[str]:
        found: list[str] = []
        for folder, folders, files in os.walk(self.path):
            folders.sort()
            for name in sorted(files):
                path = Path(folder, name)
                if not path.is_symlink() and path.is_file():
                    found.append(path.relative_to(self.path).as_posix())
            if len(found) > MOST_FILES:
                break
        return found

    @cached_property
    def size(self) -> int:
        return sum((self.path / name).stat().st_size for name in self.ending(".json", ".jsonl"))

    def _open(self, name: str) -> BinaryIO:
        return (self.path / name).open("rb")


class _Archive(Files):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._zip = zipfile.ZipFile(path)
        self._budget = _Budget(path.stat().st_size)

    @cached_property
    def names(self) -> Sequence[str]:
        return [
            each.filename
            for each in self._zip.infolist()[:MOST_FILES]
            if not each.is_dir() and not stat.S_ISLNK(each.external_attr >> 16)
        ]

    @cached_property
    def size(self) -> int:
        texts = set(self.ending(".json", ".jsonl"))
        return sum(each.file_size for each in self._zip.infolist() if each.filename in texts)

    def _open(self, name: str) -> BinaryIO:
        return _counted(self._zip.open(name), self._budget)

    def close(self) -> None:
        self._zip.close()


class _Budget:
    """What may come out of an archive of so many bytes."""

    def __init__(self, packed: int) -> None:
        self._left = max(_ALWAYS_BYTES, packed * _MOST_TIMES)

    def spend(self, count: int) -> None:
        """Note what was read. Raises `Unreadable` when it is too much."""
        self._left -= count
        if self._left < 0:
            raise Unreadable(
                tr(
                    "It unpacks to more than {n} times its size, as no export does; the rest was "
                    "not read.",
                    n=_MOST_TIMES,
                )
            )


class _Wrapped(io.RawIOBase):
    """A stream around another one."""

    def __init__(self, inner: BinaryIO) -> None:
        super().__init__()
        self._inner = inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Counted(_Wrapped):
    def __init__(self, inner: BinaryIO, budget: _Budget) -> None:
        super().__init__(inner)
        self._budget = budget

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(size)
        self._budget.spend(len(data))
        return data


def _counted(inner: IO[bytes], budget: _Budget) -> BinaryIO:
    return cast(BinaryIO, _Counted(cast(BinaryIO, inner), budget))


class _Checked(_Wrapped):
    """Its reading raises `Unreadable` for whatever is wrong with the file."""

    def __init__(self, inner: BinaryIO, note: Callable[[int], None]) -> None:
        super().__init__(inner)
        self._note = note

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = self._inner.read(size)
        except _PROBLEMS as problem:
            raise _unreadable(problem) from problem
        self._note(len(data))
        return data


_PROBLEMS = (
    OSError,
    EOFError,
    KeyError,
    RuntimeError,  # a password is needed
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def _unreadable(problem: Exception) -> Unreadable:
    match problem:
        case NotImplementedError():
            return Unreadable(tr("It is packed in a way that ChatDesk does not know."))
        case RuntimeError():
            return Unreadable(tr("It is protected by a password."))
        case EOFError():
            return Unreadable(tr("The file ends in the middle: it was cut off."))
        case OSError(strerror=str(reason)):
            return Unreadable(tr("It cannot be read: {reason}.", reason=reason))
    return Unreadable(tr("It is damaged."))


def open_files(path: Path) -> Files:
    """Open a file, folder or archive. Raises `EnvironmentProblem`."""
    try:
        if path.is_dir():
            return _Folder(path)
        with path.open("rb") as file:
            begins = file.read(4)
        if begins == b"PK\x03\x04":
            return _Archive(path)
        return _Packed(path) if begins[:2] == b"\x1f\x8b" else _OneFile(path)
    except zipfile.BadZipFile as problem:
        raise EnvironmentProblem(
            tr("The archive {file} is damaged or was cut off.", file=path.name),
            tr("Download or copy it again."),
        ) from problem
    except OSError as problem:
        raise EnvironmentProblem(
            tr("{file} cannot be read: {reason}.", file=path.name, reason=problem.strerror),
            tr("Check that it is there and that you may read it."),
        ) from problem
