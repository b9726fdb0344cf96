"""Access control before every route of the API.

- The Host must be this server's own: another name that resolves to it (DNS rebinding) gets 421.
- A browser page of another origin gets 403 and never any CORS header.
- With a key, every route but /health requires it.
- A limited number of requests run at a time; more get 503.
"""

import hmac
import ipaddress
import logging
import socket

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.server.asking import ClientGone
from chatdesk.server.errors import ApiError, not_served, of_problem, try_later
from chatdesk.server.metrics import Metrics

MAX_OPEN = 32
CLIENT_GONE = 499  # nginx' number for a client that left; counted, never sent
OPEN_TO_ALL = "/health"

_log = logging.getLogger(__name__)


class Guard:
    """Passes requests to `app`, or refuses them; counts both.

    `host` is the address that the server listens on; `routes` are the paths to count by name.
    """

    def __init__(
        self, app: ASGIApp, host: str, key: str | None, metrics: Metrics, routes: frozenset[str]
    ) -> None:
        self._app = app
        self._host = host.lower()
        self._key = key.encode() if key else None
        self._metrics = metrics
        self._routes = routes
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        status = CLIENT_GONE

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        asks = scope["method"] == "POST"
        self._open += asks
        try:
            self._check(scope)
            await self._app({**scope, "app": self}, receive, noting)
        except ClientGone:
            pass
        except Exception as problem:
            error = self._error(problem)
            if status == CLIENT_GONE:  # nothing was sent; otherwise the connection closes
                await error.response()(scope, receive, noting)
        finally:
            self._open -= asks
            route = scope["path"] if scope["path"] in self._routes else "other"
            self._metrics.answered(route, status)

    @staticmethod
    def _error(problem: Exception) -> ApiError:
        match problem:
            case ApiError():
                return problem
            case EnvironmentProblem():
                return of_problem(problem)
            case HTTPException():  # the router raises it, because the scope has an "app"
                return not_served(problem)
        _log.error("a bug in the API", exc_info=problem)
        return ApiError(500, tr("This is a bug in ChatDesk. Its log has the details."))

    def _check(self, scope: Scope) -> None:
        """Raise `ApiError` for a request that is not allowed."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(host, scope["server"][1]):
            raise ApiError(421, tr("This server does not answer to that name."), code="wrong_host")
        foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if foreign or headers.get("origin", f"http://{host}") != f"http://{host}":
            raise ApiError(403, tr("Pages of other sites get nothing here."), code="wrong_origin")
        if self._key and scope["path"] != OPEN_TO_ALL:
            self._check_key(headers.get("authorization", ""), self._key)
        if self._open > MAX_OPEN:
            raise try_later(tr("Too many requests at a time."), "too_many_requests")

    def _is_own(self, host: str, port: int) -> bool:
        name, colon, given = host.lower().rpartition(":")
        if not colon or given.endswith("]"):
            name, given = host.lower(), "80"
        if given != str(port):
            return False
        if name in ("localhost", self._host, f"[{self._host}]"):
            return True
        try:
            address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return not _is_loopback(self._host) and name == socket.gethostname().lower()
        # Nobody else's name server can make a numeric address point here.
        return address.is_loopback or not _is_loopback(self._host)

    @staticmethod
    def _check_key(authorization: str, key: bytes) -> None:
        scheme, _, given = authorization.partition(" ")
        right = hmac.compare_digest(given.strip().encode("latin-1"), key)
        if scheme.lower() != "bearer" or not right:
            headers = {"www-authenticate": "Bearer"}
            message = tr("The API key is missing or wrong.")
            raise ApiError(401, message, code="invalid_api_key", headers=headers)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
