"""Who may ask: the names this server answers to, the origins of pages, the key."""

import hmac
import ipaddress
import socket
from dataclasses import dataclass

from starlette.datastructures import Headers

from chatdesk.core.i18n import tr
from chatdesk.server.errors import ApiError

_HTTP = "80"


@dataclass(frozen=True, slots=True)
class Access:
    """The rules. `host` is the address that is listened on, `key` what clients must send.

    `hosts` are further names of this server, with their port or for any; `origins` are those whose
    pages may ask, too.
    """

    host: str
    key: str | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def check(self, headers: Headers, port: int, *, open_to_all: bool) -> None:
        """Raise `ApiError` for a request that is not allowed; `open_to_all` needs no key."""
        host = headers.get("host", "")
        if not self._is_own(host.lower(), port):
            message = tr(
                "This server does not answer to the name “{host}”. If it is its name, start "
                "“chatdesk serve” with --allow-host, or add it in the settings.",
                host=host,
            )
            raise ApiError(421, message, code="wrong_host")
        origin = headers.get("origin")
        if not self.allows(origin) and (
            headers.get("sec-fetch-site") in ("cross-site", "same-site")
            or origin not in (None, f"http://{host}")
        ):
            message = tr(
                "Pages of other sites get nothing here. If you trust “{origin}”, start “chatdesk "
                "serve” with --allow-origin, or add it in the settings.",
                origin=origin or "?",
            )
            raise ApiError(403, message, code="wrong_origin")
        if self.key and not open_to_all and not _holds(headers, self.key.encode()):
            raise ApiError(
                401,
                tr("The API key is missing or wrong."),
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )

    def allows(self, origin: str | None) -> bool:
        """Return True for a foreign origin that may ask all the same."""
        return origin is not None and origin in self.origins

    def _is_own(self, host: str, port: int) -> bool:
        name, colon, given = host.rpartition(":")
        if not colon or given.endswith("]"):
            name, given = host, _HTTP
        if {name, host} & {each.lower() for each in self.hosts}:
            return True
        if given != str(port):
            return False
        own = self.host.lower()
        if name in ("localhost", own, f"[{own}]"):
            return True
        try:
            address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return not _is_loopback(own) and name == socket.gethostname().lower()
        # Nobody else's name server can make a numeric address point here.
        return address.is_loopback or not _is_loopback(own)


def _holds(headers: Headers, key: bytes) -> bool:
    """Return True for the key as `Bearer`, or as Anthropic's clients send it."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    bearer = given.strip() if scheme.lower() == "bearer" else ""
    sent = (bearer, headers.get("x-api-key", "").strip())
    return any(hmac.compare_digest(each.encode("latin-1"), key) for each in sent)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
