"""JSON Schemas in the words that llguidance knows, with the same meaning.

What has no effect on an answer is left out: unknown formats are annotations. What llguidance does
not know is said in another way where there is one, for example the names of properties as a
pattern. The rest is refused, by its keyword and place: an answer never leaves its schema silently.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

Schema = dict[str, Any]

_TYPES = ("null", "boolean", "object", "array", "number", "string")  # an integer is a number
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
_ONE = frozenset({"additionalProperties", "additionalItems", "items", "contains", "not", "if"})
_ONE |= {"then", "else", "propertyNames", "unevaluatedItems", "unevaluatedProperties"}
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "$ref", "$dynamicRef", "if", "dependentSchemas"})
_OF_ARRAYS = ("uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems")
_OF_OBJECTS = ("propertyNames", "dependentRequired", "dependentSchemas", "dependencies")
_OF_OBJECTS += ("unevaluatedProperties",)
_REFUSED = ("not", "if", "contains", "uniqueItems", "propertyNames", "unevaluatedItems")
_REFUSED += ("unevaluatedProperties", "$dynamicRef", "$recursiveRef")
_COUNTS = frozenset(
    f"{end}{what}" for end in ("min", "max") for what in ("Length", "Items", "Properties")
)
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_OF_VALUES = frozenset({"const", "enum", "type", "title", "description", "default", "deprecated"})
_MOST_BRANCHES = 50  # each is compared with each
_MOST_ARRANGED = 4  # values of a list without repetition: all its orders are written out


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


def patterns(schema: Any, place: str = "#") -> Iterator[tuple[str, str]]:
    """Yield all patterns of a schema with their places."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"], f"{place}/pattern"
        if isinstance(schema.get("patternProperties"), dict):
            yield from (
                (each, f"{place}/patternProperties") for each in schema["patternProperties"]
            )
    parts = schema.items() if isinstance(schema, dict) else enumerate(schema)
    for key, part in parts:
        if isinstance(part, dict | list) and key not in ("const", "enum", "default", "examples"):
            yield from patterns(part, f"{place}/{key}")


class _Simplifier:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._used = _used_places(root)

    def subschema(self, schema: Any, place: str) -> Any:
        """Return a schema, or a part of one, in llguidance's words."""
        if not isinstance(schema, dict):
            return schema
        schema = _without_effectless(dict(schema))
        for rewrite in (_numbers, _negation, _dependencies, _rest, _names):
            rewrite(schema)
        for key in list(schema):
            schema[key] = self._part(key, schema[key], f"{place}/{key}")
        self._one_of(schema)
        _look_ahead(schema)
        _unique(schema)
        for key in _REFUSED:
            if key in schema:
                raise SchemaError(f"{key} at {place} is not supported")
        return _with_null(schema)

    def _part(self, key: str, value: Any, place: str) -> Any:
        if key in ("$defs", "definitions") and isinstance(value, dict):
            value = {name: each for name, each in value.items() if self._is_used(f"{place}/{name}")}
        if key in _ONE and isinstance(value, dict):
            return self.subschema(value, place)
        if (key in _LISTS or key == "items") and isinstance(value, list):
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
        listed = [_values(self._resolved(each)) for each in branches]
        if None not in listed:
            keys = [{_key(each): each for each in values} for values in listed if values]
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
        if not set(_types(one)) & set(_types(other)):
            return True
        values, others = _values(one), _values(other)
        if values is not None and others is not None:
            return len(_without(values, others)) == len(values)
        if "object" not in (one.get("type"), other.get("type")):
            return False
        shared = set(one.get("required", ())) & set(other.get("required", ()))
        parts = [
            (one.get("properties", {}).get(n), other.get("properties", {}).get(n)) for n in shared
        ]
        is_object = one.get("type") == other.get("type") == "object"
        return is_object and any(
            a is not None and b is not None and self._are_disjoint(a, b) for a, b in parts
        )

    def _resolved(self, schema: Any) -> Any:
        for _ in range(8):
            if not isinstance(schema, dict) or not str(schema.get("$ref")).startswith("#/"):
                return schema
            found: Any = self._root
            for step in schema["$ref"][2:].split("/"):
                found = found.get(step) if isinstance(found, dict) else None
            schema = found
        return None


