"""A field for words of several lines, in the rhythm of the answers."""

from functools import partial
from math import floor

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QTextBlock,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QPlainTextDocumentLayout, QPlainTextEdit

from chatdesk.ui.theme import LINE_HEIGHT, TEXT_PX, text_scale
from chatdesk.ui.widgets.enter_rule import EnterRule


class WritingField(QPlainTextEdit):
    """Plain text only. `sent` is emitted for the keys that send by the rule of Enter."""

    sent = Signal()

    def __init__(self, enter: EnterRule, text: str = "") -> None:
        super().__init__()
        self._enter = enter
        self._hints: tuple[str, ...] = ()
        document = QTextDocument(self)
        document.setDocumentMargin(0)
        document.setDefaultFont(self.font())
        rhythm = _RhythmLayout(document)
        document.setDocumentLayout(rhythm)
        document.destroyed.connect(partial(_let_go, rhythm))  # no sooner: Python would free it
        self.setDocument(document)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # all is wrapped
        self.setPlainText(text)
        self.moveCursor(self.textCursor().MoveOperation.End)

    @property
    def line_step(self) -> int:
        """Pixels from one line to the next."""
        return line_step()

    @property
    def lines(self) -> int:
        """The number of lines on the screen, as they are wrapped."""
        return int(self.document().size().height())

    def set_hints(self, *hints: str) -> None:
        """What an empty field says: the first of these that there is room for."""
        self._hints = hints
        self._show_hint()

    def _show_hint(self) -> None:
        if not self._hints:
            return
        measure, room = self.fontMetrics(), self.viewport().width()
        fitting = (hint for hint in self._hints if measure.horizontalAdvance(hint) <= room)
        hint = next(fitting, self._hints[-1] if self._hints else "")
        if hint != self.placeholderText():
            self.setPlaceholderText(hint)
            self.viewport().update()  # Qt repaints only the cursor's place

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste text; files are the window's to handle."""
        if source.hasText():
            self.insertPlainText(source.text())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Leave dropped files to the window."""
        return source.hasText() and not source.hasUrls()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send, or type."""
        if self._enter.sends(event):
            self.sent.emit()
        else:
            super().keyPressEvent(event)

    def position_at(self, at: QPointF) -> int:
        """The place in the text nearest to a point of the viewport."""
        return self.cursorForPosition(self._on_line(at).toPoint()).position()

    def _on_line(self, at: QPointF) -> QPointF:
        """The point in the middle of its line: between the lines Qt finds their ends."""
        top, step = self.contentOffset().y(), self.line_step
        line = max(0, floor((at.y() - top) / step))
        return QPointF(at.x(), top + (line + 0.5) * step)

    def _snapped(self, event: QMouseEvent) -> QMouseEvent:
        return QMouseEvent(
            event.type(),
            self._on_line(event.position()),
            event.globalPosition(),
            event.button(),
            event.buttons(),
            event.modifiers(),
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor there."""
        super().mousePressEvent(self._snapped(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select up to there."""
        super().mouseMoveEvent(self._snapped(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Select the word there."""
        super().mouseDoubleClickEvent(self._snapped(event))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another hint may fit."""
        super().resizeEvent(event)
        self._show_hint()

    def changeEvent(self, event: QEvent) -> None:
        """Lay out again when the font changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.document().setDefaultFont(self.font())
            self._show_hint()


def line_step() -> int:
    """Pixels from one line to the next, as in the answers."""
    return round(TEXT_PX * LINE_HEIGHT * text_scale())


class _RhythmLayout(QPlainTextDocumentLayout):
    """Qt's layout of plain text knows no line height: each line is put in its place here."""

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        """Place a block's lines; where the block is."""
        rect = super().blockBoundingRect(block)
        layout = block.layout()
        if rect.isNull() or layout is None:
            return rect
        step = line_step()
        top = (step - QFontMetricsF(self.document().defaultFont()).height()) / 2
        for number in range(layout.lineCount()):
            line = layout.lineAt(number)
            line.setPosition(QPointF(line.x(), top + number * step))
        rect.setHeight(step * layout.lineCount())
        return rect


def _let_go(_layout: _RhythmLayout, _document: QObject | None = None) -> None:
    """The last reference to a layout: its document is gone."""
