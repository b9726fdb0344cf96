"""Jinja2 for templates from model files, which are untrusted code.

The sandbox keeps them from the machine, the limits here from its time and memory. Whatever still
gets through costs this process, which is why the engine is its own process.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from chatdesk.inference.prompt.deadline import call_within

MAX_SOURCE_CHARACTERS = 1_000_000
MAX_EXTRA_CHARACTERS = 1_000_000  # most that a template may write beyond its messages
_MAX_RANGE_ITEMS = 100_000  # of all ranges of one rendering together, beside those over messages
_MAX_REPEATED_LENGTH = 100_000
_MAX_EXPONENT = 64
_MAX_FACTOR = 2**63
_DEADLINE_S = 2.0  # for compiling, too; good templates take less than a tenth
_MESSAGE_DEADLINE_S = 0.004  # Gemma 4 looks back over all messages: 2 s for 1,000 of them
_MAX_DEADLINE_S = 10.0


class _GenerationTag(Extension):
    """`{% generation %}` of the transformers library: marks the assistant's part, adds nothing."""

    tags = {"generation"}  # noqa: RUF012 - declared so by jinja2

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return the statements between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and (abs(right) > _MAX_EXPONENT or abs(left) > _MAX_FACTOR):
            raise SecurityError("a power too large")
        if operator == "*":
            _check_product(left, right)
            _check_product(right, left)
        return super().call_binop(context, operator, left, right)


def _check_product(one: Any, other: Any) -> None:
    if isinstance(one, int | float) and abs(one) > _MAX_FACTOR:
        raise SecurityError("a product too large")
    if (
        isinstance(one, str | bytes | list | tuple)
        and isinstance(other, int)
        and len(one) * other > _MAX_REPEATED_LENGTH
    ):
        raise SecurityError("a repetition too long")


def compile_template(source: str) -> Callable[[Mapping[str, Any], int], str]:
    """Return a function that renders `source` with variables, to a limited number of characters.

    Both raise `Overdue` after some seconds, and whatever a template can raise: treat any
    `Exception` as the template's fault. The time of a rendering grows with the length of "messages"
    among the variables. The environment is that of the transformers library, for which the
    templates are written.
    """
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise SecurityError("a template too long")
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _GenerationTag]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    template = call_within(_DEADLINE_S, lambda: environment.from_string(source))

    def render(variables: Mapping[str, Any], max_characters: int) -> str:
        messages = len(variables["messages"])

        def write() -> str:
            pieces: list[str] = []
            left = max_characters
            for piece in template.generate(**variables, range=_limited_range(messages)):
                left -= len(piece)
                if left < 0:
                    raise SecurityError("a rendering too long")
                pieces.append(piece)
            return "".join(pieces)

        seconds = _DEADLINE_S + _MESSAGE_DEADLINE_S * messages
        return call_within(min(seconds, _MAX_DEADLINE_S), write)

    return render


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _limited_range(messages: int) -> Callable[..., range]:
    """Return a `range` that fails when one rendering has asked for too many items.

    Each message may look back over all earlier ones: Gemma 4 does.
    """
    left = _MAX_RANGE_ITEMS + messages**2 // 2

    def limited(*bounds: int) -> range:
        nonlocal left
        items = range(*bounds)
        left -= len(items)
        if left < 0 or len(items) > _MAX_RANGE_ITEMS:
            raise SecurityError("ranges too long")
        return items

    return limited
