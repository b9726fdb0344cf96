"""The API on the network: a socket, and uvicorn in its own thread."""

import ipaddress
import logging
import socket
import threading

import uvicorn

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.server.access import Access
from chatdesk.server.connection import Connection
from chatdesk.server.routes import Api
from chatdesk.server.serving import ServingService
from chatdesk.services.app import App

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8089
MAX_PORT = 2**16 - 1
KEEP_ALIVE_S = 15
STOP_GRACE_S = 1  # time for answers in progress when the server stops
MAX_HEADER_BYTES = 32 * 1024

_log = logging.getLogger(__name__)


class ApiServer:
    """Serves the API over the services' own engine until it is stopped. It can start only once.

    Port 0 takes any free port. Every `host` other than this computer itself needs a `key`.
    `hosts` and `origins` are allowed beside the server's own.
    """

    def __init__(
        self,
        services: App,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        key: str | None = None,
        hosts: tuple[str, ...] = (),
        origins: tuple[str, ...] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._key = key
        self._api = Api(ServingService(services), Access(host, key, hosts, origins))
        self._server = uvicorn.Server(_config(self._api))
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the API, `/v1` included; known after the start."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v1"

    @property
    def running(self) -> bool:
        """True while requests are served."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start to listen. Raises `EnvironmentProblem` when that is not possible."""
        listening = self._listen()
        self._port = listening.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="api", daemon=True
        )
        self._thread.start()
        _log.info("listening on %s", self.url)

    def wait(self, seconds: float) -> None:
        """Wait for `seconds`, or until the server ends."""
        if self._thread:
            self._thread.join(seconds)

    def stop(self) -> None:
        """Close every connection, and cancel the requests in progress."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        self._api.close()

    def _listen(self) -> socket.socket:
        limits = {"value": self._port, "low": 0, "high": MAX_PORT}
        try:
            if not 0 <= self._port <= MAX_PORT:
                message = tr("“{value}” is not a whole number from {low} to {high}", **limits)
                raise OverflowError(message)
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            family, _, _, _, address = found[0]
            if not self._key and not ipaddress.ip_address(address[0]).is_loopback:
                raise EnvironmentProblem(
                    tr("Other computers could use {host} without a key.", host=self._host),
                    tr("Give one with --api-key, or serve on 127.0.0.1."),
                )
            return socket.create_server((address[0], self._port), family=family, backlog=128)
        except (OSError, OverflowError, UnicodeError) as problem:
            reason = getattr(problem, "strerror", None) or problem
            raise EnvironmentProblem(
                tr(
                    "{host}, port {port}, cannot be listened on: {reason}.",
                    host=self._host,
                    port=self._port,
                    reason=reason,
                ),
                tr("Choose another port or address."),
            ) from None


def _config(api: Api) -> uvicorn.Config:
    return uvicorn.Config(
        api.app,
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",  # the guard logs bugs; other errors are the client's
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_GRACE_S,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
    )
