"""Paints below a text what a text document cannot draw: bars, rules, markers, grounds."""

from typing import cast

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QTextBlock, QTextLine

from chatdesk.ui.markdown.direction import has_rtl
from chatdesk.ui.markdown.document_writer import MARKER_GAP
from chatdesk.ui.markdown.inline_writer import CHIP_PADDING
from chatdesk.ui.markdown.properties import (
    CODE_BLOCK,
    INLINE_CODE,
    MARKER,
    QUOTE_DEPTH,
    RULE,
    TASK,
)
from chatdesk.ui.theme import Theme, text_font, text_scale

_BAR, _BAR_STEP = 3, 16  # pixels: how wide a quote's bar is, and how far apart two are


class GroundPainter:
    """Paints what is marked with `properties`, block by block, in the document's coordinates.

    With `quiet` the words are muted.
    """

    def __init__(self, theme: Theme, *, quiet: bool) -> None:
        self._theme = theme
        self._quiet = quiet
        self._painter = QPainter()
        self._width = 0
        self._font: QFont | None = None  # of markers

    def begin(self, painter: QPainter, width: int) -> None:
        """Paint with this painter below a text that is so many pixels wide."""
        self._painter, self._width = painter, width
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def paint(self, block: QTextBlock, box: QRectF) -> None:
        """Paint what belongs to `block`, whose bounding rectangle is `box`."""
        form = block.blockFormat()
        layout = block.layout()
        # The bounding box of a block counts the last line without its line height.
        lines = QRectF(box.left(), layout.position().y(), self._width, box.height())
        lines.setHeight(max(1, layout.lineCount()) * form.lineHeight())
        if form.hasProperty(QUOTE_DEPTH):
            self._paint_bars(block, lines)
        if form.hasProperty(RULE):
            rule = QRectF(0, round(lines.center().y()), self._width, 1)
            self._painter.fillRect(rule, QColor(self._theme.line))
        if form.hasProperty(TASK):
            self._paint_task(block, lines, form.boolProperty(TASK))
        elif form.hasProperty(MARKER):
            self._paint_marker(block, form.stringProperty(MARKER))
        if form.hasProperty(CODE_BLOCK):
            lines.setLeft(layout.position().x() + layout.lineAt(0).x() - 10)
            self._paint_ground(lines.adjusted(0.5, -3.5, -0.5, 3.5), 8)
        elif block.text():
            self._paint_inline_code(block, box)

    def _paint_bars(self, block: QTextBlock, lines: QRectF) -> None:
        form = block.blockFormat()
        goes_on = block.previous().blockFormat().intProperty(QUOTE_DEPTH)
        for depth in range(form.intProperty(QUOTE_DEPTH)):
            above = form.topMargin() if depth < goes_on else 0
            left = _BAR_STEP * depth
            if form.rightMargin():  # it is read from the right
                left = self._width - left - _BAR
            bar = QRectF(left, lines.top() - above, _BAR, lines.height() + above)
            self._painter.fillRect(bar, QColor(self._theme.line))

    def _paint_marker(self, block: QTextBlock, marker: str) -> None:
        line = block.layout().lineAt(0)
        origin = block.layout().position()
        font = self._font = self._font or text_font()
        quiet = self._quiet or block.blockFormat().hasProperty(QUOTE_DEPTH)
        self._painter.setFont(font)
        self._painter.setPen(QColor(self._theme.muted if quiet else self._theme.text))
        if block.textDirection() is Qt.LayoutDirection.RightToLeft:
            x = line.x() + line.width() + MARKER_GAP
        else:
            x = line.x() - MARKER_GAP - QFontMetricsF(font).horizontalAdvance(marker)
        self._painter.drawText(
            QPointF(origin.x() + x, origin.y() + line.y() + line.ascent()), marker
        )

    def _paint_task(self, block: QTextBlock, lines: QRectF, done: bool) -> None:
        line, scale = block.layout().lineAt(0), text_scale()
        side = 13 * scale
        left = block.layout().position().x() + line.x() - side - MARKER_GAP
        if block.textDirection() is Qt.LayoutDirection.RightToLeft:
            left = block.layout().position().x() + line.x() + line.width() + MARKER_GAP
        square = QRectF(left + 0.5, lines.top() + 4.5 * scale, side, side)
        colour = QColor(self._theme.accent if done else self._theme.muted)
        self._painter.setPen(QPen(colour, 1.2 * scale))
        self._painter.setBrush(colour if done else Qt.BrushStyle.NoBrush)
        self._painter.drawRoundedRect(square, 3.5, 3.5)
        if done:
            self._painter.setPen(QPen(QColor(self._theme.on_accent), 1.6 * scale))
            tick = (QPointF(3, 6.8), QPointF(5.6, 9.2), QPointF(10, 4))
            self._painter.drawPolyline([square.topLeft() + point * scale for point in tick])

    def _paint_inline_code(self, block: QTextBlock, box: QRectF) -> None:
        layout = block.layout()
        extent = _mixed_extent if has_rtl(block.text()) else _extent
        for first, last in _code_in(block):
            for number in range(layout.lineCount()):
                line = layout.lineAt(number)
                start = max(first, line.textStart())
                end = min(last, line.textStart() + line.textLength())
                if start < end:
                    # Not the position of the layout: in a table that counts from its cell.
                    self._paint_chip(line, extent(line, start, end), box.topLeft())

    def _paint_chip(self, line: QTextLine, extent: tuple[float, float], origin: QPointF) -> None:
        left, right = extent
        baseline = origin.y() + line.y() + line.ascent()
        above, height = (pixels * text_scale() for pixels in (13.5, 18))
        chip = QRectF(origin.x() + left, round(baseline) - above, right - left, height)
        # The room on the right is in the text, as letter spacing of the last character.
        chip.setLeft(max(0.5, chip.left() - CHIP_PADDING + 0.5))
        self._paint_ground(chip, 4.5)

    def _paint_ground(self, rect: QRectF, radius: float) -> None:
        self._painter.setPen(QPen(QColor(self._theme.line), 1))
        self._painter.setBrush(QColor(self._theme.code))
        self._painter.drawRoundedRect(rect, radius, radius)


def _code_in(block: QTextBlock) -> list[tuple[int, int]]:
    """Return where inline code begins and ends; its last letter has a format of its own."""
    found: list[tuple[int, int]] = []
    for piece in block.textFormats():
        if not piece.format.hasProperty(INLINE_CODE):
            continue
        if found and found[-1][1] == piece.start:
            found[-1] = found[-1][0], piece.start + piece.length
        else:
            found.append((piece.start, piece.start + piece.length))
    return found


def _extent(line: QTextLine, start: int, end: int) -> tuple[float, float]:
    """Return from where to where a part of a line is drawn."""
    return _x(line, start), _x(line, end)


def _mixed_extent(line: QTextLine, start: int, end: int) -> tuple[float, float]:
    """Return the same beside text of the other direction, where a place between two is not."""
    drawn = [run.boundingRect() for run in line.glyphRuns(start, end - start)]
    return min(each.left() for each in drawn), max(each.right() for each in drawn)


def _x(line: QTextLine, position: int) -> float:
    found = cast("tuple[float, int] | float", line.cursorToX(position))
    return found[0] if isinstance(found, tuple) else found
