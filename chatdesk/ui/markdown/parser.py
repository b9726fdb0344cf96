"""Prose as the tokens of markdown-it: CommonMark with tables, strikethrough, footnotes and links.

The library is imported when the first message is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chatdesk.ui.markdown.splitter import Piece, Prose

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_NESTING = 20

_MARKUP = "[]*_~<&/\\`!"


def parse(prose: Prose, definitions: dict[str, Any]) -> "list[Token]":
    """Return the block tokens of one piece.

    `definitions` is markdown-it's environment, shared by the pieces of a message: the definitions
    of one piece are added to it, for the pieces parsed after it.
    """
    if prose.plain or _is_hostile(prose.text):
        text = prose.text.split("\n", 2)[2] if prose.continues else prose.text
        return plain_tokens(text)
    return _parser().parse(prose.text, definitions)


@dataclass(frozen=True, slots=True)
class Section:
    """Neighbouring blocks that are shown by one widget: a table, or anything else."""

    tokens: "list[Token]"
    is_table: bool


def sections(tokens: "Iterable[Token]") -> list[Section]:
    """Return the sections of a piece; a table inside a list or a quote is part of that."""
    found: list[Section] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            is_table = token.type == "table_open"
            if not found or is_table or found[-1].is_table:
                found.append(Section([], is_table))
        found[-1].tokens.append(token)
        depth += token.nesting
    return found


def collect_definitions(pieces: Iterable[Piece]) -> dict[str, Any]:
    """Return the footnotes and link references of `pieces`, as an environment for `parse`."""
    definitions: dict[str, Any] = {}
    for piece in pieces:
        if isinstance(piece, Prose) and piece.has_definitions:
            parse(piece, definitions)
    return definitions


def warm_up() -> None:
    """Make the parser; called on another thread while the window is idle."""
    _parser().parse("[warm](https://example.org) www.example.org")


def plain_tokens(text: str) -> "list[Token]":
    """Return text as one paragraph without markup."""
    from markdown_it.token import Token

    inline = Token("inline", "", 0, content=text, children=[])
    for number, line in enumerate(text.split("\n")):
        if number:
            inline.children = [*(inline.children or []), Token("softbreak", "br", 0)]
        inline.children = [*(inline.children or []), Token("text", "", 0, content=line)]
    return [Token("paragraph_open", "p", 1), inline, Token("paragraph_close", "p", -1)]


def _is_hostile(text: str) -> bool:
    # Long runs of markup make inline parsing quadratic; no real text is a quarter markup.
    return len(text) > 1_000 and sum(map(text.count, _MARKUP)) * 4 > len(text)


@lru_cache(maxsize=1)
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin

    from chatdesk.ui.markdown.emphasis import CjkFriendlyParser
    from chatdesk.ui.markdown.links import LinkFinder

    options = {"html": False, "linkify": True, "maxNesting": MAX_NESTING, "breaks": True}
    parser = MarkdownIt("commonmark", options)
    parser.inline = CjkFriendlyParser(parser.inline)
    parser.linkify = LinkFinder()
    parser.enable(["table", "strikethrough", "linkify"])
    parser.use(footnote_plugin, inline=False, move_to_end=False)
    return parser
