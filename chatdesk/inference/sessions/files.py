"""KV states of conversations on disk, so that after a restart nothing is read again.

One file for each conversation and model, little-endian:

| bytes | what |
|---|---|
| 8 | `MAGIC` |
| 4 | CRC-32 of the rest of this head and the tokens |
| 4 | `VERSION` of this format |
| 4 | number of tokens |
| 4 | CRC-32 of the state |
| 8 | length of the state in bytes |
| 32 | SHA-256 of the model's identity, the conversation's id and the variant |
| 4 each | the tokens of the state, signed |
| the rest | the state, as llama.cpp returned it |

The folder is private to the user, so the checksums protect against damage, not malice: CRC-32 is
the fastest in the standard library (90 MB in 33 ms, SHA-256 in 53 ms). A file is written beside its
place and moved there. There is no fsync: what a power cut leaves of it does not pass its checksum.
"""

import hashlib
import json
import logging
import os
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from chatdesk.core.files import whole_file
from chatdesk.core.paths import session_file, session_prefix

MAGIC = b"ChatDesK"
VERSION = 1
PARTIAL_KEPT_NS = (
    60 * 10**9
)  # no write pauses that long: a partial file this old has lost its writer

_START = struct.Struct("<8sI")  # magic, CRC-32 of what follows up to the state
_REST = struct.Struct("<IIIQ32s")  # version, tokens, CRC-32 of the state, its length, key
_TOKENS_PLACE = _START.size + _REST.size

log = logging.getLogger(__name__)


class _Damaged(Exception):
    """A file that is not a state of ours, or not complete."""


class SessionFiles:
    """The states of one model among those of all models in `folder`, `limit_bytes` together.

    `identity` is the hash of the model file's content. A `variant` names everything else that must
    be equal for a state to be usable: adapters and scales, KV type, llama.cpp's version. No problem
    with a file is an error: a state that cannot be kept or trusted is read again as text. The
    folder is brought within its limit at once, and after each `save`.
    """

    def __init__(self, folder: Path, identity: str, limit_bytes: int) -> None:
        self._folder = folder
        self._identity = identity
        self._limit = limit_bytes
        self._evict()

    def save(
        self, session: str, variant: str, tokens: Sequence[int], state: bytes | memoryview
    ) -> bool:
        """Save a conversation's state over its older one; False if it was not saved."""
        packed = struct.pack(f"<{len(tokens)}i", *tokens)
        size = memoryview(state).nbytes
        if _TOKENS_PLACE + len(packed) + size > self._limit:
            return False
        key = self._key(session, variant)
        rest = _REST.pack(VERSION, len(tokens), crc32(state), size, key) + packed
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            with whole_file(self._path(session)) as partial, partial.open("wb") as file:
                file.write(_START.pack(MAGIC, crc32(rest)) + rest)
                file.write(state)
        except OSError as problem:
            log.warning("a session was not kept: %s", problem.strerror)
            return False
        self._evict()
        return True

    def peek(self, session: str, variant: str) -> tuple[int, ...] | None:
        """Return the tokens of a state without reading it; None if no state is usable."""
        try:
            with self._path(session).open("rb") as file:
                head = _read_head(file)
        except (OSError, _Damaged):
            return None
        return head.tokens if head.key == self._key(session, variant) else None

    def load(self, session: str, variant: str) -> tuple[list[int], memoryview] | None:
        """Return tokens and state, checked; None if none is usable. A damaged file is removed.

        The state is a view of the file: nothing is copied until it goes into the cache.
        """
        path = self._path(session)
        try:
            with path.open("rb") as file:
                head = _read_head(file)
                if head.key != self._key(session, variant):
                    return None  # perhaps usable with other adapters; the next save replaces it
                state = _mapped(file, head.state_bytes)
            if crc32(state) != head.state_crc:
                raise _Damaged("the state's checksum")
        except FileNotFoundError:
            return None
        except (OSError, _Damaged) as problem:
            log.warning("a saved session is damaged: %s", problem.args[-1])
            _remove(path)
            return None
        now = time.time_ns()
        with suppress(OSError):
            os.utime(path, ns=(now, now))
        return list(head.tokens), state

    def forget(self, session: str) -> None:
        """Remove a conversation's states, those with other models too."""
        for path in self._folder.glob(f"{session_prefix(session)}*"):
            _remove(path)

    def usage(self) -> tuple[int, int]:
        """Return the number of states of this model, and their bytes."""
        of_model = session_file("", self._identity).removeprefix(session_prefix(""))
        sizes = [size for _, size, path in self._files() if path.name.endswith(of_model)]
        return len(sizes), sum(sizes)

    def _path(self, session: str) -> Path:
        return self._folder / session_file(session, self._identity)

    def _key(self, session: str, variant: str) -> bytes:
        parts = json.dumps([self._identity, session, variant])
        return hashlib.sha256(parts.encode()).digest()

    def _files(self) -> list[tuple[int, int, Path]]:
        """Return last use (nanoseconds), bytes and path of each file; the newest first."""
        found = []
        for path in self._folder.glob("*.*"):
            with suppress(OSError):  # another process has removed it
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size, path))
        return sorted(found, reverse=True)

    def _evict(self) -> None:
        """Remove the least recently used states until the rest is within the limit."""
        total = 0
        moment = time.time_ns()
        for used, size, path in self._files():
            total += size
            is_abandoned = abs(moment - used) > PARTIAL_KEPT_NS  # clocks may go back
            if total > self._limit or (path.suffix == ".part" and is_abandoned):
                _remove(path)


@dataclass(frozen=True, slots=True)
class _Head:
    tokens: tuple[int, ...]
    state_crc: int
    state_bytes: int
    key: bytes


def _mapped(file: BinaryIO, size: int) -> memoryview:
    """Map so many bytes from the file's position; the system reads them on access."""
    start = file.tell()
    if size == 0:
        return memoryview(b"")
    return memoryview(mmap(file.fileno(), start + size, access=ACCESS_READ))[start:]


def _read_head(file: BinaryIO) -> _Head:
    """Read the head. Raises `_Damaged`; every length is checked before use."""
    size = os.fstat(file.fileno()).st_size
    first = file.read(_TOKENS_PLACE)
    if len(first) < _TOKENS_PLACE:
        raise _Damaged("too short")
    magic, crc = _START.unpack_from(first)
    version, count, state_crc, state_bytes, key = _REST.unpack_from(first, _START.size)
    if magic != MAGIC or version != VERSION:
        raise _Damaged("of another format")
    if _TOKENS_PLACE + 4 * count + state_bytes != size:
        raise _Damaged("of the wrong length")
    packed = file.read(4 * count)
    if crc32(packed, crc32(first[_START.size :])) != crc or len(packed) != 4 * count:
        raise _Damaged("the head's checksum")
    return _Head(struct.unpack(f"<{count}i", packed), state_crc, state_bytes, key)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
