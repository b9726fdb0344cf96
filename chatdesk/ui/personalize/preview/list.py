"""The list of examples that would be learned, each with a box to tick."""

from PySide6.QtCore import QModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import Example
from chatdesk.ui.icons import icon
from chatdesk.ui.personalize.preview.model import ExampleRole, Index, PreviewModel
from chatdesk.ui.personalize.words import doubt_words
from chatdesk.ui.theme import SMALL_PX, TINY_PX, Theme, scaled, text_font
from chatdesk.ui.widgets.row_ground import paint_focus, paint_ground
from chatdesk.ui.widgets.tag import Tone, paint_tag, tag_width
from chatdesk.ui.words import token_words

ROW_HEIGHT = 60
_PAD = 12
_BOX = 16
_GAP = 8
_TEXT_PX = 13.0


class PreviewList(QListView):
    """Asks to choose examples or leave them out, by their ids: a click on the box, or Space."""

    choose_requested = Signal(object, bool)
    current_changed = Signal(QModelIndex)

    def __init__(self, model: PreviewModel, theme: Theme) -> None:
        super().__init__()
        self.painting = _ExampleDelegate(theme, self)
        self.setModel(model)
        self.setItemDelegate(self.painting)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Examples; Space chooses or leaves out what is selected"))

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.painting.theme = theme
        self.viewport().update()

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Tell which example to show."""
        super().currentChanged(current, previous)
        self.current_changed.emit(current)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space ticks all that is selected as the current one is not yet."""
        current = self.currentIndex()
        if event.key() == Qt.Key.Key_Space and current.isValid():
            chosen = not _example(current).chosen
            selected = self.selectedIndexes() or [current]
            self.choose_requested.emit({_example(each).id for each in selected}, chosen)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tick a box without changing what is selected."""
        at = event.position().toPoint()
        index = self.indexAt(at)
        if index.isValid() and at.x() < _PAD + scaled(_BOX) + _GAP:
            example = _example(index)
            self.choose_requested.emit({example.id}, not example.chosen)
        else:
            super().mousePressEvent(event)


class _ExampleDelegate(QStyledItemDelegate):
    """Paints the box, the question with its tokens, and below where it is from and its doubts."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """All rows are alike."""
        return QSize(0, scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        row: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, row, option.state)
        self._paint_box(painter, row, chosen=_example(index).chosen)
        inner = row.adjusted(_PAD + scaled(_BOX) + _GAP, 9, -_PAD, -9)
        upper = QRect(inner.left(), inner.top(), inner.width(), inner.height() // 2)
        lower = upper.translated(0, upper.height())
        self._paint_upper(painter, upper, index)
        self._paint_lower(painter, lower, index)
        painter.restore()

    def _paint_ground(self, painter: QPainter, row: QRect, state: QStyle.StateFlag) -> None:
        flag, theme = QStyle.StateFlag, self.theme
        inner = QRectF(row).adjusted(3.5, 1.5, -3.5, -1.5)
        if state & flag.State_Selected:
            paint_ground(painter, inner, theme.surface, theme.line)
        elif state & flag.State_MouseOver:
            paint_ground(painter, inner, theme.hover)
        if state & flag.State_HasFocus:
            paint_focus(painter, inner, theme)

    def _paint_box(self, painter: QPainter, row: QRect, *, chosen: bool) -> None:
        side = scaled(_BOX)
        place = QRectF(row.left() + _PAD, row.center().y() - side / 2, side, side)
        painter.setBrush(QColor(self.theme.accent if chosen else self.theme.surface))
        painter.setPen(QColor(self.theme.accent if chosen else self.theme.faint))
        painter.drawRoundedRect(place, 5, 5)
        if chosen:
            tick = place.adjusted(2, 2, -2, -2).toRect()
            icon("check", self.theme.on_accent).paint(painter, tick)

    def _paint_upper(self, painter: QPainter, place: QRect, index: Index) -> None:
        example, flag = _example(index), Qt.AlignmentFlag
        painter.setFont(text_font(TINY_PX))
        painter.setPen(QColor(self.theme.muted))
        tokens = token_words(example.tokens) if example.tokens else ""
        painter.drawText(place, flag.AlignRight | flag.AlignVCenter, tokens)
        room = place.width() - painter.fontMetrics().horizontalAdvance(tokens) - _GAP
        painter.setFont(text_font(_TEXT_PX, QFont.Weight.Medium))
        painter.setPen(QColor(self.theme.text if example.chosen else self.theme.muted))
        painter.drawText(place, flag.AlignVCenter, _elided(painter, str(index.data()), room))

    def _paint_lower(self, painter: QPainter, place: QRect, index: Index) -> None:
        right = place.right() + 1.0
        for doubt in reversed(_example(index).doubts):
            words, _ = doubt_words(doubt)
            right -= tag_width(words)
            paint_tag(painter, right, place.center().y() + 1, words, Tone.WARN, self.theme)
            right -= _GAP / 2
        painter.setFont(text_font(SMALL_PX))
        painter.setPen(QColor(self.theme.muted))
        origin = str(index.data(ExampleRole.ORIGIN))
        words = _elided(painter, origin, int(right - place.left() - _GAP))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)


def _example(index: Index) -> Example:
    example = index.data(ExampleRole.EXAMPLE)
    assert isinstance(example, Example)
    return example


def _elided(painter: QPainter, words: str, room: int) -> str:
    return painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room)
