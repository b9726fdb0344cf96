"""Uses grammars that hang or kill llama.cpp's matcher, and prints the outcome of each.

Run as a module with the model's file. Prints a JSON line for each: name, "used" or the reason
against it, the seconds to compile it, the longest step in seconds, and the process' peak memory in
MB.
"""

import json
import sys
import time
from pathlib import Path

import psutil

from chatdesk.inference.decoding.grammar import ConstraintError
from tests.inference.answering import Answering, answering

STEPS = 40


def nested(opening: str, closing: str, depth: int) -> str:
    """Return a schema as deep as its length allows: parts of `depth` levels, linked in a chain."""
    parts: list[str] = []
    length = 0
    while length < 60_000:
        reference = f'{{"$ref":"#/$defs/d{len(parts) + 1}"}}'
        parts.append(f'"d{len(parts)}":' + opening * depth + reference + closing * depth)
        length += len(parts[-1]) + 1
    parts.append(f'"d{len(parts)}":{{"type":"string"}}')
    return '{"$ref":"#/$defs/d0","$defs":{' + ",".join(parts) + "}}"


def chained(count: int, body: str, last: str) -> str:
    """Return a grammar of `count` rules; each refers to the next where `body` says N."""
    rules = [f"r{n} ::= " + body.replace("N", f"r{n + 1}") for n in range(count)]
    return "\n".join(["root ::= r0", *rules, f"r{count} ::= {last}"])


GRAMMARS = {
    "long": 'root ::= "' + "a" * 2**20 + '"',
    "literal": 'root ::= "' + "a" * 65_000 + '"',
    "parentheses": "root ::= " + "(" * 30_000 + '"a"' + ")" * 30_000,
    "groups": "root ::= " + "(" * 4_000 + '"a"' + ")" * 4_000,
    "chain": chained(4_000, "N", '"x"'),
    "left chain": chained(2_500, 'N "y" | "z"', '"x"'),
    "right chain": chained(2_500, '"y" N | "z"', '"x"'),
    "doubling": chained(100, "N N | N", '"x"'),
    "doubled nothing": chained(100, "N N | N", '""'),
    "repetition": 'root ::= "a"{1,999999999}',
    "repetitions": 'root ::= (((("a"{0,9999}){0,9999}){0,9999}){0,9999}){0,9999}',
    "stars": 'root ::= ((("a"*)*)*)* "b"',
    "left recursion": 'root ::= b root "x" | "y"\nb ::= c\nc ::= "" | "z"',
    "ambiguous": 'root ::= "=" root "b" | "=" root "c" | "d"',
    "very ambiguous": 'root ::= root root | "=" | "=="',
    "choices": "root ::= " + " | ".join(f'. "{n}"' for n in range(4_000)),
    "classes": "root ::= [" + "a-z" * 20_000 + "]",
}
SCHEMAS = {
    "enum": json.dumps({"enum": [f"value {n}" for n in range(4_000)]}),
    "properties": json.dumps({"properties": {f"p{n}": {} for n in range(4_500)}}),
    "names": json.dumps({"patternProperties": {f"^{n}_a*$": {} for n in range(100)}}),
    "refs": nested("", "", 0),
    "nested properties": nested('{"properties":{"a":', "}}", 40),
    "nested items": nested('{"items":', "}", 55),
    "nested any": nested('{"anyOf":[', ',{"const":1}]}', 30),
    "nested all": nested('{"allOf":[', "]}", 40),
    "lengths": json.dumps({"type": "string", "minLength": 10**6, "maxLength": 10**9}),
    "items": json.dumps({"type": "array", "minItems": 10**9, "maxItems": 10**12}),
    "itself": json.dumps({"$ref": "#"}),
    "itself always": json.dumps({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}),
    "pattern": json.dumps({"type": "string", "pattern": "^" + "(a?b*)" * 9_000 + "$"}),
    "shorter pattern": json.dumps({"type": "string", "pattern": "^" + "(a?b*)" * 166 + "$"}),
    "exponential": json.dumps({"type": "string", "pattern": "^(a|b)*a(a|b){900}$"}),
    "counted": json.dumps({"type": "string", "pattern": "^(((a{0,999}){0,999}){0,999}b){0,999}$"}),
}
HOSTILE = {
    **{name: (text, None) for name, text in GRAMMARS.items()},
    **{name: (None, text) for name, text in SCHEMAS.items()},
}


def use(name: str, grammar: str | None, schema: str | None, model: Answering) -> None:
    vocabulary = model.vocabulary
    wanted = [vocabulary.tokenize(text, False)[0] for text in ("=", "a", '"', "y", "x", "{")]
    outcome, longest, began = "used", 0.0, time.monotonic()
    compile_s = None
    try:
        constraint = model.constraints.start(grammar, schema)
        compile_s = time.monotonic() - began
        assert constraint
        for _ in range(STEPS):
            step = time.monotonic()
            refused = constraint.refused()
            longest = max(longest, time.monotonic() - step)
            likely = [token for token in wanted if not refused[token]]
            token = likely[0] if likely else int(refused.argmin())
            if vocabulary.ends_generation(token):
                break
            constraint.accept(token)
    except ConstraintError as problem:
        outcome = problem.detail
    compile_s = time.monotonic() - began if compile_s is None else compile_s
    peak = psutil.Process().memory_info().rss >> 20
    print(json.dumps([name, outcome, compile_s, longest, peak]), flush=True)


def main() -> None:
    with answering(Path(sys.argv[1])) as model:
        for name, (grammar, schema) in HOSTILE.items():
            use(name, grammar, schema, model)


if __name__ == "__main__":
    main()
