"""Types of columns whose values are not what SQLite stores.

A damaged file may hold anything in them: a value that means nothing is told as damage. What our own
code raises is not: that is a bug.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Dialect, Enum, Text, TypeDecorator
from sqlalchemy.dialects.sqlite import DATETIME

from chatdesk.store.problems import DamagedValue

Value = TypeVar("Value")
Read = Callable[[Any], Any]


class Checked:
    """Mixed into a type of SQLAlchemy, before it: `DAMAGE` is what reading raises at no value."""

    DAMAGE: tuple[type[Exception], ...]

    def result_processor(self, dialect: Dialect, coltype: object) -> Read | None:
        """Return what reads a stored value; it raises `DamagedValue`."""
        read: Read | None = super().result_processor(dialect, coltype)  # type: ignore[misc]
        return read and partial(_read, read, self.DAMAGE)


def _read(read: Read, damage: tuple[type[Exception], ...], stored: Any) -> Any:
    try:
        return read(stored)
    except damage as problem:
        # Not its message, nor its cause: both may quote what a person wrote.
        raise DamagedValue(type(problem).__name__) from None


def from_json(stored: object, kind: type[Value]) -> Value:
    """Return a value that is stored as JSON, with its types checked. Raises `DamagedValue`."""
    if not isinstance(stored, str):
        raise DamagedValue(type(stored).__name__)
    try:
        return msgspec.json.decode(stored, type=kind)
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise DamagedValue(type(problem).__name__) from None


class _Moment(Checked, DATETIME):
    """SQLite's text of a moment."""

    DAMAGE = (TypeError, ValueError)


class UtcTime(TypeDecorator[datetime]):
    """A moment: stored in UTC, without an offset; aware in Python."""

    impl = _Moment
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC without an offset. A naive moment is a bug: its zone is unknown."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the same moment, aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class AsJson(TypeDecorator[Value], Generic[Value]):
    """Frozen dataclasses as JSON. Fields that a stored value lacks get their defaults."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[Value]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Value | None, dialect: Dialect) -> str | None:
        """Return the value as JSON. Raises `msgspec.ValidationError` for NaN, which JSON lacks."""
        if value is None:
            return None
        encoded = msgspec.json.encode(value)
        msgspec.json.decode(encoded, type=self.kind)  # better an error now than at every reading
        return encoded.decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Value | None:
        """Return the value, with its types checked."""
        return None if value is None else from_json(value, self.kind)


class _Choice(Checked, Enum):
    """A member of an enum, by its value."""

    DAMAGE = (LookupError,)
    cache_ok = True


def choice(kind: type[StrEnum]) -> Enum:
    """Return the type of a column that holds one of the members of `kind`."""
    return _Choice(
        kind,
        native_enum=False,
        length=16,
        values_callable=lambda kind: [member.value for member in kind],
    )
