"""JSON Schemas in the words that llguidance knows, with the same meaning.

What has no effect on an answer is left out: unknown formats are annotations. What llguidance does
not know is said in another way where there is one, for example the names of properties as a
pattern. The rest is refused, by its keyword and place: an answer never leaves its schema silently.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from chatdesk.inference.decoding.schema_rewrites import (
    LISTS,
    ONE,
    Schema,
    say_dependencies,
    say_names,
    say_negation,
    say_numbers,
    say_rest,
    split_look_ahead,
    with_null,
    without_effectless,
    write_out_unique,
)
from chatdesk.inference.decoding.schema_values import key_of, types_of, values_of, without

_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
_REFUSED = (
    "not",
    "if",
    "contains",
    "uniqueItems",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$dynamicRef",
    "$recursiveRef",
)
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_DATA = frozenset({"const", "enum", "default", "examples"})
_MOST_BRANCHES = 50  # each is compared with each


class SchemaError(ValueError):
    """A schema that cannot be kept; the message gives the keyword, its place and the reason."""


def simplify(schema: Any) -> Any:
    """Return a schema that llguidance can keep. Raises `SchemaError`."""
    if schema is False:
        raise SchemaError("it lets nothing follow")
    if not isinstance(schema, dict):
        return {} if schema is True else schema
    try:
        return _Simplifier(schema).subschema(schema, "#")
    except (TypeError, AttributeError, LookupError):  # it is none: llguidance says why
        return schema


def places(schema: Any, keyword: str, place: str = "#") -> Iterator[tuple[Any, str]]:
    """Yield what a keyword says, wherever it stands in a schema, with its place."""
    if isinstance(schema, dict) and keyword in schema:
        yield schema[keyword], f"{place}/{keyword}"
    for key, part in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if isinstance(part, dict | list) and key not in _DATA:
            yield from places(part, keyword, f"{place}/{key}")


class _Simplifier:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._used = _used_places(root)

    def subschema(self, schema: Any, place: str) -> Any:
        """Return a schema, or a part of one, in llguidance's words."""
        if not isinstance(schema, dict):
            return schema
        schema = without_effectless(dict(schema))
        for rewrite in (say_numbers, say_negation, say_dependencies, say_rest, say_names):
            rewrite(schema)
        for key in list(schema):
            schema[key] = self._part(key, schema[key], f"{place}/{key}")
        self._one_of(schema)
        split_look_ahead(schema)
        write_out_unique(schema)
        for key in _REFUSED:
            if key in schema:
                raise SchemaError(f"{key} at {place} is not supported")
        return with_null(schema)

    def _part(self, key: str, value: Any, place: str) -> Any:
        if key in ("$defs", "definitions") and isinstance(value, dict):
            value = {name: each for name, each in value.items() if self._is_used(f"{place}/{name}")}
        if key in ONE and isinstance(value, dict):
            return self.subschema(value, place)
        if (key in LISTS or key == "items") and isinstance(value, list):
            return [self.subschema(each, f"{place}/{n}") for n, each in enumerate(value)]
        if key in _MAPS and isinstance(value, dict):
            return {name: self.subschema(each, f"{place}/{name}") for name, each in value.items()}
        return value

    def _is_used(self, place: str) -> bool:
        return self._used is None or place in self._used

    def _one_of(self, schema: Schema) -> None:
        """Say `oneOf` as `anyOf` where no value fits two of them, or as the values themselves."""
        branches = schema.get("oneOf")
        if not isinstance(branches, list):
            return
        listed = [values_of(self._resolved(each)) for each in branches]
        if None not in listed:
            keys = [{key_of(each): each for each in values} for values in listed if values]
            times = Counter(key for each in keys for key in each)
            left = [value for each in keys for key, value in each.items() if times[key] == 1]
            if left and "enum" not in schema:
                schema["enum"] = left
                del schema["oneOf"]
        elif "anyOf" not in schema and len(branches) <= _MOST_BRANCHES:
            pairs = combinations(map(self._resolved, branches), 2)
            if all(self._are_disjoint(one, other) for one, other in pairs):
                schema["anyOf"] = schema.pop("oneOf")

    def _are_disjoint(self, one: Any, other: Any) -> bool:
        one, other = self._resolved(one), self._resolved(other)
        if not isinstance(one, dict) or not isinstance(other, dict):
            return False
        if not set(types_of(one)) & set(types_of(other)):
            return True
        values, others = values_of(one), values_of(other)
        if values is not None and others is not None:
            return len(without(values, others)) == len(values)
        if not one.get("type") == other.get("type") == "object":
            return False
        shared = set(one.get("required", ())) & set(other.get("required", ()))
        parts = [
            (one.get("properties", {}).get(n), other.get("properties", {}).get(n)) for n in shared
        ]
        return any(a is not None and b is not None and self._are_disjoint(a, b) for a, b in parts)

    def _resolved(self, schema: Any) -> Any:
        for _ in range(8):
            if not isinstance(schema, dict) or not str(schema.get("$ref")).startswith("#/"):
                return schema
            found: Any = self._root
            for step in schema["$ref"][2:].split("/"):
                found = found.get(step) if isinstance(found, dict) else None
            schema = found
        return None


def _used_places(root: Schema) -> set[str] | None:
    """Return the places that references lead to or through; None if some cannot be told."""
    places: set[str] = set()
    for reference in _references(root):
        if reference == "#":
            continue
        if not reference.startswith("#/") or "%" in reference or "~" in reference:
            return None
        steps = reference.split("/")
        places |= {"/".join(steps[:n]) for n in range(2, len(steps) + 1)}
    return places


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (
            each for key, each in value.items() if key in _REFERENCES and isinstance(each, str)
        )
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from _references(part)
