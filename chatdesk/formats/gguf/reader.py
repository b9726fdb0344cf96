"""Reads values from a GGUF file without trusting any number in it.

The format is ggml's `docs/gguf.md`, little-endian. Every length is checked against the file's size
before anything is allocated by it, and values that a header does not need (a vocabulary of 250,000
tokens) are skipped, not read.
"""

import re
from pathlib import Path
from struct import Struct
from typing import NoReturn, Protocol

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr

MAX_KEPT_BYTES = 1024  # a longer string is a chat template, a licence, a list of merges
MAX_KEPT_ITEMS = 1024  # a longer array is not one number a layer
MAX_HEADER_BYTES = 1 << 26  # the largest are some 20 MB; limits the time for a hostile one
WINDOW_BYTES = 1 << 20

_U32 = Struct("<I")
_U64 = Struct("<Q")
_SCALARS = {  # gguf_metadata_value_type
    kind: Struct(f"<{code}")
    for kind, code in zip([0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12], "BbHhIif?Qqd", strict=True)
}
_STRING = 8
_ARRAY = 9

# The loop over a vocabulary takes most of the time; over short strings `re` is twice as fast.
_RUN = 64  # strings to a match
_SHORT = b"|".join(
    re.escape(_U64.pack(length)) + b".{%d}" % length for length in [*range(4, 64), *range(4)]
)
_SHORT_STRINGS = re.compile(b"(?s:(?>%s)){%d}+" % (_SHORT, _RUN))

Value = int | float | str | tuple[int | float, ...] | None
"""A metadata value; None is one that is present but was skipped."""


class CutShort(ModelProblem):
    """The file ends too early, or states nonsense."""


def cut_short(path: Path) -> CutShort:
    """Return the problem of a header that is invalid, or does not end inside the file."""
    return CutShort(
        tr("“{file}” is damaged or cut short.", file=path.name),
        tr("Download it again, or choose another model."),
    )


class ByteSource(Protocol):
    """The source of a header: a file, or a remote one."""

    def read(self, count: int, /) -> bytes:
        """Return the next `count` bytes; fewer at the end."""

    def seek(self, at: int, /) -> object:
        """Go to a position, in bytes from the start."""


class GgufReader:
    """A position in a file of a known size. Every method raises `ModelProblem`."""

    def __init__(self, file: ByteSource, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.at = 0
        self._end = min(size, MAX_HEADER_BYTES)
        self._file = file

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        if count > self._end - self.at:
            self.damaged()
        data = self._file.read(count)
        if len(data) != count:  # the file shrank meanwhile
            self.damaged()
        self.at += count
        return data

    def skip(self, count: int) -> None:
        """Skip `count` bytes."""
        if count > self._end - self.at:
            self.damaged()
        self.at += count
        self._file.seek(self.at)

    def u32(self) -> int:
        """Return the next unsigned number of 4 bytes."""
        number: int = _U32.unpack(self.take(4))[0]
        return number

    def u64(self) -> int:
        """Return the next unsigned number of 8 bytes."""
        number: int = _U64.unpack(self.take(8))[0]
        return number

    def string(self) -> str | None:
        """Return the next string; None for a long one."""
        length = self.u64()
        if length > MAX_KEPT_BYTES:
            self.skip(length)
            return None
        return self.take(length).decode("utf-8", "replace")

    def value(self) -> Value:
        """Return the next metadata value, with its type before it."""
        return self.value_of(self.u32())

    def value_of(self, kind: int) -> Value:
        """Return the next metadata value, of the type that was read before it."""
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self._array()
        return self._scalars(kind, 1)[0]

    def damaged(self) -> NoReturn:
        """Give up: the header is invalid, or does not end inside the file."""
        raise cut_short(self.path)

    def _array(self) -> tuple[int | float, ...] | None:
        kind, count = self.u32(), self.u64()
        if kind == _STRING:
            self._skip_strings(count)
            return None
        if kind in _SCALARS and count > MAX_KEPT_ITEMS:
            self.skip(count * _SCALARS[kind].size)
            return None
        return self._scalars(kind, count)

    def _scalars(self, kind: int, count: int) -> tuple[int | float, ...]:
        if kind not in _SCALARS:  # unknown, or an array of arrays, which llama.cpp refuses too
            self.damaged()
        scalar = _SCALARS[kind]
        return tuple(one for (one,) in scalar.iter_unpack(self.take(count * scalar.size)))

    def _skip_strings(self, count: int) -> None:
        """Skip strings: each has its own length, so each must be looked at; a window at a time."""
        while count:
            start = self.at
            window = self.take(min(WINDOW_BYTES, self._end - start))
            last = len(window) - _U64.size
            if last < 0:
                self.damaged()
            at = 0
            while count and at <= last:
                run = _SHORT_STRINGS.match(window, at) if count >= _RUN else None
                if run:
                    at, count = run.end(), count - _RUN
                else:
                    at, count = _step(window, at, count)
            self.at = start
            self.skip(at)


def _step(window: bytes, at: int, count: int) -> tuple[int, int]:
    """Skip some of `count` strings, one by one; return the position and the remaining count."""
    length_at, last = _U64.unpack_from, len(window) - _U64.size
    for _ in range(min(count, _RUN)):
        at += _U64.size + length_at(window, at)[0]
        count -= 1
        if at > last:
            break
    return at, count
