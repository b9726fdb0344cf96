"""The speed of this computer's memory, measured while nothing else needs the computer.

A busy moment says nothing about the computer: what is measured then would call every model slow.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from chatdesk.library.machine.bandwidth import Bandwidth, measure_bandwidth, read_bandwidth
from chatdesk.services.facts import Publish
from chatdesk.services.machine.facts import MachineMeasured

ENOUGH = 3  # measurements in quiet moments, in all starts together: the best of them stays
LOOK_EVERY_S = 5.0  # for a quiet moment
QUIET_PERCENT = 15.0  # of all processors together, used by anything
LISTEN_S = 0.5  # how long that must hold
NEWS = 1.05  # of the known speed: less changes no word that is shown


class MemorySpeed:
    """Measures on a thread of its own, and keeps the best. `is_needed`: the engine is at work."""

    def __init__(self, file: Path, is_needed: Callable[[], bool], publish: Publish) -> None:
        self._file = file
        self._is_needed = is_needed
        self._publish = publish
        self._known = read_bandwidth(file)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory speed", daemon=True)

    @property
    def bytes_per_s(self) -> float:
        """The best that was measured; 0 before the first quiet moment."""
        return self._known.bytes_per_s

    def start(self) -> None:
        """Look for quiet moments from now on, until it was measured often enough."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._closed.set()
        if self._thread.ident:
            self._thread.join()

    def measure(self) -> None:
        """Measure now, whatever the computer does besides; the best stays."""
        self._take(measure_bandwidth(self._file, quiet=False))

    def _watch(self) -> None:
        while self._known.times < ENOUGH and not self._closed.wait(LOOK_EVERY_S):
            if not self._is_needed() and psutil.cpu_percent(LISTEN_S) < QUIET_PERCENT:
                self._take(measure_bandwidth(self._file, quiet=True))

    def _take(self, measured: Bandwidth) -> None:
        before, self._known = self._known, measured
        if measured.bytes_per_s > NEWS * before.bytes_per_s:
            self._publish(MachineMeasured())
