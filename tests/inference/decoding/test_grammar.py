"""Answers within grammars and JSON Schemas, and grammars that break other matchers."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.generation import FailureCode
from chatdesk.core.sampling import SamplingParams
from chatdesk.inference.decoding.gbnf import GbnfError, gbnf_to_lark
from chatdesk.inference.decoding.grammar import Constraint, ConstraintError
from tests.inference.answering import Answering, answering, chat
from tests.inference.hostile_grammars import HOSTILE

WARM = SamplingParams(temperature=1.3, seed=3)
PERSON = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Person",
    "description": "Somebody.",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 20, "description": "in full"},
        "age": {"type": "integer", "minimum": 18, "maximum": 99},
        "born": {"type": "string", "format": "date"},
        "mood": {"enum": ["good", "bad", None]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 8}, "maxItems": 2},
        "home": {"$ref": "#/$defs/place"},
    },
    "required": ["name", "age", "born", "mood", "tags", "home"],
    "additionalProperties": False,
    "$defs": {
        "place": {
            "type": "object",
            "properties": {"city": {"type": "string", "pattern": "^[A-Z][a-z]{2,9}$"}},
            "required": ["city"],
            "additionalProperties": False,
        }
    },
}
JSON_IN_GBNF = r"""
# JSON, as in llama.cpp's examples
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::=
  "\"" (
    [^"\\\x7F\x00-\x1F] |
    "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4})
  ){0,12} "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]{1,3})? ws
ws ::= | " " | "\n" [ \t]{0,20}
"""


@pytest.fixture(scope="module")
def model(starter_model: Path) -> Iterator[Answering]:
    with answering(starter_model) as model:
        yield model


def begin(model: Answering, *, grammar: str | None = None, schema: Any = None) -> Constraint:
    text = None if schema is None else json.dumps(schema)
    constraint = model.constraints.start(grammar, text)
    assert constraint is not None
    return constraint


def fits(model: Answering, text: str, *, grammar: str | None = None, schema: Any = None) -> bool:
    """Return True if a whole answer is within a grammar: each token, and the end after them."""
    constraint = begin(model, grammar=grammar, schema=schema)
    for token in model.vocabulary.tokenize(text, parse_special=False):
        try:
            constraint.accept(token)
        except ConstraintError:
            return False
    ending = [t for t in range(model.vocabulary.size) if model.vocabulary.ends_generation(t)]
    try:
        return not constraint.refused()[ending].any()
    except ConstraintError:
        return False


# What the model answers


@pytest.mark.parametrize("params", [SamplingParams(temperature=0), WARM], ids=["greedy", "warm"])
def test_an_answer_is_within_its_schema(model: Answering, params: SamplingParams) -> None:
    prompt = chat("Invent a person.")
    schema = json.dumps(PERSON)
    text, ended = model.confined(prompt, schema=schema, params=params, count=400)
    assert ended
    person = json.loads(text)
    assert set(person) == set(PERSON["properties"])  # type: ignore[call-overload]
    assert 2 <= len(person["name"]) <= 20
    assert type(person["age"]) is int
    assert 18 <= person["age"] <= 99
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", person["born"])
    assert person["mood"] in ("good", "bad", None)
    assert len(person["tags"]) <= 2
    assert re.fullmatch("[A-Z][a-z]{2,9}", person["home"]["city"])


def test_any_json(model: Answering) -> None:
    text, ended = model.confined(chat('Say {"a": 1}.'), schema='{"type": "object"}', count=40)
    assert text.startswith("{")
    assert not ended or isinstance(json.loads(text), dict)
    for whole in ("{}", "[1, null]", '"a"', "-1.5e3", '{\n  "a": [true]\n}'):
        assert fits(model, whole, schema={})
    for broken in ("{", "{'a': 1}", "01", '"a\nb"', "[1,]", "nul", ""):
        assert not fits(model, broken, schema={})


def test_an_answer_is_within_its_grammar(model: Answering) -> None:
    for seed in range(3):
        params = SamplingParams(temperature=1.5, seed=seed)
        text, ended = model.confined(
            chat("Is the sea blue?"), grammar='root ::= ("yes" | "no") "!"?', params=params
        )
        assert ended
        assert text in ("yes", "no", "yes!", "no!")


def test_json_written_as_a_grammar(model: Answering) -> None:
    prompt = chat("Describe an apple in JSON, in one line.")
    text, ended = model.confined(prompt, grammar=JSON_IN_GBNF, count=40)
    assert text.startswith("{")
    if ended:
        json.loads(text)


def test_characters_of_several_tokens(model: Answering) -> None:
    text, ended = model.confined(
        chat("Say hello in Chinese."), grammar="root ::= [你好吗早] [\\u4e00-\\u9fff]{2} [😀-😎]"
    )
    assert ended
    assert re.fullmatch("[你好吗早][一-鿿]{2}[😀-😎]", text)


def test_bias_chooses_among_what_a_grammar_allows(model: Answering) -> None:
    tokens = {text: model.vocabulary.tokenize(text, False)[0] for text in ("0", "1", "2")}
    forbidden = {text: ((token, -100.0),) for text, token in tokens.items()}
    grammar = "root ::= [01]"
    for text, other in (("0", "1"), ("1", "0")):
        params = SamplingParams(seed=1, logit_bias=forbidden[text])
        assert model.confined(chat("0 or 1?"), grammar=grammar, params=params) == (other, True)
    params = SamplingParams(seed=1, logit_bias=forbidden["0"] + forbidden["1"])
    with pytest.raises(ConstraintError, match="forbidden by the sampling parameters"):
        model.confined(chat("0 or 1?"), grammar=grammar, params=params)


def test_where_nothing_can_follow_that_answer_alone_fails(model: Answering) -> None:
    with pytest.raises(ConstraintError, match="nothing follow"):
        model.confined(chat("Go."), grammar='root ::= "a" b\nb ::= b "x"')


# GBNF


@pytest.mark.parametrize(
    ("grammar", "inside", "outside"),
    [
        ('root ::= "a"', ["a"], ["", "b", "aa"]),
        ('root ::= "a" | | "b"', ["a", "", "b"], ["ab"]),
        ('root ::= ("ab" "c" "x") | "abc" "d"', ["abcx", "abcd"], ["abc"]),
        ('root ::= ([a-z] "1") | ("a" "2")', ["a1", "a2", "b1"], ["b2"]),
        ('root ::= "x"{2}', ["xx"], ["x", "xxx"]),
        ('root ::= "x"{2,}', ["xx", "xxxxx"], ["x"]),
        ('root ::= "x"{ 1 , 2 }', ["x", "xx"], ["", "xxx"]),
        ('root ::= "x"{0} "y"', ["y"], ["xy"]),
        ('root ::= ("ab"+ ",")* "."', [".", "abab,ab,."], [",.", "ab."]),
        ('root ::= "a"+? "b"', ["b", "aab"], ["a"]),
        ('root ::= ""* "b"', ["b"], [""]),
        ("root ::= [a-c\\-\\]] [^a-z] [-+] [+-]", ["a1-+", "-A+-", "]é--"], ["daaa", "aa++"]),
        ('root ::= . "\\x41\\u00e9\\U0001F600\\t\\n\\\\\\""', ['\nAé😀\t\n\\"'], ["Aé"]),
        ('root ::= one-2\none-2 ::= "(" root ")" | "0"', ["0", "((0))"], ["((0)"]),
        ('root ::= root "+" t | t\nt ::= [0-9]', ["1", "1+2+3"], ["+1"]),
        ('# c\n\nroot ::= # c\n  "a" |\n  "b" # c\r\n', ["a", "b"], ["ab"]),
        ('root ::= ("a"\n"b" #c\n)', ["ab"], ["a"]),
        ('root ::= a\na ::= "x"\na ::= "y"', ["y"], ["x"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_grammars(model: Answering, grammar: str, inside: list[str], outside: list[str]) -> None:
    assert [text for text in inside if not fits(model, text, grammar=grammar)] == []
    assert [text for text in outside if fits(model, text, grammar=grammar)] == []


@pytest.mark.parametrize(
    ("grammar", "why"),
    [
        ("", "rule root is missing"),
        ("\n# nothing\n", "rule root is missing"),
        ('start ::= "a"', "rule root is missing"),
        ("root ::= a", "rule a is missing"),
        ('"a"', "line 1: expected a rule"),
        ('root := "a"', "line 1: expected a rule"),
        ('a ::= "b"\n\nroot ::= "a', "line 3: unexpected"),
        ("root ::= [a", "unexpected"),
        ('root ::= ("a"', "not closed"),
        ('root ::= "a")', "not opened"),
        ("root ::= *", "nothing to repeat"),
        ("root ::= | +", "nothing to repeat"),
        ('root ::= "a"{3,2}', "less than the least"),
        ('root ::= "a"{-1}', "unexpected"),
        ('root ::= "a"{99999999999}', "unexpected"),
        ("root ::= []", "no character"),
        ("root ::= [^]", "no character"),
        ("root ::= [z-a]", "before it begins"),
        ('root ::= "\\q"', "escape"),
        ('root ::= "\\xZZ"', "escape"),
        ('root ::= "\\uD800"', "Unicode"),
        ('root ::= "\\UFFFFFFFF"', "Unicode"),
        ("root ::= <|im_end|>", "unexpected"),
        ('root ::= "a"\0', "unexpected"),
        ('root ::= "a" b ::= "c"', "unexpected"),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_no_grammar_is_reported(model: Answering, grammar: str, why: str) -> None:
    with pytest.raises(ConstraintError, match=why) as raised:
        model.constraints.start(grammar, None)
    assert raised.value.code is FailureCode.GRAMMAR


def test_names_and_text_cannot_become_lark(model: Answering) -> None:
    for text in ('"', "\\", '" | "b', "/x/", "\n%import", "{}", "\x00"):
        grammar = f"root ::= {json.dumps(text).replace('u0000', 'x00')}"
        assert fits(model, text, grammar=grammar)
        assert not fits(model, "b", grammar=grammar)
    assert "import" not in gbnf_to_lark('root ::= import-x\nimport-x ::= "a"')
    with pytest.raises(GbnfError):
        gbnf_to_lark("root ::= %import")


# JSON Schema


@pytest.mark.parametrize(
    ("schema", "inside", "outside"),
    [
        ({"type": ["string", "null"], "maxLength": 2}, ['"ab"', "null"], ['"abc"', "1"]),
        ({"const": 'a\\b\n"é'}, [json.dumps('a\\b\n"é', ensure_ascii=False)], ['"a"']),
        ({"enum": ["a", 1, [None]]}, ['"a"', "1", "[null]"], ['"b"']),
        ({"type": "number", "minimum": -3.5, "exclusiveMaximum": 7}, ["-3.5", "6.9"], ["7", "-4"]),
        ({"type": "integer", "multipleOf": 5}, ["10", "-5"], ["7"]),
        ({"prefixItems": [{"type": "null"}], "minItems": 2}, ["[null, 1]"], ["[]", "[1, null]"]),
        ({"type": "object", "required": ["a"]}, ['{"a":1}'], ["{}"]),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, ["null", "3"], ['"a"']),
        ({"oneOf": [{"type": "null"}, {"type": "integer"}]}, ["null", "3"], ['"a"']),
        (
            {"allOf": [{"properties": {"a": {"type": "null"}}}, {"required": ["a"]}]},
            ['{"a": null}'],
            ['{"a": 1}', "{}"],
        ),
        ({"patternProperties": {"^a": {"type": "null"}}}, ['{"ab":null}'], ['{"a":1}']),
        ({"type": "string", "format": "ipv4"}, ['"10.0.0.1"'], ['"10.0.0"']),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}}},
         ["[]", "[[],[[]]]"], ["[1]"]),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_schemas(model: Answering, schema: Any, inside: list[str], outside: list[str]) -> None:
    assert [text for text in inside if not fits(model, text, schema=schema)] == []
    assert [text for text in outside if fits(model, text, schema=schema)] == []


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"not": {"minLength": 3}}, "not at #"),
        ({"if": {"type": "string"}, "then": {"minLength": 3}}, "if at #"),
        ({"properties": {"a": {"type": "array", "uniqueItems": True}}}, "uniqueItems at #/prop"),
        ({"type": "array", "contains": {"type": "null"}}, "contains"),
        ({"type": "object", "propertyNames": {"not": {"const": "a"}}}, "propertyNames"),
        (
            {"properties": {"a": {"pattern": "a(?=b)"}}},
            "pattern at #/properties/a/pattern: look-around, including look-ahead",
        ),
        ({"pattern": r"(a)\1"}, "pattern at #/pattern: backreferences are not supported"),
        (False, "nothing"),
        ({"oneOf": [{"type": "string"}, {"minLength": 3}]}, "oneOf at #/oneOf: a value must not"),
        ({"items": {"oneOf": [{"type": "integer"}, {"type": "number"}]}}, "oneOf at #/items/oneOf"),
        ({"type": "strng"}, "strng"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "minimum"),
        ({"type": "string", "lenient": 1, "x-guidance": {"lenient": True}, "not": {}}, "not"),
        ({"$ref": "http://localhost:9/schema.json"}, "fetch"),
        ({"$ref": "https://localhost:9/schema.json#/a"}, "fetch"),
        ({"$ref": "file:///etc/hostname"}, "fetch"),
        ({"$ref": "#/$defs/missing"}, "missing"),
        ({"type": "integer", "multipleOf": 99_999_989}, "multipleOf"),
        ({"allOf": [{"type": "integer", "multipleOf": n} for n in (997, 991)]}, "multipleOf"),
        ({"allOf": [{"type": "string", "pattern": f"a.*{n}"} for n in range(40)]}, "patterns"),
        ({"type": "integer", "multipleOf": True}, "multipleOf"),
        ({"patternProperties": {f"^{n}$": {} for n in range(101)}}, "patternProperties"),
        ({"patternProperties": {"a" * 1001: {}}}, "pattern is longer"),
        ([], "object"),
        ("text", "object"),
        (None, "object"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_schema_cannot_have_is_reported(model: Answering, schema: Any, why: str) -> None:
    with pytest.raises(ConstraintError, match=why) as raised:
        model.constraints.start(None, json.dumps(schema))
    assert raised.value.code is FailureCode.SCHEMA


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "{}\0", '{"minimum": ' + "9" * 5000 + "}", '{"a":' * 90_000, "[" * 200_000],
)
def test_what_is_no_json_is_no_schema(model: Answering, text: str) -> None:
    with pytest.raises(ConstraintError) as raised:
        model.constraints.start(None, text)
    assert raised.value.code is FailureCode.SCHEMA


def test_one_of_both_or_neither(model: Answering) -> None:
    assert model.constraints.start(None, None) is None
    with pytest.raises(ConstraintError, match="at once"):
        model.constraints.start('root ::= "a"', "{}")


def test_many_threads_may_compile_at_once(model: Answering) -> None:
    made: list[Constraint | None] = []
    problems: list[ConstraintError] = []

    def work(number: int) -> None:
        for turn in range(10):
            made.append(model.constraints.start(f'root ::= "{number % 3}-{turn}"', None))
            try:
                model.constraints.start(None, '{"not": {}}')
            except ConstraintError as problem:
                problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(problems) == 60
    assert threading.stack_size() == 0


# Grammars that must not stop the engine; in a separate process, which they have stopped before


def test_hostile_grammars_cost_one_request_only(starter_model: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "tests.inference.hostile_grammars", str(starter_model)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert child.stderr == ""  # llama.cpp would print grammars here
    reports = [json.loads(line) for line in child.stdout.splitlines()]
    assert len(reports) == len(HOSTILE)
    for name, outcome, compile_s, longest_step_s, peak_mb in reports:
        assert outcome, name
        assert compile_s < 10, name
        assert longest_step_s < 2, name
        assert peak_mb < 1500, name
    refused = {name for name, outcome, *_ in reports if outcome != "used"}
    assert {"long", "parentheses", "choices", "repetitions", "pattern", "itself"} <= refused
    assert not {"stars", "ambiguous", "left recursion", "lengths", "refs"} & refused
