"""The point where a run waits while it is paused, and stops when it is cancelled.

torch gets one operation at a time, so that holding back the next one stops everything: the threads
of its pool sleep between operations (`GOMP_SPINCOUNT`), and the cores are free.
"""

import threading
import time
from collections.abc import Callable


class Stopped(Exception):
    """The run was cancelled."""


class PauseGate:
    """A gate that the computing thread passes repeatedly; another thread opens and closes it.

    `tick` is called about every `tick_s` seconds by the computing thread.
    """

    def __init__(self, tick_s: float = 1.0) -> None:
        self.tick: Callable[[], None] = lambda: None
        self._tick_s = tick_s
        self._changed = threading.Condition()
        self._is_open = True
        self._is_stopped = False
        self._paused_s = 0.0
        self._ticked = self._started = time.monotonic()

    def close(self) -> None:
        """Pause from the next operation on."""
        self._set(is_open=False)

    def open(self) -> None:
        """Resume."""
        self._set(is_open=True)

    def stop(self) -> None:
        """Make `pass_through` raise `Stopped` from now on, also while it waits."""
        self._set(is_stopped=True)

    def seconds(self) -> float:
        """Return the time since the beginning, without pauses."""
        return time.monotonic() - self._started - self._paused_s

    def pass_through(self) -> None:
        """Wait while the gate is closed. Raises `Stopped`."""
        if not self._is_open or self._is_stopped:
            self._wait()
        if time.monotonic() - self._ticked >= self._tick_s:
            self._ticked = time.monotonic()
            self.tick()

    def _wait(self) -> None:
        closed = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._is_open or self._is_stopped)
        self._paused_s += time.monotonic() - closed
        if self._is_stopped:
            raise Stopped

    def _set(self, *, is_open: bool | None = None, is_stopped: bool = False) -> None:
        with self._changed:
            self._is_open = self._is_open if is_open is None else is_open
            self._is_stopped = self._is_stopped or is_stopped
            self._changed.notify_all()