def _without_effectless(schema: Schema) -> Schema:
    """Drop annotations, and keywords about types that a value does not have."""
    types = _types(schema)
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


def _negation(schema: Schema) -> None:
    """Say `not` of a type, of listed values or of properties in another way."""
    denied = schema.get("not")
    if denied is False or denied == {"not": {}}:
        del schema["not"]
    elif isinstance(denied, dict) and denied.keys() == {"type"}:
        left = [each for each in _types(schema) if each not in _types(denied)]
        if not left or "integer" in str(denied["type"]) or "integer" in str(schema.get("type")):
            return
        schema["type"] = left
        del schema["not"]
    elif isinstance(denied, dict) and denied.keys() == {"not"}:
        del schema["not"]
        schema["allOf"] = [*schema.get("allOf", []), denied["not"]]
    elif isinstance(denied, dict) and "enum" in schema and (values := _values(denied)):
        schema["enum"] = _without(schema["enum"], values)
        del schema["not"]
    elif isinstance(denied, dict) and denied.keys() == {"required"}:
        names = denied["required"]
        if len(names) == 1 and schema.get("type") == "object":
            schema["properties"] = {**schema.get("properties", {}), names[0]: False}
            del schema["not"]


def _dependencies(schema: Schema) -> None:
    """Say that a property needs others as a choice: without it, or with them."""
    given = {**schema.pop("dependencies", {}), **schema.pop("dependentRequired", {})}
    given |= schema.pop("dependentSchemas", {})
    choices = []
    for name, asked in given.items():
        needed = {"required": asked} if isinstance(asked, list) else asked
        if needed not in (True, {}, {"required": []}):
            without = {"properties": {name: False}}
            choices.append(without if needed is False else {"anyOf": [without, needed]})
    if choices:
        schema["allOf"] = [*schema.get("allOf", []), *choices]


def _names(schema: Schema) -> None:
    """Say what names properties may have as a pattern, or as a list of them."""
    names = schema.get("propertyNames")
    if isinstance(names, dict):
        known = {"type", "pattern", "minLength", "maxLength", "enum", "const", "format"}
        asked = {key: names[key] for key in names.keys() & known}
        if names.get("type", "string") == "string":
            asked.pop("type", None)
        if asked.get("format") not in _FORMATS:
            asked.pop("format", None)
        if names.keys() & (_ONE | _LISTS | {"$ref"}) or "patternProperties" in schema:
            return
        names = asked or True
    if names is True:
        _drop(schema, "propertyNames")
        return
    if names is False:
        allowed: Callable[[str], bool] = lambda name: False  # noqa: E731
        schema["additionalProperties"] = False
    elif not isinstance(names, dict):
        return
    elif (values := _values({"type": "string", **names})) is not None:
        allowed = lambda name: name in values  # noqa: E731
        every = schema.get("additionalProperties", True)
        given = schema.get("properties", {})
        schema["properties"] = {
            **dict.fromkeys(values, every),
            **given,
        }
        schema["additionalProperties"] = False
    elif (pattern := _name_pattern(names)) is not None:
        other = schema.get("additionalProperties", True)
        try:
            matcher = re.compile(pattern)
        except re.error:
            return
        if schema.get("properties") and other not in (True, {}):
            return  # the pattern would apply to those, too
        allowed = lambda name: bool(matcher.search(name))  # noqa: E731
        schema["patternProperties"] = {pattern: other}
        schema["additionalProperties"] = False
    else:
        return
    given = schema.get("properties", {})
    schema["properties"] = {n: each if allowed(n) else False for n, each in given.items()}
    del schema["propertyNames"]


