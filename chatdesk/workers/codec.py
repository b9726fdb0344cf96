"""JSON lines between the window and its children: one versioned, typed message a line.

A message is a frozen dataclass; on the wire it is its fields beside a `"type"` with the class's
name. Every line is checked against the declared types, so that garbage becomes a `ProtocolError` to
report and never an exception in a reader thread.
"""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import msgspec

from chatdesk.core.i18n import plain

PROTOCOL_VERSION = 2
MAX_LINE_BYTES = 64 * 1024 * 1024  # a long conversation is a few MB; more is not a message

Message = TypeVar("Message")


class ProtocolError(Exception):
    """A line that is not a message; the text gives the reason, without quoting its content."""


class Codec(Generic[Message]):
    """Writes and reads the messages of one direction.

    `types` are the dataclasses that may arrive; anything else is refused.
    """

    def __init__(self, types: Iterable[type[Message]]) -> None:
        self._types = {kind.__name__: kind for kind in types}

    @staticmethod
    def encode(message: object) -> bytes:
        """Return the message as one line, newline included."""
        fields = msgspec.json.encode(message, enc_hook=plain)[1:]
        comma = b"" if fields == b"}" else b","
        return b'{"type":"%b"%b%b\n' % (type(message).__name__.encode(), comma, fields)

    def decode(self, line: bytes) -> Message:
        """Return the message of a line. Raises `ProtocolError`."""
        if len(line) > MAX_LINE_BYTES:
            raise ProtocolError(f"a line of {len(line)} bytes")
        try:
            fields = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise ProtocolError(f"not a JSON object: {problem}") from None
        name = fields.pop("type", None)
        kind = self._types.get(name) if isinstance(name, str) else None
        if kind is None:
            raise ProtocolError("unknown message type")
        try:
            return msgspec.convert(fields, kind)
        except msgspec.ValidationError as problem:
            raise ProtocolError(f"{kind.__name__}: {problem}") from None
