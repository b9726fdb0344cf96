"""A table of figures, each with a name before it, and a judgement in words after it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from chatdesk.ui.personalize.scorecard_figures import MeasuredFigure
from chatdesk.ui.theme import scaled, set_class
from chatdesk.ui.widgets.fields import section

_COLUMNS = 4
_GAP = 20
_LEAST_NAME = 150  # pixels of the names beside their figures


class FigureTable(QWidget):
    """Has a line above each row, and speaks its rows.

    Where it is narrow a name stands above its figures.
    """

    def __init__(self, heads: Sequence[str]) -> None:
        super().__init__()
        self._spoken: list[str] = []
        self._rows: list[list[QLabel]] = []  # the cells of each; a title has one
        self._is_stacked = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(0, 1)
        self.setAccessibleName(heads[0])
        self._add([cell(words, "cell-strong", wrapped=not at) for at, words in enumerate(heads)])

    def add_title(self, words: str) -> None:
        """Add a line of words across the table."""
        title = section(words)
        title.setWordWrap(True)
        self._add([title])
        self._speak(words)

    def add_figure(self, row: MeasuredFigure) -> None:
        """Add a figure."""
        self.add_row(
            (row.name, "cell"),
            (row.before, "cell"),
            (row.after, "cell-strong"),
            (row.judgement, f"cell-{row.tone}"),
        )

    def add_row(self, *cells: tuple[str, str]) -> None:
        """Add words, each with its look; the first are a name."""
        self._add([cell(*each, wrapped=not at) for at, each in enumerate(cells)])
        name, *others = (words for words, _ in cells)
        self._speak(f"{name}: {', '.join(filter(None, others))}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the figures beside or below their names."""
        super().resizeEvent(event)
        stacked = self.width() < scaled(_LEAST_NAME) + self._figures_width()
        if stacked is not self._is_stacked:
            self._is_stacked = stacked
            self._grid.setColumnStretch(0, not stacked)
            self._grid.setColumnStretch(_COLUMNS - 2, stacked)
            for at in range(len(self._rows)):
                self._place(at)

    def _figures_width(self) -> int:
        rows = [row for row in self._rows if len(row) == _COLUMNS]
        return sum(
            _GAP + max(label.fontMetrics().horizontalAdvance(label.text()) for label in column)
            for column in list(zip(*rows, strict=True))[1:]
        )

    def _add(self, cells: list[QLabel]) -> None:
        if self._rows:
            line = QFrame()
            set_class(line, "line")
            self._grid.addWidget(line, 3 * len(self._rows) - 1, 0, 1, _COLUMNS)
        self._rows.append(cells)
        self._place(len(self._rows) - 1)

    def _place(self, at: int) -> None:
        """Place the cells of a row, in one line of the grid or in two; the third is the line."""
        name, *figures = self._rows[at]
        above = self._is_stacked or not figures
        self._grid.addWidget(name, 3 * at, 0, 1, _COLUMNS if above else 1)
        for column, figure in enumerate(figures):
            figure.setWordWrap(above and column == len(figures) - 1)
            if above:
                self._grid.addWidget(figure, 3 * at + 1, column)
            else:
                self._grid.addWidget(figure, 3 * at, column + 1)

    def _speak(self, words: str) -> None:
        self._spoken.append(words)
        self.setAccessibleDescription("\n".join(self._spoken))


def cell(words: str, look: str, *, wrapped: bool) -> QLabel:
    """Return untrusted words with a look of the style sheet."""
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrapped)
    set_class(label, look)
    return label
