"""Who is served next: first come first served, but nobody who waits behind background work."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from chatdesk.inference.native import AbortFlag


class Request(Protocol):
    """Anything with an id to cancel it by."""

    @property
    def request_id(self) -> str:
        """The id its events carry."""


Job = TypeVar("Job", bound=Request)


class Scheduler(Generic[Job]):
    """A queue served by one thread, which may be stopped in the middle of a request.

    `abort` is set to stop the running request and cleared before the next one. A request that is
    cancelled before its turn is handed to `on_cancelled`, in the cancelling thread.
    """

    def __init__(
        self,
        abort: AbortFlag,
        on_cancelled: Callable[[Job], None],
        is_background: Callable[[Job], bool] = lambda _: False,
    ) -> None:
        self._abort = abort
        self._on_cancelled = on_cancelled
        self._is_background = is_background
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._closed = False
        self._changed = threading.Condition()

    def add(self, job: Job) -> None:
        """Queue a request; one in the foreground stops a running one in the background."""
        with self._changed:
            self._waiting.append(job)
            if (
                self._running is not None
                and self._is_background(self._running)
                and not self._is_background(job)
            ):
                self._abort.set()
            self._changed.notify()

    def cancel(self, request_id: str) -> None:
        """Stop a request; unknown and finished ones are no matter."""
        with self._changed:
            if self._running is not None and self._running.request_id == request_id:
                self._abort.set()
            dropped = [job for job in self._waiting if job.request_id == request_id]
            for job in dropped:
                self._waiting.remove(job)
        for job in dropped:
            self._on_cancelled(job)

    def close(self) -> None:
        """Stop everything; nothing is served any more."""
        with self._changed:
            self._closed = True
            self._abort.set()
            self._changed.notify()

    def serve(self, handle: Callable[[Job], None]) -> None:
        """Handle requests one at a time, until `close`."""
        while (job := self._next()) is not None:
            handle(job)

    def _next(self) -> Job | None:
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._closed or bool(self._waiting))
            if self._closed:
                return None
            job = min(self._waiting, key=self._is_background)  # the first of the better kind
            self._waiting.remove(job)
            self._running = job
            self._abort.clear()
            return job
