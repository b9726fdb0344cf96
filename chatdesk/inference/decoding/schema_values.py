"""The types and values that a JSON Schema says of itself."""

import json
import re
from collections.abc import Mapping
from typing import Any

TYPES = ("null", "boolean", "object", "array", "number", "string")  # an integer is a number
_OF_VALUES = frozenset({"const", "enum", "type", "title", "description", "default", "deprecated"})


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a value may have, all if the schema does not say."""
    if "type" in schema:
        given = schema["type"]
        listed = given if isinstance(given, list) else [given]
        return ["number" if each == "integer" else each for each in listed]
    values = values_of(schema)
    return list(TYPES) if values is None else sorted({type_of(each) for each in values})


def type_of(value: Any) -> str:
    """Return the type of a JSON value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")


def values_of(schema: Any) -> list[Any] | None:
    """Return the only values of a schema that lists them, and says nothing else but their type."""
    if not isinstance(schema, dict) or not schema.keys() <= _OF_VALUES:
        return None
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(listed, list) or {"const", "enum"} <= schema.keys():
        return None
    if schema.get("type") == "integer":
        return [each for each in listed if re.fullmatch("-?[0-9]+", key_of(each))]
    types = types_of({"type": schema["type"]}) if "type" in schema else TYPES
    return [each for each in listed if type_of(each) in types]


def key_of(value: Any) -> str:
    """Return a text that equal JSON values share: 1 is 1.0, and not true."""
    if isinstance(value, dict):
        return json.dumps(sorted([key, key_of(each)] for key, each in value.items()))
    if isinstance(value, list):
        return json.dumps([key_of(each) for each in value])
    is_whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if is_whole else value)


def without(values: list[Any], others: list[Any]) -> list[Any]:
    """Return the values that equal none of the others."""
    left_out = set(map(key_of, others))
    return [each for each in values if key_of(each) not in left_out]
