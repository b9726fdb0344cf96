"""Detects that something was not used for a while."""

import math
import threading
import time
from collections.abc import Callable

LOOK_EVERY_S = 60.0  # at least, because the limit may change meanwhile


class IdleWatch:
    """Calls `on_idle` when nothing was touched for `limit_s()` seconds; 0 means never.

    `on_idle` is called on a separate thread. When it returns False, the time starts again.
    """

    def __init__(self, limit_s: Callable[[], float], on_idle: Callable[[], bool]) -> None:
        self._limit_s = limit_s
        self._on_idle = on_idle
        self._touched = time.monotonic()
        self._timer: threading.Timer | None = None

    def touch(self) -> None:
        """Record a use."""
        self._touched = time.monotonic()

    def start(self) -> None:
        """Watch from now on, until `stop` or until it is idle."""
        self.stop()
        self.touch()
        self._look_later()

    def stop(self) -> None:
        """Stop to watch."""
        if self._timer:
            self._timer.cancel()
        self._timer = None

    @property
    def left_s(self) -> float:
        """The seconds until it counts as idle; infinite for never."""
        limit = self._limit_s()
        return self._touched + limit - time.monotonic() if limit else math.inf

    def _look_later(self) -> None:
        self._timer = threading.Timer(min(max(self.left_s, 0), LOOK_EVERY_S), self._look)
        self._timer.name, self._timer.daemon = "idle", True
        self._timer.start()

    def _look(self) -> None:
        if self.left_s <= 0:
            if self._on_idle():
                return
            self.touch()
        if self._timer is threading.current_thread():  # not stopped meanwhile
            self._look_later()
