"""A speed limit that all downloads share."""

import threading
import time
from collections.abc import Callable

_LOOK_AGAIN_S = 0.2  # during a wait, for a changed limit


class SpeedLimit:
    """A limit at which each received piece reserves its time, after those of all others.

    `bytes_per_s` is called each time; 0 means no limit.
    """

    def __init__(self, bytes_per_s: Callable[[], int]) -> None:
        self._bytes_per_s = bytes_per_s
        self._lock = threading.Lock()
        self._rate = 0
        self._free_at = 0.0  # monotonic clock

    def spend(self, count: int, sleep: Callable[[float], None]) -> None:
        """Wait, in small steps through `sleep`, for the time that `count` bytes may take."""
        until = self._book(count)
        while (left := until - time.monotonic()) > 0 and self._bytes_per_s() == self._rate:
            sleep(min(left, _LOOK_AGAIN_S))

    def _book(self, count: int) -> float:
        rate, now = self._bytes_per_s(), time.monotonic()
        with self._lock:
            if rate != self._rate:  # reservations at another rate are dropped
                self._rate, self._free_at = rate, now
            if rate:
                self._free_at = max(self._free_at, now) + count / rate
            return self._free_at
