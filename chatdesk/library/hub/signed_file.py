"""A small file signed by its makers, fetched over https in a request that discloses nothing.

Its first line is an Ed25519 signature (RFC 8032) in base64; the rest is the signed text, byte for
byte. The library for it is `cryptography`: it is the most audited and maintained one, it is in the
bundle for Linux already (keyring's SecretStorage needs it), and two would have to be kept up to
date; this is worth the 10 MB it adds on macOS and Windows (PyNaCl: 1 MB).
"""

import base64
from time import monotonic
from typing import TYPE_CHECKING

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr

if TYPE_CHECKING:
    import httpx2

MAX_SIGNED = 4096  # bytes of the whole file
WAIT_S = 10.0  # for a connection, and for the next byte
WHOLE_S = 20.0  # for the whole answer, with redirects
MAX_REDIRECTS = 3
HEADERS = {"User-Agent": "chatdesk", "Accept": "*/*", "Accept-Encoding": "identity"}


class Unreachable(EnvironmentProblem):
    """The file could not be fetched."""


class NotGenuine(EnvironmentProblem):
    """The fetched data is not what the makers signed."""


def fetch_signed(address: str, public_key: bytes) -> bytes:
    """Return the signed data, from the file at an https address.

    The request has no cookies and names no version. Raises `Unreachable` and `NotGenuine`.
    """
    import httpx2

    # The last three come from proxy or certificate settings that cannot be used.
    unusable = (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, ImportError)
    try:
        data = _fetch(address, monotonic() + WHOLE_S)
    except unusable as error:
        raise Unreachable(
            tr("The update server could not be reached."),
            tr("Check your internet connection, or try again later."),
        ) from error
    return open_signed(data, public_key)


def open_signed(data: bytes, public_key: bytes) -> bytes:
    """Return the signed data, without its signature. Raises `NotGenuine`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    signature, _, body = data.partition(b"\n")
    try:
        if len(data) > MAX_SIGNED:
            raise ValueError(len(data))
        signed = base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signed, body)
    except (InvalidSignature, ValueError):
        raise NotGenuine(
            tr("The answer of the update server is not signed by the makers of ChatDesk."),
            tr("It was not used. Try again later."),
        ) from None
    return body


def _fetch(address: str, until: float) -> bytes:
    """Return the file, or a little more than its limit. Raises httpx2's errors."""
    import httpx2

    with (
        httpx2.Client(
            headers=HEADERS,
            timeout=WAIT_S,
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            event_hooks={"request": [_guard]},
        ) as client,
        client.stream("GET", address) as answer,
    ):
        answer.raise_for_status()
        data = b""
        for piece in answer.iter_raw():  # raw: nothing is unpacked, because it may be a bomb
            data += piece
            if len(data) > MAX_SIGNED:
                break
            if monotonic() > until:
                raise httpx2.ReadTimeout("the answer trickles")
        return data


def _guard(request: "httpx2.Request") -> None:
    """Check each request, also of redirects: it is encrypted, and carries no cookie."""
    import httpx2

    if request.url.scheme != "https":
        raise httpx2.UnsupportedProtocol("not https")
    request.headers.pop("Cookie", None)
