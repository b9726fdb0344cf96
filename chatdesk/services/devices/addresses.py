"""Addresses of other computers in a trusted network that lend their devices."""

import socket

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr

DEVICE_PORT = 50052  # of `chatdesk serve-device`
_PATIENCE_S = 3.0
_MAX_PORT = 2**16 - 1


def device_address(typed: str) -> str:
    """Return the typed text as "host:port", with the default port if it has none.

    Raises `EnvironmentProblem`.
    """
    host, colon, port = typed.strip().partition(":")
    port = port if colon else str(DEVICE_PORT)
    named = host and not any(letter.isspace() or letter in "/@" for letter in host)
    if not (named and port.isascii() and port.isdecimal() and 0 < int(port) <= _MAX_PORT):
        raise EnvironmentProblem(
            tr("“{address}” is not the address of a computer.", address=typed.strip()),
            tr("It looks like this: {example}", example=f"192.168.1.20:{DEVICE_PORT}"),
        )
    return f"{host}:{int(port)}"


def answers(address: str) -> bool:
    """Return True if a computer accepts connections at "host:port"; waits a few seconds for it."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _PATIENCE_S).close()
    except (OSError, UnicodeError):
        return False
    return True
