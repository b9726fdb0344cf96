"""A model card as plain text: no HTML, no images, nothing that would be fetched."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_CHARACTERS = 50_000  # of Markdown; cards have some thousands
INDENT = "  "
ENDS = (
    *("paragraph_close", "heading_close", "bullet_list_close", "ordered_list_close"),
    *("table_close", "fence", "code_block", "html_block"),
)
SILENT = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"))  # not for reading
_TAG = re.compile(r"<[^<>]*>")


def card_text(markdown: str) -> str:
    """Return the text of a card in untrusted Markdown. Links become their words."""
    from markdown_it import MarkdownIt  # the window must not load it at start

    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(_without_front_matter(markdown[:MAX_CHARACTERS]))
    blocks = (block.rstrip() for block in _blocks(tokens))
    text = "\n".join(blocks)
    printable = "".join(char for char in text if char.isprintable() or char == "\n")
    while "\n\n\n" in printable:
        printable = printable.replace("\n\n\n", "\n\n")
    return printable.strip()


def _without_front_matter(markdown: str) -> str:
    """Remove the YAML at the beginning of a card, between two lines of dashes."""
    lines = markdown.lstrip("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != "---":
        return markdown
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    return markdown if end is None else "\n".join(lines[end + 1 :])


def _blocks(tokens: Sequence["Token"]) -> Iterator[str]:
    """Yield lines of text; an empty one ends each paragraph, heading, list, table and code."""
    depth, mark, cells = 0, "", list[str]()
    for before, token in zip((None, *tokens), tokens, strict=False):
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
            case "list_item_open":
                mark = f"{token.info}. " if token.info else "• "
            case "inline" if before is not None and before.type in ("th_open", "td_open"):
                cells.append(_inline(token))
            case "inline":
                yield f"{INDENT * max(depth - 1, 0)}{mark}{_inline(token)}"
                mark = ""
            case "tr_close":
                yield " | ".join(cells)
                cells = []
            case "fence" | "code_block":
                yield token.content
            case "html_block":
                yield _html_text(token.content)
        if depth == 0 and token.type in ENDS:
            yield ""


def _inline(token: "Token") -> str:
    """Return the words of a paragraph, without images and their descriptions."""
    words = []
    for child in token.children or ():
        match child.type:
            case "text" | "code_inline":
                words.append(child.content)
            case "softbreak":
                words.append(" ")
            case "hardbreak":
                words.append("\n")
    return "".join(words).strip()


def _html_text(html: str) -> str:
    """Return the text between tags, a line for each that has any. Linear in the length."""
    for start, end in SILENT:
        before, *pieces = html.split(start)
        html = before + "".join(piece.partition(end)[2] for piece in pieces)
    lines = (line.strip() for line in unescape(_TAG.sub("", html)).splitlines())
    return "\n".join(line for line in lines if line)
