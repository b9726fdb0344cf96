"""The common parts of the commands of `cli/main.py`: arguments, exit codes, output."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.sampling import MAX_SEED
from chatdesk.core.settings import Settings

OK, FAILURE, INTERRUPTED = 0, 1, 130

Command = Callable[[argparse.Namespace, AppPaths, Settings], int]
Document = dict[str, Any]  # what a command prints, with the names of its contract
_Number = TypeVar("_Number", int, float)


class Argument:
    """An argument of a command: its name and what `ArgumentParser.add_argument` takes with it."""

    def __init__(self, name: str, metavar: str | None = None, **keywords: Any) -> None:
        self.name = name
        self._keywords = keywords | ({"metavar": metavar} if metavar else {})

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Have `parser` understand it."""
        parser.add_argument(self.name, **self._keywords)


@dataclass(frozen=True, slots=True)
class Action:
    """A command below a command, as `list` in `chatdesk models list`."""

    name: str
    help: str
    run: Command
    arguments: Sequence[Argument] = ()


def add_actions(commands: Any, name: str, text: str, actions: Iterable[Action]) -> None:
    """Make a command known and the actions below it, each with `--json`."""
    parser = commands.add_parser(name, help=text)
    below = parser.add_subparsers(required=True, metavar=tr("ACTION"))
    for action in actions:
        parser = below.add_parser(action.name, help=action.help)
        for argument in action.arguments:
            argument.add_to(parser)
        parser.set_defaults(command=action.run)
        add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option that all commands with a document have."""
    parser.add_argument("--json", action="store_true", help=tr("print one JSON document"))


def text_argument(text: str) -> str:
    """Text of a command line, as valid Unicode."""
    from chatdesk.core.unicode import sound_text

    return sound_text(text)


def seed_argument(text: str) -> int:
    """A seed that llama.cpp takes."""
    return within(int, text, 0, MAX_SEED)


def within(kind: Callable[[str], _Number], text: str, low: int, high: int) -> _Number:
    """A number in a range, both ends included. Raises `ArgumentTypeError`, in a sentence."""
    with suppress(ValueError):
        if low <= (number := kind(text)) <= high:  # never so for a NaN
            return number
    values = {"value": text, "low": low, "high": high}
    raise argparse.ArgumentTypeError(
        tr("“{value}” is not a whole number from {low} to {high}", **values)
        if kind is int
        else tr("“{value}” is not a number from {low} to {high}", **values)
    )


def note(sentence: str) -> None:
    """Print a note to stderr, in one line."""
    print("chatdesk:", " ".join(sentence.split()), file=sys.stderr)


def fail(sentence: str) -> int:
    """Print a problem that the user can fix; return the exit code."""
    note(sentence)
    return FAILURE


def print_json(document: object) -> None:
    """The one document of a command."""
    print(json.dumps(document, ensure_ascii=False))


def show_share(share: float) -> None:
    """Show the progress, 0 to 1, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} ", end="", file=sys.stderr, flush=True)


def print_rows(rows: Sequence[Document], line: Callable[[Document], str], *, as_json: bool) -> int:
    """A document that is a list, or each of it as a `line`; the exit code."""
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            print(line(row).rstrip())
    return OK


def print_fields(fields: Document, *, as_json: bool) -> int:
    """A document, or its fields line by line; the exit code."""
    if as_json:
        print_json(fields)
    else:
        for name, value in fields.items():
            print(f"{name}: {value}")
    return OK
