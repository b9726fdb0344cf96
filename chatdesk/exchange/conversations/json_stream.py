"""JSON that is larger than memory: values are cut out of a stream one by one, as bytes.

Only brackets and strings are looked at; what is between them is decoded later, value by value. So
damage inside one conversation costs no other one.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from chatdesk.core.i18n import tr
from chatdesk.core.imported import Unreadable
from chatdesk.core.unicode import sound_json
from chatdesk.core.units import MB, size_words

LARGEST_VALUE = 128 * MB
_CHUNK = 1 << 18
_BOM = b"\xef\xbb\xbf"
_BLANKS = re.compile(rb"[\s\x00]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,:\]}\"\[{]++")
# From anywhere outside of a string to the next bracket outside of one.
_TO_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:"(?:[^"\\]++|\\.)*+"[^"{}\[\]]*+)*+[{}\[\]]', re.DOTALL)
_OPENING = b"{["


class Stream(Protocol):
    """Anything that can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes, none at the end."""
        ...


class JsonStream:
    """Reads one JSON text from its beginning. Raises `Unreadable` where its structure is broken."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        while len(self._buffer) < len(_BOM) and self._more():
            pass
        self._buffer = self._buffer.removeprefix(_BOM)

    def begins_with(self) -> bytes:
        """Return the next byte that is no blank; b"" at the end."""
        while True:
            self._at = _end(_BLANKS, self._buffer, self._at)
            if self._at < len(self._buffer) or not self._more():
                return self._buffer[self._at : self._at + 1]

    def items(self) -> Iterator[bytes]:
        """Yield the items of an array, each whole."""
        for _ in self.each_item():
            yield self.value()

    def each_item(self) -> Iterator[None]:
        """Stop before each item of an array, which the caller then reads."""
        self._take(b"[")
        while (found := self.begins_with()) != b"]":
            if found == b",":  # also one too many
                self._at += 1
            elif not found:
                raise _cut_off()
            else:
                yield
        self._at += 1

    def members(self) -> Iterator[str]:
        """Stop before the value of each member of an object, which the caller then reads."""
        self._take(b"{")
        while (found := self.begins_with()) != b"}":
            if found == b",":
                self._at += 1
            elif not found:
                raise _cut_off()
            else:
                key = decoded(self.value())
                self._take(b":")
                yield str(key)
        self._at += 1

    def find(self, *path: str) -> bool:
        """Go down to the value of a member of a member; False when there is none."""
        return not path or (
            self.begins_with() == b"{"
            and any(key == path[0] or self.value() is None for key in self.members())
            and self.find(*path[1:])
        )

    def value(self) -> bytes:
        """Return the next value whole."""
        begins = self.begins_with()
        if begins == b"":
            raise _cut_off()
        if begins in _OPENING:
            return self._container()
        if begins == b'"':
            while not (found := _STRING.match(self._buffer, self._at)):
                if not self._more():
                    raise _cut_off()
            return self._cut(found.end())
        while found := _SCALAR.match(self._buffer, self._at):
            if found.end() < len(self._buffer) or not self._more():
                return self._cut(found.end())
        raise _broken()

    def _container(self) -> bytes:
        depth, at = 0, self._at
        while True:
            found = _TO_BRACKET.match(self._buffer, at)
            if found is None:
                at -= self._at
                if not self._more():
                    raise _cut_off()
                at += self._at
                continue
            at = found.end()
            depth += 1 if self._buffer[at - 1] in _OPENING else -1
            if depth == 0:
                return self._cut(at)

    def _cut(self, end: int) -> bytes:
        value = self._buffer[self._at : end]
        self._at = end
        return value

    def _take(self, mark: bytes) -> None:
        if (found := self.begins_with()) != mark:
            raise _broken() if found else _cut_off()
        self._at += 1

    def _more(self) -> bool:
        """Read on, as much again as is waiting: a long value is looked at few times."""
        left = self._buffer[self._at :]
        if len(left) > LARGEST_VALUE:
            raise Unreadable(
                tr(
                    "A single chat is larger than {size}; from there on the file was not read.",
                    size=size_words(LARGEST_VALUE),
                )
            )
        wanted, pieces = max(_CHUNK, len(left)), [left]
        while wanted > 0 and (piece := self._stream.read(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        self._buffer, self._at = b"".join(pieces), 0
        return len(self._buffer) > len(left)


def decoded(data: bytes) -> Any:
    """Decode a value: as strictly as it can be, else what can be made of it.

    Raises `Unreadable`.
    """
    try:
        return msgspec.json.decode(data)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        return sound_json(json.loads(data.decode("utf-8", "replace"), strict=False))
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _broken() from None


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    return found.end() if found else at


def _cut_off() -> Unreadable:
    return Unreadable(tr("The file ends in the middle: it was cut off."))


def _broken() -> Unreadable:
    return Unreadable(tr("This is not valid JSON."))


def _too_deep() -> Unreadable:
    return Unreadable(tr("Its parts are nested too deeply."))
