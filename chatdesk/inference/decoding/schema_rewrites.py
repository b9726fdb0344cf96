"""Keywords of JSON Schema that llguidance does not know, said with those that it knows.

Each function changes a schema where there is another way to say the same, and leaves it else.
"""

import re
from collections.abc import Iterator
from typing import Any

from chatdesk.inference.decoding.schema_values import types_of, values_of, without

Schema = dict[str, Any]

ONE = frozenset(  # keywords with one schema
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})  # with several
_FORMATS = frozenset(
    {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "time",
        "uri",
        "uuid",
    }
)
_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "$ref", "$dynamicRef", "if", "dependentSchemas"})
_OF_ARRAYS = ("uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems")
_OF_OBJECTS = (
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
)
_COUNTS = frozenset(
    f"{end}{what}" for end in ("min", "max") for what in ("Length", "Items", "Properties")
)
_SAY_NOTHING = frozenset({"type", "title", "description", "$comment", "$schema", "$id"})
_LONGEST_PATTERN = 1000  # whose look-ahead is split off; longer ones are refused
_MOST_ARRANGED = 4  # values of a list without repetition: all its orders are written out


def without_effectless(schema: Schema) -> Schema:
    """Drop annotations, and keywords about types that a value does not have."""
    types = types_of(schema)
    if "array" not in types:
        _drop(schema, *_OF_ARRAYS)
    if "object" not in types:
        _drop(schema, *_OF_OBJECTS)
    if schema.get("format") not in _FORMATS:
        _drop(schema, "format")
    if "if" not in schema or not schema.keys() & {"then", "else"}:
        _drop(schema, "if", "then", "else")
    if "contains" not in schema or (schema.get("minContains") == 0 and "maxContains" not in schema):
        _drop(schema, "contains", "minContains", "maxContains")
    if schema.get("uniqueItems") is False or schema.get("maxItems") in (0, 1):
        _drop(schema, "uniqueItems")
    return schema


