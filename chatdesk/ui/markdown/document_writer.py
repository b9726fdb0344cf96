"""Writes markdown-it tokens into a `QTextDocument`, block by block.

Things that a text document cannot draw itself (quote bars, rules, the markers of lists, the rounded
ground of inline code) are marked with properties for `ProseView` to paint.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextLength,
    QTextList,
    QTextListFormat,
    QTextTableFormat,
)

from chatdesk.ui.markdown.direction import is_rtl
from chatdesk.ui.markdown.inline_writer import InlineWriter, Style
from chatdesk.ui.markdown.properties import CODE_BLOCK, MARKER, QUOTE_DEPTH, RULE, TASK
from chatdesk.ui.markdown.table_rows import CELL_PADDING, read_rows, write_rows
from chatdesk.ui.theme import (
    CODE_PX,
    LINE_HEIGHT,
    SMALL_PX,
    TEXT_PX,
    Theme,
    code_font,
    scaled,
    text_font,
    text_scale,
)

if TYPE_CHECKING:  # the parser is imported when the first message is shown
    from markdown_it.token import Token

INDENT = 28  # pixels a level of a list: "10." and the gap after it
MARKER_GAP = 8  # pixels between the marker of an item and its words

_QUOTE_INDENT = 16
_GAP = 12  # pixels between blocks
_ITEM_GAP = 4
_BELOW_HEADING = 8
_TASKS = ("[ ] ", "[x] ", "[X] ")
_BULLETS = "•–·"  # by depth; the deepest for all below it
# The style of Qt's own list is for what is copied; its markers are not drawn.
_STYLES = (
    QTextListFormat.Style.ListDisc,
    QTextListFormat.Style.ListCircle,
    QTextListFormat.Style.ListSquare,
)


@dataclass(frozen=True, slots=True)
class _Heading:
    """The look of one level: the size of its letters and the space above it, in pixels."""

    pixels: float
    above: int
    quiet: bool = False


_HEADINGS = {
    "h1": _Heading(22.0, 28),
    "h2": _Heading(18.5, 26),
    "h3": _Heading(16.0, 22),
    "h4": _Heading(14.5, 18),
    "h5": _Heading(13.0, 16),
    "h6": _Heading(13.0, 16, quiet=True),
}


class BlockKind(Enum):
    """The kind of the last block, which determines the space before the next one."""

    NOTHING = auto()
    PARAGRAPH = auto()
    HEADING = auto()
    ITEM = auto()
    TABLE = auto()


@dataclass
class _List:
    """An open list; Qt's own is made with its first item.

    `marker` is that of its present item, `number` that of the next one where items are numbered.
    `margin` is the room for numbers that are wider than the indent, in pixels.
    """

    form: QTextListFormat
    marker: str
    number: int = 0
    margin: int = 0
    made: QTextList | None = None

    def begin_item(self) -> None:
        """Go on to the next item."""
        if self.form.style() is QTextListFormat.Style.ListDecimal:
            self.marker = f"{self.number}."
            self.number += 1


@dataclass
class _Place:
    """The place of the next block: its nesting in lists and quotes."""

    lists: list[_List] = field(default_factory=list)
    quotes: int = 0
    item_pending: bool = False
    small: bool = False
    prefix: str = ""


class DocumentWriter:
    """Appends blocks at the end of a document.

    `last` is the kind of the document's last block; restore it together with the text when an end
    of the document is removed.
    """

    def __init__(self, document: QTextDocument, theme: Theme, quiet: bool = False) -> None:
        self._document = document
        self._indent = scaled(INDENT)
        document.setIndentWidth(self._indent)
        self._theme = theme
        self._quiet = quiet
        self.last = BlockKind.NOTHING
        self._inline = InlineWriter(theme)
        self._place = _Place()
        self._hidden = QTextCharFormat()  # for Qt's own markers
        self._hidden.setForeground(Qt.GlobalColor.transparent)
        self._marker_metrics = QFontMetricsF(text_font())

    @property
    def has_links(self) -> bool:
        """True if a link was written."""
        return self._inline.has_links

    def write(self, tokens: "Sequence[Token]") -> None:
        """Append the blocks of `tokens`."""
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._place = _Place()
        at = 0
        while at < len(tokens):
            at = self._block(cursor, tokens, at)

    def write_plain(self, text: str) -> None:
        """Append text as it is, each line as a block without space between."""
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._begin_block(cursor, self._block_format(TEXT_PX, 0), BlockKind.PARAGRAPH)
        cursor.insertText(text, self._inline.format(Style(TEXT_PX, quiet=self._quiet)))

    def _block(self, cursor: QTextCursor, tokens: "Sequence[Token]", at: int) -> int:
        """Write the block that begins at token `at`; return the number of the token after it."""
        token = tokens[at]
        if token.type == "heading_open":
            self._heading(cursor, token, tokens[at + 1])
            return at + 3
        if token.type == "inline":
            self._paragraph(cursor, token)
        elif token.type in ("fence", "code_block"):
            self._code(cursor, token)
        elif token.type == "hr":
            form = self._block_format(TEXT_PX, self._gap(BlockKind.PARAGRAPH))
            form.setProperty(RULE, True)
            self._begin_block(cursor, form, BlockKind.PARAGRAPH)
        elif token.type == "table_open":
            return self._table(cursor, tokens, at)
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            self._place.lists.append(self._list(tokens, at))
        else:
            self._nest(token)
        return at + 1

    def _nest(self, token: "Token") -> None:
        place = self._place
        if token.type in ("bullet_list_close", "ordered_list_close"):
            place.lists.pop()
        elif token.type == "list_item_open":
            place.item_pending = True
            place.lists[-1].begin_item()
        elif token.type == "list_item_close":
            place.item_pending = False
        elif token.type == "blockquote_open":
            place.quotes += 1
        elif token.type == "blockquote_close":
            place.quotes -= 1
        elif token.type == "footnote_reference_open":
            place.small, place.prefix = True, f"{token.meta['label']}. "
        elif token.type == "footnote_reference_close":
            place.small = False

    def _list(self, tokens: "Sequence[Token]", at: int) -> _List:
        """Open the list that begins at token `at`."""
        depth = min(len(self._place.lists), len(_BULLETS) - 1)
        form = QTextListFormat()
        form.setIndent(len(self._place.lists) + 1)
        form.setStyle(_STYLES[depth])
        opened = _List(form, _BULLETS[depth])
        if tokens[at].type == "ordered_list_open":
            first, last = _numbers(tokens, at)
            form.setStyle(QTextListFormat.Style.ListDecimal)
            form.setStart(first)
            opened.number = first
            width = self._marker_metrics.horizontalAdvance(f"{last}.") + MARKER_GAP
            opened.margin = max(0, ceil(width) - self._indent)
        return opened

    def _heading(self, cursor: QTextCursor, token: "Token", inline: "Token") -> None:
        look = _HEADINGS[token.tag]
        above = 0 if self.last is BlockKind.NOTHING else look.above
        form = self._block_format(look.pixels, above, inline.content)
        form.setHeadingLevel(int(token.tag[1]))
        self._begin_block(cursor, form, BlockKind.HEADING)
        quiet = look.quiet or self._is_quiet
        self._inline.write(cursor, inline, Style(look.pixels, bold=True, quiet=quiet))

    def _paragraph(self, cursor: QTextCursor, inline: "Token") -> None:
        place = self._place
        pixels = SMALL_PX if place.small else TEXT_PX
        kind = BlockKind.ITEM if place.lists else BlockKind.PARAGRAPH
        form = self._block_format(pixels, self._gap(kind), inline.content)
        children = inline.children or []
        if place.item_pending and children and children[0].content[:4] in _TASKS:
            form.setProperty(TASK, children[0].content[1] != " ")
            children[0] = children[0].copy(content=children[0].content[4:])
            place.item_pending = False
        self._begin_block(cursor, form, kind)
        if place.prefix:
            cursor.insertText(place.prefix, self._inline.format(Style(pixels, quiet=True)))
            place.prefix = ""
        self._inline.write(cursor, inline, Style(pixels, quiet=self._is_quiet))

    @property
    def _is_quiet(self) -> bool:
        return self._quiet or self._place.quotes > 0 or self._place.small

    def _code(self, cursor: QTextCursor, token: "Token") -> None:
        form = self._block_format(CODE_PX, self._gap(BlockKind.PARAGRAPH))
        form.setProperty(CODE_BLOCK, True)
        form.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        form.setLeftMargin(form.leftMargin() + CELL_PADDING)
        self._begin_block(cursor, form, BlockKind.PARAGRAPH)
        chars = QTextCharFormat()
        chars.setFont(code_font())
        # Line separators, not blocks, so that the ground is painted once around all lines.
        cursor.insertText(token.content.rstrip("\n").replace("\n", "\u2028"), chars)

    def _gap(self, kind: BlockKind) -> int:
        if self.last is BlockKind.NOTHING:
            return 0
        if kind is BlockKind.ITEM and self.last is BlockKind.ITEM:
            return _ITEM_GAP
        return _BELOW_HEADING if self.last is BlockKind.HEADING else _GAP

    def _block_format(self, pixels: float, gap: int, text: str = "") -> QTextBlockFormat:
        """Return the format of a block; `text` decides on which side it begins."""
        place = self._place
        form = QTextBlockFormat()
        form.setTopMargin(gap)
        ratio = LINE_HEIGHT if pixels <= TEXT_PX else 1.35
        form.setLineHeight(
            round(pixels * ratio * text_scale()), QTextBlockFormat.LineHeightTypes.FixedHeight.value
        )
        if place.quotes:
            form.setProperty(QUOTE_DEPTH, place.quotes)
        margin = _QUOTE_INDENT * place.quotes + sum(each.margin for each in place.lists)
        if is_rtl(text):
            form.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
            form.setRightMargin(margin)
        else:
            form.setLeftMargin(margin)
        return form

    def _begin_block(self, cursor: QTextCursor, form: QTextBlockFormat, kind: BlockKind) -> None:
        """Make an empty block at the end and put the cursor there.

        A document that is empty or ends with a table has such a block already.
        """
        place = self._place
        form.setIndent(len(place.lists))
        blank = QTextCharFormat()
        if self.last in (BlockKind.NOTHING, BlockKind.TABLE):
            cursor.setBlockFormat(form)
        else:
            cursor.insertBlock(form, blank)
        if place.item_pending and place.lists:
            self._add_to_list(cursor, form)
            place.item_pending = False
        self.last = kind

    def _add_to_list(self, cursor: QTextCursor, form: QTextBlockFormat) -> None:
        current = self._place.lists[-1]
        form.setIndent(0)  # the list indents its own
        form.setProperty(MARKER, current.marker)
        cursor.setBlockFormat(form)
        cursor.setBlockCharFormat(self._hidden)
        if current.made is None:
            current.made = cursor.createList(current.form)
        else:
            current.made.add(cursor.block())

    def _table(self, cursor: QTextCursor, tokens: "Sequence[Token]", at: int) -> int:
        """Write a table inside a list or a quote; one of its own is a `TableCard`."""
        end = next(n for n in range(at, len(tokens)) if tokens[n].type == "table_close")
        place, form = self._place, QTextTableFormat()
        form.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        form.setTopMargin(0 if self.last is BlockKind.NOTHING else _GAP)
        form.setLeftMargin(len(place.lists) * self._indent + _QUOTE_INDENT * place.quotes)
        # Not after the document's end: the block after the table is part of it.
        write_rows(cursor, read_rows(tokens[at:end]), form, self._inline, self._theme)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.setBlockFormat(QTextBlockFormat())
        self.last = BlockKind.TABLE
        return end + 1


def _numbers(tokens: "Sequence[Token]", at: int) -> tuple[int, int]:
    """Return the first and the last number of the ordered list that begins at token `at`."""
    level = tokens[at].level
    first, items = 1, 0
    for token in tokens[at + 1 :]:
        if token.type == "ordered_list_close" and token.level == level:
            break
        if token.type == "list_item_open" and token.level == level + 1:
            if not items and token.info:
                first = int(token.info[:9])  # as it was written
            items += 1
    return first, first + items - 1