def _rest(schema: Schema) -> None:
    """Say `unevaluated…` of a schema that nothing else adds to as `additional…`."""
    for key, other in (
        ("unevaluatedProperties", "additionalProperties"),
        ("unevaluatedItems", "items"),
    ):
        if schema.get(key) in (True, {}) or (key in schema and other in schema):
            del schema[key]
        elif key in schema and not schema.keys() & _IN_PLACE:
            schema[other] = schema.pop(key)


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


def _drop(schema: Schema, *keys: str) -> None:
    for key in keys:
        schema.pop(key, None)


def _types(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a value may have, all if the schema does not say."""
    if "type" in schema:
        given = schema["type"]
        listed = given if isinstance(given, list) else [given]
        return ["number" if each == "integer" else each for each in listed]
    values = _values(schema)
    return list(_TYPES) if values is None else sorted({_type(each) for each in values})


def _type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")


def _values(schema: Any) -> list[Any] | None:
    """Return the only values of a schema that lists them, and says nothing else but their type."""
    if not isinstance(schema, dict) or not schema.keys() <= _OF_VALUES:
        return None
    listed = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(listed, list) or {"const", "enum"} <= schema.keys():
        return None
    if schema.get("type") == "integer":
        return [each for each in listed if re.fullmatch("-?[0-9]+", _key(each))]
    types = _types({"type": schema["type"]}) if "type" in schema else _TYPES
    return [each for each in listed if _type(each) in types]


def _key(value: Any) -> str:
    """Return a text that equal JSON values share: 1 is 1.0, and not true."""
    if isinstance(value, dict):
        return json.dumps(sorted([key, _key(each)] for key, each in value.items()))
    if isinstance(value, list):
        return json.dumps([_key(each) for each in value])
    is_whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if is_whole else value)


def _without(values: list[Any], others: list[Any]) -> list[Any]:
    left_out = set(map(_key, others))
    return [each for each in values if _key(each) not in left_out]


def _numbers(schema: Schema) -> None:
    """Say the bounds of draft 4 in those of today, and counts without a point."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.get(exclusive) is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif schema.get(exclusive) is False:
            del schema[exclusive]
    for key in _COUNTS & schema.keys():
        if isinstance(schema[key], float) and schema[key].is_integer():
            schema[key] = int(schema[key])


def _name_pattern(names: Schema) -> str | None:
    """Return a pattern for names of properties, if one says it all."""
    if names.keys() == {"pattern"}:
        pattern: str = names["pattern"]
        return pattern
    if names.keys() <= {"minLength", "maxLength"}:
        return rf"^[\s\S]{{{names.get('minLength', 0)},{names.get('maxLength', '')}}}$"
    return None


def _look_ahead(schema: Schema) -> None:
    """Split look-ahead at the beginning of a pattern off: a text then has to match both."""
    pattern = schema.get("pattern")
    if not isinstance(pattern, str) or not pattern.startswith("^(?="):
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


def _unique(schema: Schema) -> None:
    """Write out the lists without repetition of few values."""
    values = _values(schema.get("items")) if schema.get("uniqueItems") is True else None
    if values is None or len(values) > _MOST_ARRANGED or schema.keys() & {"prefixItems", "enum"}:
        return
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(values))
    if schema.get("type") != "array":
        return
    arranged: list[list[Any]] = [[]]
    everything: list[list[Any]] = []
    while arranged:
        everything += [each for each in arranged if least <= len(each) <= most]
        arranged = [[*each, v] for each in arranged for v in _without(values, each)]
    _drop(schema, "uniqueItems", "items", "minItems", "maxItems", "type")
    schema["enum"] = everything


def _with_null(schema: Schema) -> Schema:
    """Let OpenAPI's `nullable` allow null."""
    if schema.pop("nullable", False) is not True or "null" in str(schema.get("type")):
        return schema
    if schema.keys() & {"enum", "const", "$ref", *_LISTS} or "type" not in schema:
        definitions = {key: schema.pop(key) for key in ("$defs", "definitions") if key in schema}
        return {"anyOf": [schema, {"type": "null"}], **definitions}
    types = schema["type"]
    return {**schema, "type": [*(types if isinstance(types, list) else [types]), "null"]}
