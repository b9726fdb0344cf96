"""Constraints of an answer: GBNF grammars and JSON Schemas, matched by llguidance.

llama.cpp has its own matcher. With 49,000 tokens it needs 12 ms for each one it refuses, llguidance
0.01 ms (a schema) to 1.5 ms (GBNF); it hangs on ambiguous grammars and crashes on deeply nested
ones; and it prints grammars that do not parse to the error stream. llguidance limits time and
memory, reports the keywords of a schema that it does not support, and never fetches a reference.
This module limits the rest.
"""

import ctypes
import functools
import json
import math
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import FailureCode
from chatdesk.inference.decoding.gbnf import GbnfError, gbnf_to_lark
from chatdesk.inference.decoding.schema import places, simplify
from chatdesk.inference.native.vocabulary import Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

_LONGEST_TEXT = 2**16  # characters
_KEPT = 8  # compiled grammars; the same one is often used repeatedly
# llguidance compiles recursively. Measured: the densest nesting in a text twice as long as the
# longest fits into this stack. It is address space; only the used part becomes memory.
_STACK_BYTES = 2**28
_COMPILE_SECONDS = 10.0
_LONGEST_PATTERN = 1000  # characters; with 90,000 a token can take seconds
_MOST_BLAMED = 50  # patterns of a refused schema that are tried alone
_MOST_PATTERN_PROPERTIES = 100  # each is compared with each: 3,000 take more than 10 s
# Where patterns meet, their automatons are multiplied: 16 take 0.07 s, 20 take 2 s.
_MOST_PATTERNS = 8
# Remainders are an automaton's states: 10,000 take 0.05 s, a million take 8 s.
_LARGEST_MULTIPLE = 10_000
# Small models tend to write endless blank lines.
_WHITESPACE = r"[ \n]{1,40}"
_MEETING = frozenset({"allOf", "anyOf", "oneOf", "$ref"})


