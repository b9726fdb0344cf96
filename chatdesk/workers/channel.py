"""A child's two ends of the protocol: lines from stdin, events to the real stdout."""

import os
import sys
import threading
from collections.abc import Iterator

from chatdesk.workers.codec import MAX_LINE_BYTES, Codec

_READ_BYTES = 1 << 16


def take_stdout() -> int:
    """Return a private descriptor for the real stdout; other output to stdout goes to stderr."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    return own


class EventWriter:
    """Writes events to a descriptor, from any thread, each at once and in one piece."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, event: object) -> None:
        """Write one event. When nobody reads any more, the process ends here."""
        line = memoryview(Codec.encode(event))
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except BrokenPipeError:
                os._exit(0)


def lines(descriptor: int) -> Iterator[bytes]:
    """Yield the lines that arrive on a descriptor, until its end; only the start of an oversized
    line.

    Unbuffered, because a thread that dies inside a buffered reader takes the interpreter with it.
    """
    held = bytearray()
    while data := os.read(descriptor, _READ_BYTES):
        *whole, rest = data.split(b"\n")
        for piece in whole:
            yield bytes(held + piece)
            held.clear()
        if len(held) <= MAX_LINE_BYTES:
            held += rest
