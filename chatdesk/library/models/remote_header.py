"""The header of a remote GGUF file, from its first bytes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from chatdesk.core.models import ModelHeader
from chatdesk.formats.gguf.file import check_name
from chatdesk.formats.gguf.model import read_first_part
from chatdesk.formats.gguf.reader import GgufReader
from chatdesk.library.models.header import describe, labelled

FIRST_BYTES = 1 << 18
MOST_BYTES = 1 << 22  # fetched at a time; a vocabulary of 250,000 tokens is some 10 MB


def read_remote_header(name: str, size: int, fetch: Callable[[int, int], bytes]) -> ModelHeader:
    """Return the header of file `name` of `size` bytes; `fetch(start, end)` gives [start, end).

    No more than `MAX_HEADER_BYTES` and one window are fetched, whatever the file states. Of a split
    model this is the first part, whose tensors are only some of the model's: `parameters` then
    comes from its size label (0 without one), `bytes` and `decode_bytes` are those of this part.
    Raises `ModelProblem`, and whatever `fetch` raises.
    """
    path = Path(name)
    check_name(path.name)
    reader = GgufReader(_Remote(size, fetch), path, size)
    model = read_first_part(reader)
    header = describe(path, model)
    if header.parts == 1:
        return header
    return replace(header, parameters=labelled(model.metadata))


class _Remote:
    """A file to read forwards: it keeps the last fetched bytes, and fetches more each time."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._fetch = fetch
        self._at = 0
        self._start = 0  # of the window
        self._window = b""
        self._step = FIRST_BYTES

    def seek(self, at: int, /) -> None:
        """Go to a position that is not before the window."""
        self._at = at

    def read(self, count: int, /) -> bytes:
        """Return the next `count` bytes; fewer at the file's end or when the other side stops."""
        if self._at + count > self._start + len(self._window):
            self._move(count)
        offset = self._at - self._start
        self._at += count
        return self._window[offset : offset + count]

    def _move(self, count: int) -> None:
        """Move the window to this position, with `count` bytes or more."""
        kept = self._window[self._at - self._start :]
        start = self._at + len(kept)
        end = min(max(self._at + count, start + self._step), self._size)
        self._window = kept + self._fetch(start, end)[: end - start]
        self._start = self._at
        self._step = min(2 * self._step, MOST_BYTES)
