"""The official JSON Schema test suite against the grammars of answers.

`json_schema_suite.json` holds the required tests of draft 2020-12 from
https://github.com/json-schema-org/JSON-Schema-Test-Suite (MIT, Copyright (c) 2012 Julian Berman),
as the sources of the package `jsonschema` ship them.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from chatdesk.inference.decoding.schema import simplify

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer


@dataclass(frozen=True, slots=True)
class Case:
    """A schema of the suite, with values and if each is valid."""

    name: str
    schema: Any
    values: list[tuple[Any, bool]]


@dataclass(slots=True)
class Figures:
    """How many schemas are accepted, and how many of the valid values these allow.

    `wrong` are invalid values that one allows: there must be none. Some valid ones are refused, as
    the properties of an object come in the order of the schema.
    """

    schemas: int = 0
    accepted: int = 0
    valid: int = 0
    valid_kept: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Kept:
    """A schema as a grammar."""

    matcher: "LLMatcher"

    @classmethod
    def of(cls, schema: Any, tokenizer: "LLTokenizer") -> Self | None:
        """Compile a schema; None if it is refused."""
        from llguidance import LLMatcher

        text = json.dumps(schema)
        grammar = LLMatcher.grammar_from_json_schema(text, overrides={"lenient": False})
        matcher = LLMatcher(tokenizer, grammar, log_level=0)
        return None if matcher.is_error() else cls(matcher)


def accepts(kept: Kept, value: Any) -> bool:
    """Return True if an answer may be this value, of single bytes as tokens."""
    matcher = kept.matcher.deep_copy()
    text = json.dumps(value, ensure_ascii=False).encode()
    return matcher.try_consume_tokens(list(text)) == len(text) and matcher.is_accepting()


def suite() -> list[Case]:
    """Return the cases of the suite."""
    path = Path(__file__).with_name("json_schema_suite.json")
    return [Case(*case) for case in json.loads(path.read_text("utf-8"))]


def measured(cases: list[Case], tokenizer: "LLTokenizer") -> Figures:
    """Compile every schema and try its values."""
    found = Figures(schemas=len(cases))
    for case in cases:
        try:
            kept = Kept.of(simplify(case.schema), tokenizer)
        except ValueError:
            continue
        if kept is None:
            continue
        found.accepted += 1
        for value, is_valid in case.values:
            is_allowed = accepts(kept, value)
            found.valid += is_valid
            found.valid_kept += is_valid and is_allowed
            if is_allowed and not is_valid:
                found.wrong.append(f"{case.name}: {json.dumps(value)}")
    return found
