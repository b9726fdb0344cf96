"""A table: as wide as there is room, or scrolling sideways in a frame of its own."""

from collections import deque
from collections.abc import Sequence
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtGui import (
    QResizeEvent,
    QTextCursor,
    QTextLength,
    QTextTable,
    QTextTableFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.markdown.column_widths import ColumnWidths
from chatdesk.ui.markdown.inline_writer import InlineWriter
from chatdesk.ui.markdown.sticky_bar import StickyBar, is_sideways
from chatdesk.ui.markdown.table_rows import TableRows, read_rows, write_rows
from chatdesk.ui.markdown.text_view import TextView, one_layout
from chatdesk.ui.theme import Theme, set_class

if TYPE_CHECKING:  # the parser is imported when the first message is shown
    from markdown_it.token import Token


class TableCard(QFrame):
    """Shows one table. Finished rows stay; the tail is replaced as a whole.

    Qt lays out a table as a whole, so a long one is written as several below one another; they
    have the same columns, and only the first has a head.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = _TableText(theme, self)
        self._text.setAccessibleName(tr("Table"))
        self._finished = ColumnWidths()
        self._columns = self._finished  # with the tail
        self._has_rows = False
        self._tail: Sequence[Token] = ()
        self._room = 0  # the width in pixels at last
        self._bottom = 0  # of what is in sight
        self.sideways: StickyBar | None = None  # made for a table that is too wide

    @property
    def text(self) -> TextView:
        """What is written in the table."""
        return self._text

    @property
    def controls(self) -> list[QWidget]:
        """What can be done with it, from above."""
        found: list[QWidget] = [self._text] if self._text.has_links else []
        return [*found, self.sideways] if self.sideways is not None else found

    def append(self, tokens: "Sequence[Token]") -> None:
        """Add finished rows, below the ones there are; remove a tail first."""
        rows = self._read(tokens)
        self._finished.measure(rows)
        self._columns = self._finished
        self._text.write(rows, self._fit(), final=True)
        self._has_rows, self._tail = True, ()

    def set_tail(self, tokens: "Sequence[Token]") -> None:
        """Show rows that may still change, after the finished ones."""
        if tokens or self._tail:
            rows = self._read(tokens)
            self._columns = self._finished.copy()
            self._columns.measure(rows)
            self._text.write(rows, self._fit(), final=False)
            self._tail = tokens

    def set_caret(self, shown: bool) -> None:
        """Nothing is written after the end of a table."""

    def height_for(self, width: int) -> int:
        """Return the height in pixels at this width."""
        self.resize(width, self.height())
        widths = self._fit()
        if width != self._room:
            self._room = width
            self._text.show_columns(widths)
            self._text.settle(inf)
        self._show_sideways(sum(widths) > width)
        edges = 2 * self._edge + self._bar_height
        return self._text.height_for(max(width, sum(widths))) + edges

    @property
    def unsettled(self) -> bool:
        """True if rows further up do not have the widths of the columns yet."""
        return bool(self._text.stale)

    def settle(self, end: float) -> None:
        """Give rows further up the widths of the columns, until this moment of `perf_counter`."""
        self._text.settle(end)

    def keep_in_sight(self, _top: int, bottom: int) -> None:
        """Place the scroll bar at the end of what is in sight, `bottom` pixels below the top."""
        self._bottom = bottom
        if self.sideways is not None:
            height, edge = self._bar_height, self._edge
            top = max(0, min(bottom, self.height() - edge) - height)
            self.sideways.setGeometry(edge, top, self.width() - 2 * edge, height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give all of the room to the table."""
        super().resizeEvent(event)
        edge = self._edge
        self._text.setGeometry(self.rect().adjusted(edge, edge, -edge, -edge))
        self.keep_in_sight(0, self._bottom or self.height())

    @property
    def _edge(self) -> int:
        return 0 if self.sideways is None else 1

    @property
    def _bar_height(self) -> int:
        return 0 if self.sideways is None else self.sideways.sizeHint().height()

    def _show_sideways(self, needed: bool) -> None:
        if needed and self.sideways is None:
            self.sideways = StickyBar(self._text, self)
            set_class(self.sideways, "sticky-table")
            set_class(self, "table-card")
        elif not needed and self.sideways is not None:
            self.sideways.hide()
            self.sideways.deleteLater()
            self.sideways = None
            set_class(self, "")

    def _read(self, tokens: "Sequence[Token]") -> TableRows:
        return read_rows(tokens, with_head=not self._has_rows)

    def _fit(self) -> list[int]:
        return self._columns.fit(self.width())


class _TableText(TextView):
    """The rows, as one Qt table or several.

    A wider column is shown in the last one at once; `stale` are those that still have to follow,
    because laying out all of a long table takes many frames.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._inline = InlineWriter(theme)
        self._widths: list[int] = []
        self.stale: deque[QTextTable] = deque()

    @property
    def has_links(self) -> bool:
        return self._inline.has_links

    def write(self, rows: TableRows, widths: list[int], *, final: bool) -> None:
        """Write rows in place of the tail, in columns of these widths."""
        with one_layout(self):
            cursor = self.drop_tail()
            self.show_columns(widths)
            if rows.rows:
                form = QTextTableFormat()
                form.setColumnWidthConstraints(_lengths(widths))
                write_rows(cursor, rows, form, self._inline, self._theme)
            if final:
                self.keep_tail()
        if not self.textCursor().hasSelection():  # carried along, it would scroll sideways
            self.setTextCursor(QTextCursor(self.document()))

    def show_columns(self, widths: list[int]) -> None:
        """Give the columns these widths, from now on; `settle` widens the rows there are."""
        if widths != self._widths:
            self._widths = widths
            frames = self.document().rootFrame().childFrames()
            self.stale = deque(frame for frame in frames if isinstance(frame, QTextTable))

    def settle(self, end: float) -> None:
        """Widen the rows there are, until this moment of `perf_counter`."""
        while self.stale and perf_counter() < end:
            table = self.stale.popleft()
            form = table.format()
            form.setColumnWidthConstraints(_lengths(self._widths))
            table.setFormat(form)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the table sideways, and leave up and down to the page."""
        if is_sideways(event):
            QAbstractScrollArea.wheelEvent(self, event)
        else:
            event.ignore()


def _lengths(widths: list[int]) -> list[QTextLength]:
    return [QTextLength(QTextLength.Type.FixedLength, width) for width in widths]
