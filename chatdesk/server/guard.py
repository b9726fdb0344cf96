"""Access control before every route of the API.

- The Host must be this server's own: another name that resolves to it (DNS rebinding) gets 421.
- A browser page of another origin gets 403 and no CORS header, unless that origin was allowed.
- With a key, every route but /health requires it.
- A limited number of requests run at a time; more get 503.
"""

import logging

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.server.access import Access
from chatdesk.server.asking import ClientGone
from chatdesk.server.dialects.errors import error_response
from chatdesk.server.errors import ApiError, not_served, of_problem, try_later
from chatdesk.server.metrics import Metrics

MAX_OPEN = 32
CLIENT_GONE = 499  # nginx' number for a client that left; counted, never sent
OPEN_TO_ALL = "/health"

_log = logging.getLogger(__name__)


class Guard:
    """Passes requests to `app`, or refuses them; counts both.

    `routes` are the paths to count by name.
    """

    def __init__(
        self, app: ASGIApp, access: Access, metrics: Metrics, routes: frozenset[str]
    ) -> None:
        self._app = app
        self._access = access
        self._metrics = metrics
        self._routes = routes
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        status = CLIENT_GONE
        cors = self._cors(Headers(scope=scope))

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *cors]}
            await send(message)

        asks = scope["method"] == "POST"
        self._open += asks
        try:
            if cors and scope["method"] == "OPTIONS":  # a browser asks before it asks
                await Response(status_code=204)(scope, receive, noting)
                return
            self._check(scope)
            await self._app({**scope, "app": self}, receive, noting)
        except ClientGone:
            pass
        except Exception as problem:
            error = self._error(problem)
            if status == CLIENT_GONE:  # nothing was sent; otherwise the connection closes
                await error_response(error, scope["path"])(scope, receive, noting)
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
        open_to_all = scope["path"] == OPEN_TO_ALL
        self._access.check(Headers(scope=scope), scope["server"][1], open_to_all=open_to_all)
        if self._open > MAX_OPEN:
            raise try_later(tr("Too many requests at a time."), "too_many_requests")

    def _cors(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """Return what lets a page of an allowed origin read an answer."""
        origin = headers.get("origin")
        if not self._access.allows(origin):
            return []
        wanted = headers.get("access-control-request-headers", "*")
        return [
            (name.encode(), value.encode("latin-1"))
            for name, value in (
                ("access-control-allow-origin", origin or ""),
                ("access-control-allow-methods", "GET, POST"),
                ("access-control-allow-headers", wanted),
                ("vary", "origin"),
            )
        ]
