"""Values of JSON that may be of any type: each gives what it can, and otherwise nothing."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from chatdesk.core.chat import Role
from chatdesk.core.imported import ImportedFile
from chatdesk.core.parts import Part, Text, Thinking

Json = dict[str, Any]
AnyPart = Part | ImportedFile

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)  # before there were chats with models
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?\d{1,19}(\.\d+)?")
_LARGEST_S = 1e11  # later than the year 5000: the unit is smaller
_ROLES = {
    "user": Role.USER,
    "human": Role.USER,
    "assistant": Role.ASSISTANT,
    "gpt": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "bot": Role.ASSISTANT,
    "ai": Role.ASSISTANT,
    "chatgpt": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}


def text(found: object) -> str:
    """A text without NUL, which the database's functions would end at."""
    return found.replace("\0", "") if isinstance(found, str) else ""


def name(found: object, longest: int = 500) -> str:
    """A text of one line, as a title."""
    return " ".join(text(found).split())[:longest]


def identity(found: object) -> str:
    """An id: a text or a whole number."""
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return text(found)


def record(found: object) -> Json:
    """An object."""
    return found if isinstance(found, dict) else {}


def items(found: object) -> list[Any]:
    """The items of an array, or of an object the values."""
    if isinstance(found, dict):
        return list(found.values())
    return found if isinstance(found, list) else []


def records(found: object) -> Iterator[Json]:
    """The objects of an array."""
    return (each for each in items(found) if isinstance(each, dict))


def number(found: object) -> float | None:
    """A finite number, also as text."""
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        found = float(found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        value = float(found)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def moment(found: object) -> datetime | None:
    """A moment, from ISO 8601 or a number of seconds, milliseconds, microseconds or less.

    None for one that no chat can be of: before 1970, or after tomorrow.
    """
    if isinstance(found, dict):  # MongoDB's
        return moment(found.get("$date", found.get("$numberLong")))
    value = number(found)
    try:
        if value is not None:
            while abs(value) > _LARGEST_S:
                value /= 1000
            at = _EPOCH + timedelta(seconds=value)
        elif isinstance(found, str):
            at = datetime.fromisoformat(found.strip())
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return at if EARLIEST <= at <= datetime.now(UTC) + timedelta(days=1) else None


def role(found: object) -> Role | None:
    """Who wrote a message; None for tools and what else there is."""
    return _ROLES.get(found.lower()) if isinstance(found, str) else None


def words(said: str, thinking: str = "") -> tuple[AnyPart, ...]:
    """The parts of a message of words, the thinking first."""
    thought: tuple[AnyPart, ...] = (Thinking(thinking),) if thinking.strip() else ()
    return (*thought, Text(said)) if said.strip() else thought


def arranged(parts: list[AnyPart]) -> tuple[AnyPart, ...]:
    """The parts with texts that follow each other as one, a paragraph each, and no empty ones."""
    arranged: list[AnyPart] = []
    for part in parts:
        if isinstance(part, Text | Thinking):
            if not part.text.strip():
                continue
            last = arranged[-1] if arranged else None
            if type(last) is type(part):
                arranged[-1] = type(part)(f"{last.text}\n\n{part.text}")
                continue
        arranged.append(part)
    return tuple(arranged)
