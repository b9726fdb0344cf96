"""The API of the running app, on or off as the settings say."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from chatdesk.core.settings import ServerSettings, Settings
from chatdesk.services.app import App

if TYPE_CHECKING:  # it imports starlette and uvicorn: only when the API is on
    from chatdesk.server.api_server import ApiServer


class ServerSwitch:
    """Starts, moves and stops the API of one app. Any thread may call; a start takes a moment."""

    def __init__(self, services: App, settings: Callable[[], Settings]) -> None:
        self._services = services
        self._settings = settings
        self._lock = threading.Lock()
        self._server: ApiServer | None = None
        self._served: ServerSettings | None = None  # those of the running server
        self._closed = False

    def apply(self) -> str:
        """Follow the settings; return the API's address, or "" while it is off.

        Raises `EnvironmentProblem` when it cannot start.
        """
        with self._lock:
            settings = self._settings().server
            wanted = settings if settings.on and not self._closed else None
            if wanted != self._served:
                self._stop()
                if wanted:
                    self._start(wanted)
                    self._served = wanted
            return self._server.url if self._server else ""

    def close(self) -> None:
        """Stop for good."""
        with self._lock:
            self._closed = True
            self._stop()

    def _start(self, wanted: ServerSettings) -> None:
        from chatdesk.server.api_server import ApiServer

        server = ApiServer(
            self._services,
            port=wanted.port,
            key=wanted.key or None,
            hosts=wanted.allow_hosts,
            origins=wanted.allow_origins,
        )
        try:
            server.start()
        except BaseException:
            server.stop()
            raise
        self._server = server

    def _stop(self) -> None:
        server, self._server, self._served = self._server, None, None
        if server:
            server.stop()