class ConstraintError(Exception):
    """A grammar or schema that cannot be used; the code is GRAMMAR or SCHEMA."""

    def __init__(self, code: FailureCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Constraints:
    """Compiles grammars for a vocabulary, and caches the last ones. Safe on any thread.

    The first one goes through the whole vocabulary: 0.2 s for 49,000 tokens.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def start(self, grammar: str | None, json_schema: str | None) -> "Constraint | None":
        """Return the state of a new answer in a GBNF grammar or a JSON Schema; None for neither.

        Raises `ConstraintError`.
        """
        if grammar is not None and json_schema is not None:
            raise ConstraintError(FailureCode.GRAMMAR, "a grammar and a JSON schema at once")
        if grammar is not None:
            lark, code = _from_gbnf(grammar), FailureCode.GRAMMAR
        elif json_schema is not None:
            lark, code = _from_schema(json_schema), FailureCode.SCHEMA
        else:
            return None
        try:
            constraint = Constraint(self._compiled(lark).deep_copy(), self._vocabulary.size)
            constraint.refused()  # also finds grammars without a beginning
        except ConstraintError as problem:
            detail = problem.detail
            if json_schema is not None:
                detail = _blamed(json_schema, detail)
            raise ConstraintError(code, detail) from None
        return constraint

    @functools.cached_property
    def _compiled(self) -> "Callable[[str], LLMatcher]":
        # Not a method: nothing must refer back to this object and keep its memory.
        compile_anew = functools.partial(_compile, _tokenizer(self._vocabulary), threading.Lock())
        return functools.lru_cache(_KEPT)(compile_anew)


class Constraint:
    """The position of an answer in its grammar. One thread at a time may use it."""

    def __init__(self, matcher: "LLMatcher", vocabulary_size: int) -> None:
        self._matcher = matcher
        self._size = vocabulary_size
        self._bits = np.empty((vocabulary_size + 31) // 32, np.int32)

    def refused(self) -> npt.NDArray[np.bool_]:
        """Return a mask of the vocabulary: True for each token that may not come next.

        When the grammar is complete only those that end the answer may. Raises `ConstraintError`
        when no token may come, or when the computation exceeds its limits.
        """
        if not self._matcher.is_error():
            self._matcher.unsafe_compute_mask_ptr(self._bits.ctypes.data, self._bits.nbytes)
        if self._matcher.is_error():
            raise ConstraintError(FailureCode.GRAMMAR, _reason(self._matcher))
        if not self._bits.any():
            raise ConstraintError(FailureCode.GRAMMAR, "it lets nothing follow")
        allowed = np.unpackbits(self._bits.view(np.uint8), count=self._size, bitorder="little")
        return np.equal(allowed, 0)

    def accept(self, token: int) -> None:
        """Advance by a token. Raises `ConstraintError` if it is refused.

        That happens where the sampling parameters forbid everything that the grammar allows.
        """
        if not self._matcher.consume_token(token):
            detail = "what it allows is forbidden by the sampling parameters"
            raise ConstraintError(FailureCode.GRAMMAR, detail)


def _from_gbnf(grammar: str) -> str:
    from llguidance import LLMatcher

    _check_length(grammar, FailureCode.GRAMMAR)
    try:
        return LLMatcher.grammar_from_lark(gbnf_to_lark(grammar))
    except GbnfError as problem:
        raise ConstraintError(FailureCode.GRAMMAR, str(problem)) from None


def _from_schema(schema: str) -> str:
    _check_length(schema, FailureCode.SCHEMA)
    try:
        if schema.strip() not in ("true", "false"):  # llguidance takes objects only
            # Refuses a nesting deeper than 128 levels, so that Python can go through it.
            _json_grammar(schema)
        parsed = simplify(json.loads(schema))
        compiled = _json_grammar(json.dumps(parsed))
    except ValueError as problem:
        raise ConstraintError(FailureCode.SCHEMA, str(problem)) from None
    _check_cost(parsed)
    return compiled


def _json_grammar(schema: str) -> str:
    from llguidance import LLMatcher

    return LLMatcher.grammar_from_json_schema(
        schema, overrides={"lenient": False, "whitespace_pattern": _WHITESPACE}
    )


def _blamed(schema: str, detail: str) -> str:
    """Return why a schema was refused, with the place of its fault where that can be found."""
    from llguidance import LLMatcher

    parsed = simplify(json.loads(schema))
    if detail.startswith("oneOf"):
        place = next((place for _, place in places(parsed, "oneOf")), "#")
        return f"oneOf at {place}: a value must not fit several of its schemas"
    for pattern, place in islice(places(parsed, "pattern"), _MOST_BLAMED):
        small = json.dumps({"type": "string", "pattern": pattern})
        if error := LLMatcher.validate_grammar(_json_grammar(small)):
            return f"pattern at {place}: {_last_line(error)}"
    return detail


def _last_line(error: str) -> str:
    """Return the line of a regex error that tells the cause; others show the place."""
    lines = error.strip().splitlines()
    return lines[-1].removeprefix("error: ") if "regex parse error" in lines[0] else lines[0]


def _check_length(text: str, code: FailureCode) -> None:
    if len(text) > _LONGEST_TEXT:
        raise ConstraintError(code, f"it is longer than {_LONGEST_TEXT} characters")


def _check_cost(schema: Any) -> None:
    """Refuse schemas that would keep llguidance busy for minutes, which nothing can interrupt."""
    parts = list(_objects(schema))
    patterns = {part["pattern"] for part in parts if isinstance(part.get("pattern"), str)}
    for part in parts:
        if isinstance(names := part.get("patternProperties"), dict):
            patterns |= names.keys()
            if len(names) > _MOST_PATTERN_PROPERTIES:
                detail = f"more than {_MOST_PATTERN_PROPERTIES} patternProperties are not supported"
                raise ConstraintError(FailureCode.SCHEMA, detail)
    if any(len(pattern) > _LONGEST_PATTERN for pattern in patterns):
        detail = f"a pattern is longer than {_LONGEST_PATTERN} characters"
        raise ConstraintError(FailureCode.SCHEMA, detail)
    if len(patterns) > _MOST_PATTERNS and any(_MEETING & part.keys() for part in parts):
        detail = f"more than {_MOST_PATTERNS} patterns together with {', '.join(sorted(_MEETING))}"
        raise ConstraintError(FailureCode.SCHEMA, f"{detail} are not supported")
    multiples = {_digits(part.get("multipleOf")) for part in parts}
    if math.prod(multiples) > _LARGEST_MULTIPLE:
        raise ConstraintError(
            FailureCode.SCHEMA, f"multipleOf beyond {_LARGEST_MULTIPLE} is not supported"
        )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects in a JSON value."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from _objects(part)


def _digits(number: Any) -> int:
    """Return the number of a number's digits without outer zeros; 1 for anything else."""
    if type(number) not in (int, float):
        return 1
    digits = Decimal(str(number)).normalize().as_tuple().digits
    return int("".join(map(str, digits))) or 1


def _tokenizer(vocabulary: Vocabulary) -> "LLTokenizer":
    """Return llguidance's form of the vocabulary; byte 255, in no text, marks special tokens.

    As `llguidance.llamacpp.lltokenizer_from_vocab`, which calls functions that llama.cpp has
    deprecated.
    """
    from llguidance import LLTokenizer

    tokens = []
    for token in range(vocabulary.size):
        is_special = vocabulary.is_special(token)
        written = vocabulary.written(token, special=is_special)
        tokens.append(b"\xff" + written if is_special else written)
    from_llamacpp: Any = getattr(LLTokenizer, "from_llamacpp")  # noqa: B009 - its stub lacks it
    made: LLTokenizer = from_llamacpp(
        tokens=tokens,
        vocab_ptr=vocabulary.handle,
        tokenize_fptr=ctypes.cast(lib._lib.llama_tokenize, ctypes.c_void_p).value,
        eos_token=[token for token in range(vocabulary.size) if vocabulary.ends_generation(token)],
        slices=None,
    )
    return made


def _compile(tokenizer: "LLTokenizer", starting: threading.Lock, grammar: str) -> "LLMatcher":
    """Compile on a thread with a large stack, with a timeout."""
    made: list[LLMatcher] = []
    thread = threading.Thread(
        target=lambda: made.append(_matcher(tokenizer, grammar)), name="grammar", daemon=True
    )
    with starting:  # the size applies to all Python threads that start meanwhile
        usual = threading.stack_size(_STACK_BYTES)
        thread.start()
        threading.stack_size(usual)
    thread.join(_COMPILE_SECONDS)
    if not made:
        raise ConstraintError(FailureCode.GRAMMAR, "it is too complex")
    if made[0].is_error():
        raise ConstraintError(FailureCode.GRAMMAR, _reason(made[0]))
    return made[0]


def _matcher(tokenizer: "LLTokenizer", grammar: str) -> "LLMatcher":
    from llguidance import LLMatcher, LLParserLimits

    limits = LLParserLimits(
        step_max_items=1_000_000,  # 50 ms at worst; characters as lexemes need many
        max_lexer_states=50_000,  # 100 MB at worst
        verbose_errors=False,
    )
    return LLMatcher(tokenizer, grammar, log_level=0, limits=limits)


def _reason(matcher: "LLMatcher") -> str:
    """Return why a matcher stopped, without its state."""
    error = _last_line(matcher.get_error().partition("\n<state>")[0])
    if "NoExtension" in error:
        return "it lets nothing follow"
    is_bound = error.startswith(("panic:", "Parser Error: Current row"))
    return "it is too complex" if is_bound else error
