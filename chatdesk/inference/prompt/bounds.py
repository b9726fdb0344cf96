"""How much a template may make: sizes are known before anything is made, and added up.

No deadline interrupts one call of C code, for example `'x'.ljust(3000000000)`. So the size of what
an operator, a method or a filter makes is found first, and one rendering has a budget for all of
them together. What is thrown away again is not given back.
"""

import re
import sys
from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, Set, ValuesView
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.utils import Namespace

_BUDGET = 2**28  # bytes
_BYTES_PER_CHARACTER = 100  # of the messages: each passes through some filters and variables
_MAX_REPEATED_LENGTH = 100_000
_MAX_EXPONENT = 64
_MAX_FACTOR = 2**63
_MAX_NUMBER = 100_000  # of items, and of characters of one field
_MAX_INDENT = 100
_DEEPEST = 200  # levels of lists in lists that are written
_ITEM_BYTES = 64  # of a short text in a list
_CHARACTER_BYTES = 4
_WIDE_FIELD = re.compile(r"[0-9]{5,}")  # in the format of a text


class _Budget:
    def __init__(self, size: int) -> None:
        self.left = size


_current: ContextVar[_Budget] = ContextVar("budget")


@contextmanager
def spending(message_characters: int = 0) -> Iterator[None]:
    """Give what templates make on this thread a budget."""
    before = _current.set(_Budget(_BUDGET + _BYTES_PER_CHARACTER * message_characters))
    try:
        yield
    finally:
        _current.reset(before)


def charge(size: int) -> None:
    """Take bytes that will be made from the budget. Raises `SecurityError`, as all here do."""
    budget = _current.get()
    budget.left -= size
    if budget.left < 0:
        raise SecurityError("it makes too much text")


def charge_made(value: Any) -> Any:
    """Charge a text or list that is there already, and return it."""
    if isinstance(value, str | bytes | list | tuple):
        charge(sys.getsizeof(value))
    return value


def written_size(value: Any, each: int = 0) -> int:
    """Return the bytes of a value when it is written as text, with `each` more for each item.

    Lists may hold one another so often that they could never be written.
    """
    if isinstance(value, str | bytes):
        return sys.getsizeof(value)
    left = _current.get().left
    size = 0
    levels: list[Iterator[Any]] = [_items(value)]
    while levels:
        for part in levels[-1]:
            size += sys.getsizeof(part) if isinstance(part, str | bytes) else _ITEM_BYTES
            size += each
            if size > left or len(levels) > _DEEPEST:
                raise SecurityError("it makes too much text")
            if not isinstance(part, str | bytes | int | float | None):
                levels.append(_items(part))
                break
        else:
            levels.pop()
    return size


def _items(value: Any) -> Iterator[Any]:
    """Return what is written as a part of a value."""
    if isinstance(value, Namespace):
        value = object.__getattribute__(value, "_Namespace__attrs")
    if isinstance(value, Mapping):
        return (part for pair in value.items() for part in pair)
    is_written = isinstance(value, Sequence | Set | KeysView | ItemsView | ValuesView)
    return iter(value if is_written and not isinstance(value, range) else ())


# Operators


def check_operator(operator: str, left: Any, right: Any) -> None:
    """Charge what an operator makes."""
    match operator:
        case "**":
            if abs(right) > _MAX_EXPONENT or abs(left) > _MAX_FACTOR:
                raise SecurityError("a power too large")
        case "*":
            _check_product(left, right)
            _check_product(right, left)
        case "+" if isinstance(left, str | bytes | list | tuple):
            charge(sys.getsizeof(left) + sys.getsizeof(right))
        case "%" if isinstance(left, str | bytes):
            check_printf(left, right)


def _check_product(one: Any, other: Any) -> None:
    if isinstance(one, int | float) and abs(one) > _MAX_FACTOR:
        raise SecurityError("a product too large")
    if isinstance(one, str | bytes | list | tuple) and isinstance(other, int):
        if len(one) * other > _MAX_REPEATED_LENGTH:
            raise SecurityError("a repetition too long")
        charge(max(0, other) * sys.getsizeof(one))


def check_printf(form: str | bytes, values: Any) -> None:
    """Charge what `form % values` makes."""
    text = form if isinstance(form, str) else form.decode("latin-1")
    check_field(text)
    if "*" in text:  # a width or precision is among the values
        for each in values if isinstance(values, tuple) else (values,):
            check_number(each)
    times = text.count("%") if isinstance(values, Mapping) else 1
    charge(sys.getsizeof(form) + times * written_size(values))


