"""Sentences in the database, stored so that they can be read in the current language.

An object is a sentence with its parts: its message, its values, which may be sentences too, and its
second message if it is of a counted thing. A string is shown as it is: those of older versions, and
of other programs.
"""

from math import isfinite
from typing import cast

import msgspec
from sqlalchemy import Dialect, Text, TypeDecorator

from chatdesk.core.i18n import Sentence
from chatdesk.store.column_types import from_json
from chatdesk.store.problems import DamagedValue


class _Parts(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sentence in the database."""

    message: str
    many: str = ""
    values: "dict[str, str | bool | int | float | _Parts]" = {}


_Stored = str | bool | int | float | _Parts


class AsSentence(TypeDecorator[str]):
    """A sentence for the user, or "" for none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the sentence's parts as JSON; its words if it has no parts."""
        if not value:
            return value
        parts = _parts(value)
        try:
            kept = parts if _words(parts) == value else str(value)
        except DamagedValue:  # a format that only the value itself knows
            kept = str(value)
        return msgspec.json.encode(kept).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the sentence in the current language."""
        if not value:
            return value
        stored: _Stored = from_json(value, _Stored)  # type: ignore[arg-type]
        return cast(str, _words(stored))


def _parts(value: object) -> _Stored:
    if isinstance(value, Sentence):
        return _Parts(
            value.message, value.many, {name: _parts(each) for name, each in value.values.items()}
        )
    if isinstance(value, (bool, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    return str(value)


def _words(stored: _Stored) -> str | float:
    """The sentence, or what is no sentence as it is. Raises `DamagedValue`."""
    if not isinstance(stored, _Parts):
        return stored
    values = {name: _words(each) for name, each in stored.values.items()}
    try:
        return Sentence.of(stored.message, values, stored.many)
    except (LookupError, ValueError, TypeError, AttributeError) as problem:  # its placeholders
        raise DamagedValue(type(problem).__name__) from None
