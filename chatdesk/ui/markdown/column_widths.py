"""The widths of a table's columns, from the words in them."""

from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtGui import QFont, QFontMetricsF

from chatdesk.ui.markdown.inline_writer import CHIP_PADDING
from chatdesk.ui.markdown.table_rows import CELL_PADDING, CELL_PX, TableRows
from chatdesk.ui.theme import code_font, scaled, text_font

if TYPE_CHECKING:  # the parser is imported when the first message is shown
    from markdown_it.token import Token

_STEP = 16  # pixels
_EASY = 110  # pixels of words a line should have, if there are so many
_ROOMY = 240  # and what it may have in a table that is wider than the room
_WIDEST_WORD = 480  # pixels after which also a word is broken


class ColumnWidths:
    """Measures rows as they come; `fit` shares out the room among the columns."""

    def __init__(self) -> None:
        self._words: list[float] = []  # the longest word of each column, in pixels
        self._lines: list[float] = []  # its longest line, if nothing were wrapped
        self._metrics: dict[tuple[bool, bool], QFontMetricsF] = {}

    def copy(self) -> "ColumnWidths":
        """Return the same measurements for rows that may still change."""
        made = ColumnWidths()
        made._words, made._lines = [*self._words], [*self._lines]
        return made

    def measure(self, rows: TableRows) -> None:
        """Take these rows into account."""
        missing = rows.columns - len(self._words)
        self._words += [0.0] * missing
        self._lines += [0.0] * missing
        for number, row in enumerate(rows.rows):
            for column, cell in enumerate(row):
                word, line = self._measured(cell, rows.is_head(number))
                self._words[column] = max(self._words[column], _rounded(word))
                self._lines[column] = max(self._lines[column], _rounded(line))

    def fit(self, room: int) -> list[int]:
        """Return the widths in pixels; together more than `room` if words would be broken.

        Otherwise together they are `room`.
        """
        if not self._words:
            return []
        least = [_least(*each) for each in zip(self._words, self._lines, strict=True)]
        ideal = [line + 2 * CELL_PADDING + 2 for line in self._lines]
        if sum(least) >= room:  # it scrolls in any case: then there is room for more
            lines = [min(each, scaled(_ROOMY)) + 2 * CELL_PADDING + 2 for each in self._lines]
            return [round(max(each)) for each in zip(least, lines, strict=True)]
        spare, wish = room - sum(least), sum(ideal) - sum(least)
        if wish > spare:
            shares = [(most - few) / wish for most, few in zip(ideal, least, strict=True)]
        else:  # everything fits: what is left over is shared by what there is
            least, spare = ideal, room - sum(ideal)
            shares = [each / sum(ideal) for each in ideal]
        widths = [int(few + spare * share) for few, share in zip(least, shares, strict=True)]
        widths[-1] += room - sum(widths)
        return widths

    def _measured(self, cell: "Token", bold: bool) -> tuple[float, float]:
        """Return the pixels of the longest word of a cell and of its longest line."""
        line = word = longest_line = longest_word = 0.0
        for child in cell.children or []:
            if child.type in ("softbreak", "hardbreak"):
                longest_line, longest_word = max(longest_line, line), max(longest_word, word)
                line = word = 0.0
                continue
            is_code = child.type == "code_inline"
            advance = self._metrics_of(is_code, bold).horizontalAdvance
            text = child.content or str(child.meta.get("label", ""))
            width = advance(text) + (2 * CHIP_PADDING if is_code else 0.0)
            line += width
            first, *others = text.split(" ")
            if others:  # else the word goes on, as in `foo**bar**`
                inside = max((advance(each) for each in others[:-1]), default=0.0)
                longest_word = max(longest_word, word + advance(first), inside)
                word = advance(others[-1])
            else:
                word += width
        return max(longest_word, word), max(longest_line, line)

    def _metrics_of(self, is_code: bool, bold: bool) -> QFontMetricsF:
        if (is_code, bold) not in self._metrics:
            font = code_font() if is_code else text_font(CELL_PX)
            font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
            self._metrics[is_code, bold] = QFontMetricsF(font)
        return self._metrics[is_code, bold]


def _rounded(pixels: float) -> float:
    """Round up in steps, so that few rows of a long table widen the ones above them."""
    return ceil(pixels / _STEP) * _STEP


def _least(word: float, line: float) -> float:
    """Return the least width of a column that is still easy to read."""
    return max(min(word, scaled(_WIDEST_WORD)), min(line, scaled(_EASY))) + 2 * CELL_PADDING + 2
