"""The history: all runs and adapters in a table, painted row by row, with a menu for each."""

from functools import partial

from PySide6.QtCore import QModelIndex, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import RUNNING, AdapterRecord, AdapterState
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.personalize.adapter_list_model import (
    AdapterListModel,
    AdapterRole,
    Cell,
    Index,
    columns,
)
from chatdesk.ui.personalize.words import use_words
from chatdesk.ui.theme import Theme, scaled, strong_weight, text_font
from chatdesk.ui.widgets.menus import open_menu
from chatdesk.ui.widgets.row_ground import paint_focus, paint_ground
from chatdesk.ui.widgets.tag import fitting_tag, paint_tag, tag_width

UNFINISHED = (AdapterState.INTERRUPTED, AdapterState.FAILED)  # a run that can be resumed
ROW_HEIGHT = 36
HEADER_HEIGHT = 38
_SHARES = {  # of the width, by column, from so many pixels on; others are left out
    720: (0.235, 0.265, 0.18, 0.125, 0.12, 0.075),
    620: (0.33, 0.29, 0.215, 0.165),
    520: (0.385, 0.36, 0.255),
    0: (0.58, 0.0, 0.42),  # the adapter and the answers
}
_NAME, _LEARNED = 0, 1  # the columns whose tags may be buttons
_PAD = 18
_MENU = 40
_GAP = 8
_TEXT_PX = 13.0
_WORDS_SHARE = 0.4  # of a column at least, beside a tag that needs more than there is


