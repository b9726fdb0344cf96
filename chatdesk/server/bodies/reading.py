"""Reads JSON as clients really send it: with a byte order mark, 16.0 for 16, half an emoji."""

import re
from codecs import BOM_UTF8
from typing import Any, TypeVar

import msgspec

from chatdesk.core.i18n import tr
from chatdesk.server.errors import ApiError, bad_request

_T = TypeVar("_T")
_WIDEST = 2**63
_PLACE = re.compile(r"`\$([^`]*)`$")
_MISSING = re.compile(r"missing required field `(\w+)`")
# An escape of JSON: a pair of surrogates, half of one, or any other.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_HALF_IN_BYTES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")  # as no UTF-8 may have it


class Whole(int):
    """A whole number that may be written with a point, as Lua, R and game engines do."""


def decode(data: bytes, kind: type[_T]) -> _T:
    """Return a request's body. Raises `ApiError` when the data is not JSON of that kind."""
    data = data.removeprefix(BOM_UTF8)
    try:
        try:
            return _decoded(data, kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if (mended := _without_halves(data)) == data:
                raise
            return _decoded(mended, kind)
    except msgspec.ValidationError as problem:
        message = tr("The request is not as it must be: {reason}.", reason=problem)
        raise ApiError(400, message, _place(str(problem)), "invalid_type") from None
    except RecursionError:
        raise bad_request(tr("The JSON is nested too deeply.")) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise bad_request(tr("The body is not JSON in UTF-8: {reason}.", reason=problem)) from None


def _decoded(data: bytes, kind: type[_T]) -> _T:
    return msgspec.json.decode(data, type=kind, dec_hook=_whole)


def _whole(_kind: type, value: Any) -> Whole:
    written = isinstance(value, int) and not isinstance(value, bool)
    if not written and not (isinstance(value, float) and value.is_integer()):
        raise ValueError(f"Expected `int`, got `{type(value).__name__}`")
    if not -_WIDEST <= value < _WIDEST:
        raise ValueError(f"Expected `int` from {-_WIDEST} to {_WIDEST - 1}")
    return Whole(value)


def _without_halves(data: bytes) -> bytes:
    """Return the JSON with U+FFFD for each half of a surrogate pair.

    A client that cut its text in the middle of an emoji cannot mend its history.
    """
    data = _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], data)
    return _HALF_IN_BYTES.sub("\ufffd".encode(), data)


def _place(problem: str) -> str | None:
    """Return the field that msgspec blames, as `messages[0].content`."""
    found = _PLACE.search(problem)
    place = found[1] if found else ""
    if missing := _MISSING.search(problem):
        place += f".{missing[1]}"
    return place.removeprefix(".") or None


def converted(value: Any, kind: Any) -> Any:
    """Return what was read already as another kind. Raises `ApiError` as `decode`."""
    try:
        return msgspec.convert(value, kind, dec_hook=_whole)
    except msgspec.ValidationError as problem:
        message = tr("The request is not as it must be: {reason}.", reason=problem)
        raise ApiError(400, message, _place(str(problem)), "invalid_type") from None
