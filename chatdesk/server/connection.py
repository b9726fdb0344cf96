"""A connection of the server: its client must speak in time and read what it is sent.

Whoever says nothing, or does not read, holds no place that others need: where connections are too
many, the one that has been quiet longest is closed for a new one. One with a request in progress
never is; without the key of a server that has one, no request lasts.
"""

import asyncio
import math
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from chatdesk.core.i18n import tr
from chatdesk.server.errors import try_later

MAX_CONNECTIONS = 256
MAX_PER_ADDRESS = 128
HEAD_TIMEOUT_S = 10.0  # from the first moment to the end of the headers
READ_TIMEOUT_S = 60.0  # so long in all may an answer wait for its reader


class Connection(H11Protocol):
    """One connection; `uvicorn` makes them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many that are in use."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._quiet_since = self.loop.time()
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._patience = READ_TIMEOUT_S
        self._paused_at = 0.0
        self._unread = math.inf
        if self._finds_room():
            self._watch_head()
        else:
            self._refuse()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        for timer in (self._head_timer, self._read_timer):
            if timer:
                timer.cancel()

    @property
    def busy(self) -> bool:
        """True while a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    # Room for new ones

    def _finds_room(self) -> bool:
        others = [each for each in self.connections if each is not self and _is_open(each)]
        same = [each for each in others if _address(each) == _address(self)]
        if len(same) >= MAX_PER_ADDRESS:
            return _close_quietest(same)
        return len(others) < MAX_CONNECTIONS or _close_quietest(others)

    def _refuse(self) -> None:
        response = try_later(tr("Too many requests at a time."), "too_many_requests").response()
        response.headers["connection"] = "close"
        head = [b"HTTP/1.1 503 Service Unavailable", *map(b": ".join, response.raw_headers)]
        self.transport.write(b"\r\n".join([*head, b"", bytes(response.body)]))
        self.transport.close()

    # Clients that do not speak

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        super().data_received(data)
        self._watch_head()

    def _watch_head(self) -> None:
        """Keep the deadline of a request that has not arrived; more of it gives no more time."""
        if self._head_timer and self.busy:
            self._head_timer.cancel()
            self._head_timer = None
        elif not self._head_timer and not self.busy and not self.timeout_keep_alive_task:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.abort)

    # Clients that do not read

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._paused_at = self.loop.time()
        self._read_timer = self.loop.call_later(self._patience, self._leave_reader)

    def resume_writing(self) -> None:
        """Go on; the time that it took does not come again while this request is answered."""
        super().resume_writing()
        self._patience = max(0.0, self._patience - (self.loop.time() - self._paused_at))
        if self._read_timer:
            self._read_timer.cancel()

    def _leave_reader(self) -> None:
        if self.busy:
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._quiet_since = self.loop.time()
        self._patience = READ_TIMEOUT_S
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that no request came on; one that still reads may read to the end."""
        left = self.transport.get_write_buffer_size()
        if 0 < left < self._unread:
            self._unread = left
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        elif left:
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()


def _close_quietest(connections: Iterable[Any]) -> bool:
    """Close the connection that has been without a request longest; False if none is."""
    quiet = [each for each in connections if isinstance(each, Connection) and not each.busy]
    if not quiet:
        return False
    # Those that never sent a request go before those that may send another.
    min(quiet, key=lambda each: (each.cycle is not None, each._quiet_since)).transport.abort()
    return True


def _is_open(connection: Any) -> bool:
    return not connection.transport.is_closing()


def _address(connection: Any) -> str:
    return connection.client[0] if connection.client else ""
