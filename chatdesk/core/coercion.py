"""Dataclasses from untrusted JSON: a value that does not fit a field leaves its default."""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from chatdesk.core.unicode import sound_json, sound_text

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Annotates a number's type: a smaller one becomes `least`."""

    least: int


@dataclass(frozen=True, slots=True)
class Between:
    """Annotates a number's type: one outside becomes the nearer end."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """Annotates a string's type: any other string does not fit."""

    values: tuple[str, ...]


def coerced(kind: type[_T], found: object) -> _T:
    """Return a dataclass with the values that fit its fields, and otherwise its defaults."""
    return kind(**fitting(kind, found))


def fitting(kind: type, found: object) -> dict[str, Any]:
    """Return the values that fit a dataclass's fields, by name."""
    values: dict[str, Any] = {}
    for name, hint in _hints(kind).items():
        if isinstance(found, dict) and name in found:
            try:
                values[name] = _value(name, hint, found[name])
            except ValueError:
                continue  # the default stays
    return values


def unknown(kind: type, found: object) -> dict[str, Any]:
    """Return the values that belong to no field: another version's."""
    values = found if isinstance(found, dict) else {}
    others = {name: value for name, value in values.items() if name not in _hints(kind)}
    return {sound_text(name): sound_json(value) for name, value in others.items()}


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _value(name: str, kind: Any, found: Any) -> Any:
    """Return a JSON value converted to a field's type. Raises `ValueError`."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _ruled(_value(name, inner[0], found), inner[1])
    if origin is UnionType:  # with None
        return None if found is None else _value(name, inner[0], found)
    if origin is tuple and isinstance(found, list | tuple):
        kinds = inner[:1] * len(found) if inner[-1] is ... else inner
        return tuple(_value(name, *each) for each in zip(kinds, found, strict=True))
    if origin is Mapping and isinstance(found, dict):
        return sound_json(found)
    if origin is dict and isinstance(found, dict):
        return {sound_text(key): _value(name, inner[1], value) for key, value in found.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return coerced(kind, found)
    if type(found) in (int, float) and not abs(found) < _largest(name):  # also NaN
        raise ValueError(name)
    if kind is float and type(found) is int:
        return float(found)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(found)
    if type(found) is not kind:
        raise ValueError(name)
    return sound_text(found) if isinstance(found, str) else found


def _ruled(value: Any, rule: AtLeast | Between | OneOf) -> Any:
    if isinstance(rule, AtLeast):
        return max(value, rule.least)
    if isinstance(rule, Between):
        return min(max(value, rule.least), rule.most)
    if value not in rule.values:
        raise ValueError(value)
    return value


def _largest(name: str) -> int:
    """Return a limit above every meaningful number: a seed is below 2**32, a disk may be larger."""
    return 2**50 if name.endswith("_bytes") else 2**32