class AdapterList(QWidget):
    """A list as high as its rows. Requests carry the `AdapterRecord`."""

    activate_requested = Signal(object)
    resume_requested = Signal(object)
    scorecard_requested = Signal(object)
    retrain_requested = Signal(object)
    rename_requested = Signal(object)
    export_gguf_requested = Signal(object)
    export_peft_requested = Signal(object)
    delete_requested = Signal(object)

    def __init__(self, model: AdapterListModel, theme: Theme) -> None:
        super().__init__()
        self._model = model
        self._header = _Header(theme)
        self.rows = rows = _Rows(theme)
        rows.setModel(model)
        rows.setAccessibleName(tr("History"))
        rows.menu_requested.connect(self._open_menu)
        rows.tag_pressed.connect(self._on_tag)
        rows.doubleClicked.connect(self._open_scorecard)
        model.modelReset.connect(self._fit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.setSpacing(0)
        layout.addWidget(self._header)
        layout.addWidget(rows)
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._header.theme = self.rows.painting.theme = theme
        self._header.update()
        self.rows.viewport().update()

    def menu_for(self, index: Index) -> QMenu:
        """Return the menu of actions on an adapter."""
        record = _record(index)
        usable = record.is_usable and not record.active
        unfinished = record.state in UNFINISHED
        withdrawn = bool(index.data(AdapterRole.WITHDRAWN))
        menu = QMenu(self)
        for offered, words, request in (
            (usable, use_words(record), self.activate_requested),
            (unfinished, tr("Go on"), self.resume_requested),
            (record.scorecard, tr("Show the scorecard"), self.scorecard_requested),
            (withdrawn, tr("Retrain without what was withdrawn…"), self.retrain_requested),
            (True, tr("Rename…"), self.rename_requested),
            (record.bytes, tr("Export for llama.cpp (GGUF)…"), self.export_gguf_requested),
            (record.bytes, tr("Export for PEFT (safetensors)…"), self.export_peft_requested),
            (record.state not in RUNNING, tr("Delete…"), self.delete_requested),
        ):
            if offered:
                menu.addAction(words, partial(request.emit, record))
        return menu

    def _on_tag(self, index: QModelIndex, column: int) -> None:
        request = self.activate_requested if column == _NAME else self.retrain_requested
        request.emit(_record(index))

    def _open_menu(self, index: QModelIndex, place: QRect) -> None:
        open_menu(self.menu_for(index), self.rows.viewport(), place, once=True)

    def _open_scorecard(self, index: QModelIndex) -> None:
        if (record := _record(index)).scorecard:
            self.scorecard_requested.emit(record)

    def _fit(self) -> None:
        self.rows.setFixedHeight(self._model.rowCount() * scaled(ROW_HEIGHT))


class _Rows(QListView):
    """Return, the menu key, a right click and the three dots open a row's menu."""

    menu_requested = Signal(QModelIndex, QRect)  # a place, or a point, of the viewport
    tag_pressed = Signal(QModelIndex, int)  # and the number of a column

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.painting = _AdapterDelegate(theme, self)
        self.setItemDelegate(self.painting)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the menu; every other key is Qt's."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._ask_for_menu(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the selected row, or of the one under the pointer."""
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if index.isValid() and by_key:
            self._ask_for_menu(index)
        elif index.isValid():
            self.menu_requested.emit(index, QRect(event.pos(), QSize(0, 0)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Press a painted button."""
        super().mouseReleaseEvent(event)
        at = event.position()
        index = self.indexAt(at.toPoint())
        if event.button() is not Qt.MouseButton.LeftButton or not index.isValid():
            return
        if menu_place(self.visualRect(index)).contains(at.toPoint()):
            self._ask_for_menu(index)
        elif (column := self._tag_at(at)) is not None:
            self.tag_pressed.emit(index, column)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show a pointing hand over anything that can be pressed."""
        super().mouseMoveEvent(event)
        at = event.position()
        index = self.indexAt(at.toPoint())
        on_menu = index.isValid() and menu_place(self.visualRect(index)).contains(at.toPoint())
        hand = on_menu or self._tag_at(at) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    def _tag_at(self, at: QPointF) -> int | None:
        """The column of the tag there that can be pressed."""
        index = self.indexAt(at.toPoint())
        if not index.isValid():
            return None
        row, cells = self.visualRect(index), index.data(AdapterRole.CELLS)
        places = column_places(row)
        buttons = (
            each for each in (_NAME, _LEARNED) if cells[each].is_button and places[each].width()
        )
        return next((each for each in buttons if tag_place(row, index, each).contains(at)), None)

    def _ask_for_menu(self, index: QModelIndex) -> None:
        self.menu_requested.emit(index, menu_place(self.visualRect(index)))


class _AdapterDelegate(QStyledItemDelegate):
    """Paints a line above the row, a ground when selected or hovered, the cells and three dots."""

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
        shown: list[Cell] = index.data(AdapterRole.CELLS)
        for column, (place, cell) in enumerate(zip(column_places(row), shown, strict=False)):
            self._paint_cell(painter, place, cell, strong=column == 0)
        dots = QRect(0, 0, icon_size().width(), icon_size().height())
        dots.moveCenter(menu_place(row).center())
        icon("more", self.theme.muted).paint(painter, dots)
        painter.restore()

    def _paint_ground(self, painter: QPainter, row: QRect, state: QStyle.StateFlag) -> None:
        painter.setPen(QColor(self.theme.line))
        painter.drawLine(row.left() + _PAD, row.top(), row.right() - _PAD, row.top())
        flag = QStyle.StateFlag
        inner = row.adjusted(_PAD - _GAP, 3, _GAP - _PAD, -2)
        if state & flag.State_MouseOver:
            paint_ground(painter, inner, self.theme.hover)
        if state & flag.State_HasFocus:
            paint_focus(painter, inner, self.theme)

    def _paint_cell(self, painter: QPainter, place: QRect, cell: Cell, *, strong: bool) -> None:
        if place.isEmpty():
            return
        painter.setFont(_font(strong=strong))
        painter.setPen(QColor(cell.tone.colour(self.theme) if cell.tone else self.theme.text))
        words = _elided(painter.fontMetrics(), cell, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
        if cell.tag:
            beside = _beside(place, painter.fontMetrics(), words)
            tag = fitting_tag(cell.tag, beside.width())
            middle = place.center().y() + 1
            paint_tag(
                painter,
                beside.left(),
                middle,
                tag,
                cell.tag_tone,
                self.theme,
                is_button=cell.is_button,
            )


class _Header(QWidget):
    """The names of the columns, above the rows."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setFixedHeight(scaled(HEADER_HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the names."""
        painter = QPainter(self)
        painter.setFont(text_font(_TEXT_PX, strong_weight()))
        painter.setPen(QColor(self.theme.text))
        for place, words in zip(column_places(self.rect()), columns(), strict=False):
            if place.isEmpty():
                continue
            shown = painter.fontMetrics().elidedText(
                words, Qt.TextElideMode.ElideRight, place.width()
            )
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)


def column_places(row: QRect) -> list[QRect]:
    """Return the places of a row's columns; fewer where it is narrow."""
    width = row.width() - 2 * _PAD - _MENU
    places, left = [], row.left() + _PAD
    shares = next(each for least, each in _SHARES.items() if row.width() >= scaled(least))
    for share in shares:
        room = max(0, int(share * width) - _GAP)
        places.append(QRect(left, row.top(), room, row.height()))
        left += int(share * width)
    return places


def menu_place(row: QRect) -> QRect:
    """Return the place of a row's three dots."""
    return QRect(row.right() - _PAD - _MENU + 1, row.top(), _MENU, row.height())


def tag_place(row: QRect, index: Index, column: int) -> QRectF:
    """Return the place of a column's tag."""
    cell: Cell = index.data(AdapterRole.CELLS)[column]
    measure = QFontMetrics(_font(strong=column == _NAME))
    place = column_places(row)[column]
    beside = _beside(place, measure, _elided(measure, cell, place.width()))
    beside.setWidth(tag_width(fitting_tag(cell.tag, beside.width())))
    return beside


def name_and_tag(width: int, cell: Cell) -> tuple[str, str]:
    """Return as much of a cell's words and of its tag as a column of that width has room for."""
    measure = QFontMetrics(_font(strong=True))
    words = _elided(measure, cell, width)
    room = width - measure.horizontalAdvance(words) - _GAP
    return words, fitting_tag(cell.tag, room)


def _record(index: Index) -> AdapterRecord:
    record = index.data(AdapterRole.RECORD)
    assert isinstance(record, AdapterRecord)
    return record


def _elided(measure: QFontMetrics, cell: Cell, width: int) -> str:
    beside_tag = width - int(tag_width(cell.tag)) - _GAP
    room = max(beside_tag, int(_WORDS_SHARE * width)) if cell.tag else width
    return measure.elidedText(cell.words, Qt.TextElideMode.ElideRight, room)


def _beside(place: QRect, measure: QFontMetrics, words: str) -> QRectF:
    """Return the space in a column beside its words."""
    return QRectF(place).adjusted(measure.horizontalAdvance(words) + _GAP, 0, 0, 0)


def _font(*, strong: bool) -> QFont:
    return text_font(_TEXT_PX, QFont.Weight.Medium if strong else QFont.Weight.Normal)