def check_field(form: str) -> None:
    """Refuse widths and precisions of five digits and more."""
    if _WIDE_FIELD.search(form):
        raise SecurityError("a field too wide")


def check_number(value: Any) -> int:
    """Return a width or count that is not too large; 0 for what is no number."""
    if not isinstance(value, int):
        return 0
    if abs(value) > _MAX_NUMBER:
        raise SecurityError("a number too large")
    return abs(value)


# Methods


def check_method(name: str, owner: str | bytes, given: Sequence[Any]) -> None:
    """Charge what a method of a text makes."""
    first = given[0] if given else None
    size = sys.getsizeof(owner)
    match name:
        case "ljust" | "rjust" | "center" | "zfill":
            size += _CHARACTER_BYTES * check_number(first)
        case "expandtabs":
            width = check_number(8 if first is None else first)
            text = owner if isinstance(owner, str) else owner.decode("latin-1")
            size += text.count("\t") * _CHARACTER_BYTES * width
        case "replace" if len(given) > 1:
            size += replaced_size(owner, *given[:2])
        case "join" if isinstance(first, Sequence):
            size = len(first) * size + written_size(first)
        case "translate":
            size += len(owner) * _longest(first)
        case "split" | "rsplit":
            sign: Any = first if isinstance(first, str | bytes) and first else None
            parts = owner.count(sign) if sign else len(owner)
            size += _ITEM_BYTES * (parts + 1)
        case "splitlines":
            size += _ITEM_BYTES * len(owner)
        case "hex":
            size *= 4
    charge(size)


def replaced_size(text: Any, old: Any, new: Any) -> int:
    """Return the most bytes that a replacement adds."""
    return int(text.count(old) * _CHARACTER_BYTES * len(new))


def _longest(table: Any) -> int:
    """Return the size of the longest text in a table of `str.translate`."""
    if not isinstance(table, Mapping | list | tuple | str | bytes):
        raise SecurityError("a table of unknown size")
    values = table.values() if isinstance(table, Mapping) else table
    return max((sys.getsizeof(each) for each in values if isinstance(each, str)), default=0)


# Filters

WRITING_FILTERS = frozenset(
    {
        "capitalize",
        "center",
        "e",
        "escape",
        "forceescape",
        "format",
        "indent",
        "join",
        "lower",
        "pprint",
        "replace",
        "safe",
        "string",
        "striptags",
        "sum",
        "title",
        "tojson",
        "trim",
        "truncate",
        "upper",
        "urlencode",
        "urlize",
        "wordcount",
        "wordwrap",
        "xmlattr",
    }
)
COUNTING_FILTERS = frozenset(
    {
        "batch",
        "dictsort",
        "groupby",
        "list",
        "reverse",
        "round",
        "slice",
        "sort",
        "unique",
    }
)


def check_filter(name: str, value: Any, arguments: Sequence[Any]) -> None:
    """Charge what a filter makes; `arguments` are in the filter's own order."""
    if name in COUNTING_FILTERS:
        for each in arguments:
            check_number(each)
        charge(_ITEM_BYTES * len(value) if isinstance(value, str) else 0)
        return
    size = written_size(value)
    widths = [_indentation(each) for each in arguments] if name in ("indent", "tojson") else []
    match name:
        case "center":
            size += _CHARACTER_BYTES * sum(map(check_number, arguments))
        case "format":
            check_printf(str(value), tuple(arguments))
        case "tojson":
            size = written_size(value, each=_DEEPEST * max(widths, default=0))
        case "indent":
            size += str(value).count("\n") * _CHARACTER_BYTES * max(widths, default=4)
        case "replace":
            size += replaced_size(str(value), *map(str, arguments[:2]))
        case "join" | "wordwrap":
            longest = max((len(each) for each in arguments if isinstance(each, str)), default=0)
            size = written_size(value, each=longest) + size * (longest if name == "wordwrap" else 0)
    charge(size + sum(map(written_size, arguments)))


def _indentation(value: Any) -> int:
    """Return the width of an indentation, which is a number or a text, or of separators."""
    parts = value if isinstance(value, list | tuple) else (value,)
    width = sum(len(each) if isinstance(each, str) else check_number(each) for each in parts)
    if width > _MAX_INDENT:
        raise SecurityError("an indentation too wide")
    return width
