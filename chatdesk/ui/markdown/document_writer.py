"""Writes markdown-it tokens into a `QTextDocument`, block by block.

Model output is never read as HTML and nothing is fetched: raw HTML arrives here as text, an image
is shown as its description. Things that a text document cannot draw itself (quote bars, rules, the
rounded ground of inline code) are marked with properties for `ProseView` to paint.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import zip_longest

from markdown_it.token import Token
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextList,
    QTextListFormat,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import CODE_PX, LINE_HEIGHT, SMALL_PX, TEXT_PX, Theme, code_font, text_font

INLINE_CODE, QUOTE_DEPTH, RULE, CODE_BLOCK, TASK = (
    QTextFormat.Property.UserProperty.value + number for number in range(1, 6)
)

SAFE_SCHEMES = ("http", "https", "mailto")

CHIP_PADDING = 4.0  # pixels between inline code and its border

_HEADING_PX = {"h1": 20.0, "h2": 17.0, "h3": 15.0}
_INDENT = 24  # pixels a level of a list or quote
_GAP = 12  # pixels between blocks
_ITEM_GAP = 4
_CELL_PADDING = 10.0
_BULLETS = (QTextListFormat.Style.ListDisc, QTextListFormat.Style.ListCircle)


class BlockKind(Enum):
    """The kind of the last block, which determines the space before the next one."""

    NOTHING = auto()
    PARAGRAPH = auto()
    HEADING = auto()
    ITEM = auto()
    TABLE = auto()


@dataclass(frozen=True)
class _Inline:
    """The active character formats at one place."""

    bold: bool = False
    italic: bool = False
    strike: bool = False
    href: str = ""
    raised: bool = False


@dataclass
class _List:
    """An open list; Qt's own is made with its first item."""

    form: QTextListFormat
    made: QTextList | None = None


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
        self._theme = theme
        self._quiet = quiet
        self.last = BlockKind.NOTHING
        self.has_links = False
        self._place = _Place()
        self._formats: dict[tuple[_Inline, float, bool], QTextCharFormat] = {}

    def write(self, tokens: Sequence[Token]) -> None:
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
        cursor.insertText(text, self._char_format(_Inline(), quiet=self._quiet))

    def _block(self, cursor: QTextCursor, tokens: Sequence[Token], at: int) -> int:
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
        else:
            self._nest(token)
        return at + 1

    def _nest(self, token: Token) -> None:
        place = self._place
        if token.type in ("bullet_list_open", "ordered_list_open"):
            place.lists.append(self._list(token))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            place.lists.pop()
        elif token.type == "list_item_open":
            place.item_pending = True
            if token.info and place.lists[-1].made is None:  # the first number as it was written
                place.lists[-1].form.setStart(int(token.info[:9]))
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

    def _list(self, token: Token) -> _List:
        form = QTextListFormat()
        depth = len(self._place.lists)
        form.setIndent(depth + 1)
        ordered = token.type == "ordered_list_open"
        form.setStyle(QTextListFormat.Style.ListDecimal if ordered else _BULLETS[min(depth, 1)])
        return _List(form)

    def _heading(self, cursor: QTextCursor, token: Token, inline: Token) -> None:
        pixels = _HEADING_PX.get(token.tag, TEXT_PX)
        form = self._block_format(pixels, self._gap(BlockKind.HEADING))
        form.setHeadingLevel(int(token.tag[1]))
        self._begin_block(cursor, form, BlockKind.HEADING)
        self._inline(cursor, inline, pixels, _Inline(bold=True))

    def _paragraph(self, cursor: QTextCursor, inline: Token) -> None:
        place = self._place
        pixels = SMALL_PX if place.small else TEXT_PX
        kind = BlockKind.ITEM if place.lists else BlockKind.PARAGRAPH
        form = self._block_format(pixels, self._gap(kind))
        children = inline.children or []
        if place.item_pending and children and children[0].content[:4] in _TASKS:
            form.setProperty(TASK, children[0].content[1] != " ")
            children[0] = children[0].copy(content=children[0].content[4:])
            place.item_pending = False
        self._begin_block(cursor, form, kind)
        if place.prefix:
            cursor.insertText(place.prefix, self._char_format(_Inline(), pixels, quiet=True))
            place.prefix = ""
        self._inline(cursor, inline, pixels, _Inline())

    def _code(self, cursor: QTextCursor, token: Token) -> None:
        form = self._block_format(CODE_PX, self._gap(BlockKind.PARAGRAPH))
        form.setProperty(CODE_BLOCK, True)
        form.setLeftMargin(form.leftMargin() + _CELL_PADDING)
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
        if kind is BlockKind.HEADING:
            return 20
        return 8 if self.last is BlockKind.HEADING else _GAP

    def _block_format(self, pixels: float, gap: int) -> QTextBlockFormat:
        form = QTextBlockFormat()
        form.setTopMargin(gap)
        ratio = LINE_HEIGHT if pixels <= TEXT_PX else 1.35
        form.setLineHeight(
            round(pixels * ratio), QTextBlockFormat.LineHeightTypes.FixedHeight.value
        )
        if self._place.quotes:
            form.setProperty(QUOTE_DEPTH, self._place.quotes)
            form.setLeftMargin(16.0 * self._place.quotes)
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
        form.setIndent(0)  # the list indents its own
        cursor.setBlockFormat(form)
        current = self._place.lists[-1]
        if current.made is None:
            current.made = cursor.createList(current.form)
        else:
            current.made.add(cursor.block())

    def _table(self, cursor: QTextCursor, tokens: Sequence[Token], at: int) -> int:
        rows: list[list[Token]] = []
        styles: list[str] = []
        end = at
        while tokens[end].type != "table_close":
            token = tokens[end]
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                rows[-1].append(tokens[end + 1])
                if len(rows) == 1:
                    styles.append(str(token.attrs.get("style", "")))
            end += 1
        # Not after the document's end: the block after the table is part of it.
        table = cursor.insertTable(len(rows), max(1, len(styles)), self._table_format())
        for number, row in enumerate(rows):
            for column, inline in enumerate(row):
                self._cell(table, number, column, inline, styles[column])
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.setBlockFormat(QTextBlockFormat())
        self.last = BlockKind.TABLE
        return end + 1

    def _table_format(self) -> QTextTableFormat:
        form = QTextTableFormat()
        form.setBorder(0)
        form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
        form.setBorderCollapse(True)
        form.setCellSpacing(0)
        form.setCellPadding(0)
        form.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        form.setTopMargin(0 if self.last is BlockKind.NOTHING else 8)
        form.setLeftMargin(len(self._place.lists) * _INDENT + 16 * self._place.quotes)
        return form

    def _cell(self, table: QTextTable, row: int, column: int, inline: Token, style: str) -> None:
        cell = table.cellAt(row, column)
        form = QTextTableCellFormat()
        form.setTopPadding(2)
        form.setBottomPadding(3)
        form.setLeftPadding(_CELL_PADDING)
        form.setRightPadding(_CELL_PADDING)
        form.setBottomBorder(1)
        form.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        form.setBottomBorderBrush(QBrush(QColor(self._theme.line)))
        cell.setFormat(form)
        cursor = cell.firstCursorPosition()
        block = self._block_format(TEXT_PX, 0)
        if style.endswith(":right"):
            block.setAlignment(Qt.AlignmentFlag.AlignRight)
        elif style.endswith(":center"):
            block.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        cursor.setBlockFormat(block)
        self._inline(cursor, inline, 13.5, _Inline(bold=row == 0))

    def _inline(self, cursor: QTextCursor, inline: Token, pixels: float, base: _Inline) -> None:
        on = base
        quiet = self._quiet or self._place.quotes > 0 or self._place.small
        children = inline.children or []
        for token, following in zip_longest(children, children[1:]):
            kind = token.type
            if kind == "text":
                form = self._char_format(on, pixels, quiet)
                before_code = following is not None and following.type == "code_inline"
                _insert(cursor, token.content, form, spaced=before_code)
            elif kind == "code_inline":
                _insert(cursor, token.content, self._code_format(on, pixels), spaced=True)
            elif kind in ("softbreak", "hardbreak"):
                cursor.insertText("\u2028")
            elif kind == "link_open":
                on = replace(on, href=safe_link(str(token.attrs.get("href", ""))))
            elif kind == "link_close":
                on = replace(on, href="")
            elif kind == "image":
                shown = replace(on, href=on.href or safe_link(str(token.attrs.get("src", ""))))
                words = tr("[image: {description}]", description=token.content or "…")
                cursor.insertText(words, self._char_format(shown, pixels, quiet))
            elif kind == "footnote_ref":
                raised = self._char_format(replace(on, raised=True), pixels, quiet)
                cursor.insertText(token.meta["label"], raised)
            else:
                on = _switched(on, kind, base)

    def _char_format(
        self, on: _Inline, pixels: float = TEXT_PX, quiet: bool = False
    ) -> QTextCharFormat:
        key = (on, pixels, quiet)
        if key in self._formats:
            return self._formats[key]
        weight = QFont.Weight.DemiBold if on.bold else QFont.Weight.Normal
        form = QTextCharFormat()
        font = text_font(pixels, weight)
        font.setItalic(on.italic)
        font.setStrikeOut(on.strike)
        form.setFont(font)
        form.setForeground(QColor(self._theme.muted if quiet else self._theme.text))
        if on.raised:
            form.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
        if on.href:
            form.setAnchor(True)
            form.setAnchorHref(on.href)
            form.setForeground(QColor(self._theme.accent))
            form.setFontUnderline(True)
            self.has_links = True
        self._formats[key] = form
        return form

    def _code_format(self, on: _Inline, pixels: float) -> QTextCharFormat:
        form = QTextCharFormat(self._char_format(on, pixels))
        font = code_font()
        font.setWeight(QFont.Weight.DemiBold if on.bold else QFont.Weight.Normal)
        form.setFont(font)
        form.setProperty(INLINE_CODE, True)
        return form


def safe_link(target: str) -> str:
    """Return `target` if a click may open its scheme, else ""."""
    scheme, colon, _ = target.partition(":")
    return target if colon and scheme.lower() in SAFE_SCHEMES else ""


def _insert(cursor: QTextCursor, text: str, form: QTextCharFormat, *, spaced: bool) -> None:
    """Insert text; `spaced` leaves room after it for the border of inline code."""
    if not spaced:
        cursor.insertText(text, form)
        return
    wide = QTextCharFormat(form)
    wide.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
    wide.setFontLetterSpacing(CHIP_PADDING)
    cursor.insertText(text[:-1], form)
    cursor.insertText(text[-1:], wide)


def _switched(on: _Inline, kind: str, base: _Inline) -> _Inline:
    name, _, side = kind.rpartition("_")
    start = side == "open"
    if name == "strong":
        return replace(on, bold=start or base.bold)
    if name == "em":
        return replace(on, italic=start)
    if name == "s":
        return replace(on, strike=start)
    return on


_TASKS = ("[ ] ", "[x] ", "[X] ")
