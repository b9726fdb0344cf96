"""One run of prose: a read-only text as high as its content, which scrolls with the page."""

from collections.abc import Sequence
from math import ceil
from typing import cast

from markdown_it.token import Token
from PySide6.QtCore import QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlock,
    QTextCursor,
    QTextLayout,
    QTextLine,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit, QWidget

from chatdesk.ui.markdown.document_writer import (
    CHIP_PADDING,
    CODE_BLOCK,
    INLINE_CODE,
    QUOTE_DEPTH,
    RULE,
    TASK,
    BlockKind,
    DocumentWriter,
    safe_link,
)
from chatdesk.ui.theme import TEXT_PX, Theme

_SCROLL_KEYS = (
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Space,
)
_FIRST_WIDTH = 760


class ProseView(QTextBrowser):
    """Shows blocks of prose. Finished blocks stay; the tail is replaced as a whole."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, quiet: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._caret = False
        self._frozen_end = 0
        self._frozen_kind = BlockKind.NOTHING
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        # Before it is placed; its own default of 0 would give each character its own line, which
        # takes seconds for one word of 50,000.
        self.setLineWrapColumnOrWidth(_FIRST_WIDTH)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.viewport().setAutoFillBackground(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setIndentWidth(24)
        self._writer = DocumentWriter(document, theme, quiet)
        self.anchorClicked.connect(self._open)
        self.highlighted.connect(self._hover)

    def append(self, tokens: Sequence[Token]) -> None:  # type: ignore[override]
        """Add finished blocks; remove a tail first."""
        with _edit(self):
            self._drop_tail()
            self._writer.write(tokens)
            self._freeze()
        self._notice_links()

    def append_plain(self, text: str) -> None:
        """Add text without markup."""
        with _edit(self):
            self._drop_tail()
            self._writer.write_plain(text)
            self._freeze()

    def extend_plain(self, text: str) -> None:
        """Continue the text of the last `append_plain`."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        self._freeze()

    def clear_all(self) -> None:
        """Remove everything."""
        self._frozen_end, self._frozen_kind = 0, BlockKind.NOTHING
        self._drop_tail()

    def set_tail(self, tokens: Sequence[Token]) -> None:
        """Show blocks that may still change, after the finished ones."""
        with _edit(self):
            self._drop_tail()
            self._writer.write(tokens)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to see."""
        return self.document().isEmpty()

    def height_for(self, width: int) -> int:
        """Return the height in pixels of all the text at this width."""
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
        # The ground of code extends below its last line.
        code = self.document().lastBlock().blockFormat().hasProperty(CODE_BLOCK)
        return ceil(self.document().size().height()) + (8 if code else 0)

    def ideal_width(self) -> int:
        """Return the width in pixels at which no line would be wrapped."""
        self.setLineWrapColumnOrWidth(100_000)
        return ceil(self.document().idealWidth()) + 1

    def set_caret(self, shown: bool) -> None:
        """Show or hide the block at the end of a text that is being written."""
        if shown != self._caret:
            self._caret = shown
            self.viewport().update(self._caret_rect().toAlignedRect().adjusted(-1, -1, 1, 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the grounds and bars below the text, then the text, then the caret."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(event.rect())
        layout = self.document().documentLayout()
        block = self.cursorForPosition(event.rect().topLeft()).block()
        while block.isValid():
            box = layout.blockBoundingRect(block)
            if box.top() > area.bottom():
                break
            self._paint_below(painter, block, box)
            block = block.next()
        painter.end()
        super().paintEvent(event)
        if self._caret:
            painter = QPainter(self.viewport())
            painter.fillRect(self._caret_rect(), QColor(self._theme.accent))
            painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave scrolling to the page."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave scrolling to the page, keep links and copying."""
        if event.key() in _SCROLL_KEYS:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def loadResource(self, _kind: int, _name: QUrl | str) -> None:
        """Nothing is ever fetched."""

    def _drop_tail(self) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._frozen_end)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        if self._frozen_kind is BlockKind.NOTHING and (list_ := cursor.currentList()):
            list_.remove(cursor.block())
        self._writer.last = self._frozen_kind

    def _freeze(self) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._frozen_end = cursor.position()
        self._frozen_kind = self._writer.last

    def _notice_links(self) -> None:
        # Only a text with links is a stop for the Tab key.
        if self.focusPolicy() is not Qt.FocusPolicy.StrongFocus and self._writer.has_links:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _paint_below(self, painter: QPainter, block: QTextBlock, box: QRectF) -> None:
        form = block.blockFormat()
        layout = block.layout()
        # The bounding box of a block counts the last line without its line height.
        lines = QRectF(box.left(), layout.position().y(), self.width(), box.height())
        lines.setHeight(max(1, layout.lineCount()) * form.lineHeight())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.line))
        if form.hasProperty(QUOTE_DEPTH):
            goes_on = block.previous().blockFormat().intProperty(QUOTE_DEPTH)
            for depth in range(form.intProperty(QUOTE_DEPTH)):
                above = form.topMargin() if depth < goes_on else 0
                painter.drawRect(lines.adjusted(0, -above, 0, 0) & _bar(depth))
        if form.hasProperty(RULE):
            painter.drawRect(QRectF(0, round(lines.center().y()), self.width(), 1))
        if form.hasProperty(TASK):
            self._paint_task(painter, block, lines, form.boolProperty(TASK))
        if form.hasProperty(CODE_BLOCK):
            lines.setLeft(layout.position().x() + layout.lineAt(0).x() - 10)
            self._paint_ground(painter, lines.adjusted(0.5, -3.5, -0.5, 3.5), 8)
        elif block.text():
            self._paint_inline_code(painter, block)

    def _paint_task(self, painter: QPainter, block: QTextBlock, lines: QRectF, done: bool) -> None:
        left = block.layout().position().x() + block.layout().lineAt(0).x() - 20
        square = QRectF(left + 0.5, lines.top() + 4.5, 13, 13)
        colour = QColor(self._theme.accent if done else self._theme.muted)
        painter.setPen(QPen(colour, 1.2))
        painter.setBrush(colour if done else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(square, 3.5, 3.5)
        if done:
            painter.setPen(QPen(QColor(self._theme.on_accent), 1.6))
            x, y = square.left(), square.top()
            points = [QPointF(x + 3, y + 6.8), QPointF(x + 5.6, y + 9.2), QPointF(x + 10, y + 4)]
            painter.drawPolyline(points)

    def _paint_inline_code(self, painter: QPainter, block: QTextBlock) -> None:
        layout = block.layout()
        origin = layout.position()
        pieces = block.textFormats()
        for piece in pieces:
            form = piece.format
            if not form.hasProperty(INLINE_CODE):
                continue
            for number in range(layout.lineCount()):
                line = layout.lineAt(number)
                start = max(piece.start, line.textStart())
                end = min(piece.start + piece.length, line.textStart() + line.textLength())
                if start < end:
                    self._paint_chip(painter, layout, number, start, end, origin)

    def _paint_chip(
        self,
        painter: QPainter,
        layout: QTextLayout,
        number: int,
        start: int,
        end: int,
        origin: QPointF,
    ) -> None:
        line = layout.lineAt(number)
        x1, x2 = _x(line, start), _x(line, end)
        baseline = origin.y() + line.y() + line.ascent()
        chip = QRectF(origin.x() + min(x1, x2), round(baseline) - 13.5, abs(x2 - x1), 18)
        # The room on the right is in the text, as letter spacing of the last character.
        chip.setLeft(max(0.5, chip.left() - CHIP_PADDING + 0.5))
        self._paint_ground(painter, chip, 4.5)

    def _paint_ground(self, painter: QPainter, rect: QRectF, radius: float) -> None:
        painter.setPen(QPen(QColor(self._theme.line), 1))
        painter.setBrush(QColor(self._theme.code))
        painter.drawRoundedRect(rect, radius, radius)

    def _caret_rect(self) -> QRectF:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        rect = self.cursorRect(cursor)
        return QRectF(rect.right() + 2, rect.bottom() - 17, TEXT_PX / 2, 15)

    def _hover(self, target: QUrl) -> None:
        self.setToolTip(target.toDisplayString())

    def _open(self, target: QUrl) -> None:
        if safe_link(target.toString()):
            QDesktopServices.openUrl(target)


def _bar(depth: int) -> QRectF:
    return QRectF(16.0 * depth, 0, 3, 1e9)


def _x(line: QTextLine, position: int) -> float:
    found = cast("tuple[float, int] | float", line.cursorToX(position))
    return found[0] if isinstance(found, tuple) else found


class _edit:  # noqa: N801 - reads as a statement
    """Do one layout for everything written inside."""

    def __init__(self, view: ProseView) -> None:
        self._cursor = QTextCursor(view.document())

    def __enter__(self) -> None:
        self._cursor.beginEditBlock()

    def __exit__(self, *_: object) -> None:
        self._cursor.endEditBlock()
