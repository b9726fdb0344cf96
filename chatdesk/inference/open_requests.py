"""The requests that have not ended; each of them ends exactly once."""

import threading
from collections.abc import Callable

from chatdesk.core.generation import Cancelled
from chatdesk.core.protocol import Event, Terminal


class Requests:
    """The open requests, for any thread. `send` gets at most one terminal event of each request."""

    def __init__(self, send: Callable[[Event], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._open: dict[str, bool] = {}  # True once it is cancelled

    def begin(self, request_id: str) -> bool:
        """Open a request; False when one of that id has not ended yet."""
        with self._lock:
            if request_id in self._open:
                return False
            self._open[request_id] = False
            return True

    def cancel(self, request_id: str) -> None:
        """Mark a request as cancelled; unknown and ended ones are ignored."""
        with self._lock:
            if request_id in self._open:
                self._open[request_id] = True

    def cancel_all(self) -> None:
        """Mark every request as cancelled."""
        with self._lock:
            self._open = dict.fromkeys(self._open, True)

    def is_cancelled(self, request_id: str) -> bool:
        """Return True if a request must end now."""
        return self._open.get(request_id, True)

    def end_cancelled(self, request_id: str) -> bool:
        """End a request that has not begun, if it is cancelled."""
        if not self.is_cancelled(request_id):
            return False
        self.end(Cancelled(request_id, None))
        return True

    def end(self, event: Terminal) -> None:
        """Send a request's terminal event, unless it has had one."""
        with self._lock:
            is_open = self._open.pop(event.request_id, None) is not None
        if is_open:
            self._send(event)
