"""Jinja2 for templates from model files, which are untrusted code.

The sandbox keeps them from the machine, the limits here from its time and memory. Whatever still
gets through costs this process, which is why the engine is its own process.
"""

import functools
import inspect
import json
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from jinja2 import Template, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.visitor import NodeTransformer

from chatdesk.inference.prompt.bounds import (
    COUNTING_FILTERS,
    WRITING_FILTERS,
    charge,
    charge_made,
    check_field,
    check_filter,
    check_method,
    check_number,
    check_operator,
    spending,
    written_size,
)
from chatdesk.inference.prompt.deadline import call_within

MAX_SOURCE_CHARACTERS = 1_000_000
MAX_EXTRA_CHARACTERS = 1_000_000  # most that a template may write beyond its messages
_MAX_RANGE_ITEMS = 100_000  # of all ranges of one rendering together, beside those over messages
_MAX_DATE_FORMAT = 1000
# What Jinja2 calls the argument that it adds to filters.
_JINJAS_OWN = ("context", "env", "eval_ctx", "environment")
_FILENAME = "<template>"  # jinja2's, of a template that was no file
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


class _Bounding(NodeTransformer):
    """Rewrites what Jinja2 compiles to plain Python as filters, so that its size is known."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - named by jinja2
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes), "_concatenated", node.lineno)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - named by jinja2
        self.generic_visit(node)
        is_slice = isinstance(node.arg, nodes.Slice)
        return _filter(node, "_sliced", node.lineno) if is_slice else node


def _filter(node: nodes.Expr, name: str, line: int) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=line)


class _Formatter(SandboxedFormatter):
    """`str.format` with fields of a size that is known."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        check_field(format_spec)
        charge(written_size(value))
        return charge_made(super().format_field(value, format_spec))


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[loopcontrols, _GenerationTag],
            finalize=_finalized,
        )
        self.filters["tojson"] = _to_json
        for name in WRITING_FILTERS | COUNTING_FILTERS:
            self.filters[name] = _bounded_filter(name, self.filters[name])
        self.filters["_concatenated"] = _concatenated
        self.filters["_sliced"] = charge_made
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = _strftime_now

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Bounding().visit(super()._parse(source, name, filename))
        return tree

    def concat(self, pieces: Iterable[str], /) -> str:
        return _concatenated(list(pieces))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        check_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *given: Any, **named: Any) -> Any:  # noqa: N805
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, str | bytes):
            given = tuple(list(each) if isinstance(each, Iterator) else each for each in given)
            check_method(__obj.__name__, owner, (*given, *named.values()))
        elif isinstance(owner, int):  # to_bytes
            for each in (*given, *named.values()):
                check_number(each)
        return charge_made(super().call(__context, __obj, *given, **named))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        if super().wrap_str_format(value) is None:
            return None
        text: str = value.__self__
        takes_mapping = value.__name__ == "format_map"

        def bounded(*given: Any, **named: Any) -> str:
            values = given[0] if takes_mapping else named
            return _Formatter(self).vformat(text, () if takes_mapping else given, values)

        return bounded


def _bounded_filter(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    leading = 1 if hasattr(original, "jinja_pass_arg") else 0  # Jinja2's own argument
    signature = inspect.signature(original)
    parameters = list(signature.parameters.values())
    # Those that are wrapped for use in coroutines do not tell of Jinja2's own argument.
    tells = parameters[0].name in _JINJAS_OWN
    described = signature.replace(parameters=parameters[1:] if tells else parameters)

    @functools.wraps(original)
    def bounded(*given: Any, **named: Any) -> Any:
        own, value, rest = given[:leading], given[leading], given[leading + 1 :]
        if isinstance(value, Iterator):
            value = list(value)
        ordered = described.bind(value, *rest, **named)
        check_filter(name, value, (*ordered.args[1:], *ordered.kwargs.values()))
        return charge_made(original(*own, value, *rest, **named))

    return bounded


def _finalized(value: Any) -> Any:
    if not isinstance(value, str):
        charge(written_size(value))
    return value


def _concatenated(parts: list[Any]) -> str:
    charge(sum(map(written_size, parts)))
    return "".join(map(str, parts))


def compile_template(source: str) -> Callable[[Mapping[str, Any], int], str]:
    """Return a function that renders `source` with variables, to a limited number of characters.

    Both raise `Overdue` after some seconds, and whatever a template can raise: treat any
    `Exception` as the template's fault. The time of a rendering grows with the length of "messages"
    among the variables. The environment is that of the transformers library, for which the
    templates are written.
    """
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise SecurityError("a template too long")
    environment = _Environment()

    def compiled() -> Template:
        with spending():
            return environment.from_string(source)

    template = call_within(_DEADLINE_S, compiled)

    def render(variables: Mapping[str, Any], max_characters: int) -> str:
        messages = len(variables["messages"])

        def write() -> str:
            pieces: list[str] = []
            left = max_characters
            with spending(max_characters):
                for piece in template.generate(**variables, range=_limited_range(messages)):
                    left -= len(piece)
                    if left < 0:
                        raise SecurityError("a rendering too long")
                    pieces.append(piece)
            return "".join(pieces)

        seconds = _DEADLINE_S + _MESSAGE_DEADLINE_S * messages
        return call_within(min(seconds, _MAX_DEADLINE_S), write)

    return render


def why(problem: Exception) -> str:
    """Return in words why a template failed, with the line where it did, if that is known."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(problem.__traceback__)
        if frame.filename == _FILENAME
    ]
    line = problem.lineno if isinstance(problem, TemplateSyntaxError) else lines[-1:] and lines[-1]
    what = f"{type(problem).__name__}: {problem}"
    return f"line {line}: {what}" if line else what


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Write JSON as the transformers library does: characters of HTML stay as they are."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _strftime_now(form: str) -> str:
    if len(form) > _MAX_DATE_FORMAT:
        raise SecurityError("a date too long")
    return datetime.now().strftime(form)


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