def say_numbers(schema: Schema) -> None:
    """Say the bounds of draft 4 in those of today, and counts without a point."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif schema.get(exclusive) is False:
            del schema[exclusive]
    for key in _COUNTS & schema.keys():
        if isinstance(schema[key], float) and schema[key].is_integer():
            schema[key] = int(schema[key])


def say_negation(schema: Schema) -> None:
    """Say `not` of a type, of listed values or of properties in another way."""
    denied = schema.get("not")
    if denied is False or denied == {"not": {}}:
        del schema["not"]
    elif isinstance(denied, dict) and denied.keys() == {"type"}:
        left = [each for each in types_of(schema) if each not in types_of(denied)]
        if not left or "integer" in str(denied["type"]) or "integer" in str(schema.get("type")):
            return
        schema["type"] = left
        del schema["not"]
    elif isinstance(denied, dict) and denied.keys() == {"not"}:
        del schema["not"]
        schema["allOf"] = [*schema.get("allOf", []), denied["not"]]
    elif isinstance(denied, dict) and "enum" in schema and (values := values_of(denied)):
        schema["enum"] = without(schema["enum"], values)
        del schema["not"]
    elif isinstance(denied, dict) and denied.keys() == {"required"}:
        names = denied["required"]
        if len(names) == 1 and schema.get("type") == "object":
            schema["properties"] = {**schema.get("properties", {}), names[0]: False}
            del schema["not"]


def say_dependencies(schema: Schema) -> None:
    """Say that a property needs others as a choice: without it, or with them."""
    keywords = ("dependencies", "dependentRequired", "dependentSchemas")
    choices = []
    for name, asked in (pair for key in keywords for pair in schema.pop(key, {}).items()):
        needed = {"required": asked} if isinstance(asked, list) else asked
        if needed not in (True, {}, {"required": []}):
            absent = {"properties": {name: False}}
            choices.append(absent if needed is False else {"anyOf": [absent, needed]})
    if choices:
        schema["allOf"] = [*schema.get("allOf", []), *choices]


def say_rest(schema: Schema) -> None:
    """Say `unevaluated…` of a schema that nothing else adds to as `additional…`."""
    for key, other in (
        ("unevaluatedProperties", "additionalProperties"),
        ("unevaluatedItems", "items"),
    ):
        says_all = not isinstance(schema.get(other, []), list)  # a list is of the first items
        if schema.get(key) in (True, {}) or (key in schema and says_all):
            del schema[key]
        elif key in schema and not schema.keys() & {*_IN_PLACE, other}:
            schema[other] = schema.pop(key)


def say_names(schema: Schema) -> None:
    """Say what names properties may have by the properties that there may be."""
    if "propertyNames" not in schema:
        return
    names = schema["propertyNames"]
    if isinstance(names, dict):
        names = without_effectless({"type": "string", **names})
    if names is True or (isinstance(names, dict) and _is_any_text(names)):
        del schema["propertyNames"]
    elif (only := _properties_named(names)) is not None:
        del schema["propertyNames"]
        schema["allOf"] = [*schema.get("allOf", []), {**only, "additionalProperties": False}]


def _is_any_text(names: Schema) -> bool:
    return names["type"] == "string" and names.keys() <= _SAY_NOTHING


def _properties_named(names: Any) -> Schema | None:
    """Return the properties with such names; None if there is no way to say it."""
    if names is False:
        return {}
    if (values := values_of(names)) is not None:
        return {"properties": dict.fromkeys(values, True)}
    if not isinstance(names, dict) or names["type"] != "string":
        return None
    asked = {key: each for key, each in names.items() if key not in _SAY_NOTHING}
    if asked.keys() == {"pattern"}:
        return {"patternProperties": {asked["pattern"]: True}}
    if asked.keys() <= {"minLength", "maxLength"}:
        sizes = f"{{{asked.get('minLength', 0)},{asked.get('maxLength', '')}}}"
        return {"patternProperties": {rf"^[\s\S]{sizes}$": True}}
    return None


def split_look_ahead(schema: Schema) -> None:
    """Split look-ahead at the beginning of a pattern off: a text then has to match both."""
    pattern = schema.get("pattern")
    if not isinstance(pattern, str) or not pattern.startswith("^(?="):
        return
    if len(pattern) > _LONGEST_PATTERN:
        return
    ahead = []
    rest = pattern[1:]
    while rest.startswith("(?=") and (end := _group_end(rest)):
        ahead.append({"pattern": f"^(?:{rest[3:end]})"})
        rest = rest[end + 1 :]
    if any(sign == "|" and not depth for _, sign, depth in _signs(rest)):
        return  # the look-ahead is of the first choice only
    schema["pattern"] = f"^{rest}"
    schema["allOf"] = [*schema.get("allOf", []), *ahead]


def _group_end(pattern: str) -> int:
    """Return where the group that a pattern begins with is closed; 0 if it is not."""
    return next((at for at, sign, depth in _signs(pattern) if sign == ")" and not depth), 0)


def _signs(pattern: str) -> Iterator[tuple[int, str, int]]:
    """Yield the parentheses and bars of a pattern with their depth; those in a class are none."""
    depth = 0
    for found in re.finditer(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", pattern, re.DOTALL):
        sign = found[0]
        depth += (sign == "(") - (sign == ")")
        if len(sign) == 1:
            yield found.start(), sign, depth


def write_out_unique(schema: Schema) -> None:
    """Write out the lists without repetition of few values."""
    values = values_of(schema.get("items")) if schema.get("uniqueItems") is True else None
    if values is None or len(values) > _MOST_ARRANGED or schema.keys() & {"prefixItems", "enum"}:
        return
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(values))
    if schema.get("type") != "array":
        return
    arranged: list[list[Any]] = [[]]
    everything: list[list[Any]] = []
    while arranged:
        everything += [each for each in arranged if least <= len(each) <= most]
        arranged = [[*each, v] for each in arranged for v in without(values, each)]
    _drop(schema, "uniqueItems", "items", "minItems", "maxItems", "type")
    schema["enum"] = everything


def with_null(schema: Schema) -> Schema:
    """Let OpenAPI's `nullable` allow null."""
    if schema.pop("nullable", False) is not True or "null" in str(schema.get("type")):
        return schema
    if schema.keys() & {"enum", "const", "$ref", *LISTS} or "type" not in schema:
        definitions: Schema = {
            key: schema.pop(key) for key in ("$defs", "definitions") if key in schema
        }
        return {"anyOf": [schema, {"type": "null"}], **definitions}
    types = schema["type"]
    return {**schema, "type": [*(types if isinstance(types, list) else [types]), "null"]}


def _drop(schema: Schema, *keys: str) -> None:
    for key in keys:
        schema.pop(key, None)
