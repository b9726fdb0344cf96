"""The rows of a table: read from its tokens, written into a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QTextBlockFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)

from chatdesk.ui.markdown.direction import is_rtl
from chatdesk.ui.markdown.inline_writer import InlineWriter, Style
from chatdesk.ui.theme import LINE_HEIGHT, TEXT_PX, Theme, text_scale

if TYPE_CHECKING:  # the parser is imported when the first message is shown
    from markdown_it.token import Token

CELL_PADDING = 10.0  # pixels left and right of the words
CELL_PX = 13.5

_ALIGNMENTS = {
    "left": Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute,
    "right": Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute,
    "center": Qt.AlignmentFlag.AlignHCenter,
}


@dataclass(frozen=True, slots=True)
class TableRows:
    """The cells of some rows of a table, in the order in which they are seen from the left.

    `has_head`: the first row is the head. `alignments` has "left", "right", "center" or "" for
    each column. `is_rtl`: it is read from the right.
    """

    rows: "Sequence[Sequence[Token]]"
    alignments: Sequence[str]
    has_head: bool
    is_rtl: bool = False

    @property
    def columns(self) -> int:
        """The number of columns."""
        return max(1, len(self.alignments))

    def is_head(self, row: int) -> bool:
        """True for the row with the names of the columns."""
        return self.has_head and row == 0


def read_rows(tokens: "Sequence[Token]", *, with_head: bool = True) -> TableRows:
    """Return the rows between `table_open` and `table_close`.

    A table whose head is in a right-to-left script has its first column at the right.
    """
    rows: list[list[Token]] = []
    alignments: list[str] = []
    for token, following in pairwise(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(following)
            if len(rows) == 1:
                alignments.append(str(token.attrs.get("style", "")).rpartition(":")[2])
    mirrored = bool(rows) and is_rtl(" ".join(cell.content for cell in rows[0]))
    if mirrored:
        rows = [row[::-1] for row in rows]
        alignments.reverse()
    return TableRows(rows if with_head else rows[1:], alignments, with_head, mirrored)


def write_rows(
    cursor: QTextCursor, rows: TableRows, form: QTextTableFormat, inline: InlineWriter, theme: Theme
) -> QTextTable:
    """Insert a table with these rows."""
    form.setBorder(0)
    form.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
    form.setBorderCollapse(True)
    form.setCellSpacing(0)
    form.setCellPadding(0)
    table = cursor.insertTable(len(rows.rows), rows.columns, form)
    cell_form = _cell_format(theme)
    for number, row in enumerate(rows.rows):
        style = Style(CELL_PX, bold=rows.is_head(number))
        for column, words in enumerate(row):
            cell = table.cellAt(number, column)
            cell.setFormat(cell_form)
            at = cell.firstCursorPosition()
            at.setBlockFormat(_block_format(rows.alignments[column], mirrored=rows.is_rtl))
            inline.write(at, words, style)
    return table


def _cell_format(theme: Theme) -> QTextTableCellFormat:
    form = QTextTableCellFormat()
    form.setTopPadding(2)
    form.setBottomPadding(3)
    form.setLeftPadding(CELL_PADDING)
    form.setRightPadding(CELL_PADDING)
    form.setBottomBorder(1)
    form.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    form.setBottomBorderBrush(QBrush(QColor(theme.line)))
    return form


def _block_format(alignment: str, *, mirrored: bool) -> QTextBlockFormat:
    form = QTextBlockFormat()
    if mirrored:  # also for numbers, which have no direction
        form.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    height = round(TEXT_PX * LINE_HEIGHT * text_scale())
    form.setLineHeight(height, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    if alignment in _ALIGNMENTS:
        form.setAlignment(_ALIGNMENTS[alignment])
    return form
