"""The list of the chats of an export, each with a box to tick."""

from PySide6.QtCore import QModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon
from chatdesk.ui.imports.chat_model import ChatRole, ImportedChatModel, Index
from chatdesk.ui.theme import SMALL_PX, Theme, scaled, text_font
from chatdesk.ui.widgets.row_ground import paint_focus, paint_ground

ROW_HEIGHT = 37
MOST_ROWS = 9  # seen at once
_BOX, _GAP, _TEXT_PX = 16, 8, 14.0
_MESSAGES_AT, _BRANCHES_AT, _STANDS_AT = 0.592, 0.724, 0.833  # shares of the width
_NARROW = 620  # pixels below which only how a chat stands is beside its title


class ImportedChatList(QListView):
    """A click on a row, or Space, chooses a chat or leaves it out."""

    def __init__(self, model: ImportedChatModel, theme: Theme) -> None:
        super().__init__()
        self._chats = model
        self._painting = _ChatDelegate(theme, self)
        self.setModel(model)
        self.setItemDelegate(self._painting)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Chats of the export; Space chooses or leaves out"))
        model.modelReset.connect(self._fit)
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._painting.theme = theme
        self.viewport().update()

    def _fit(self) -> None:
        rows = min(MOST_ROWS, max(1, self._chats.rowCount()))
        self.setFixedHeight(rows * scaled(ROW_HEIGHT) + 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space ticks all that is selected."""
        if event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            selected = sorted(self.selectedIndexes(), key=QModelIndex.row)
            self._chats.toggle(selected or [self.currentIndex()])
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tick a row."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if index.isValid() and plain and event.button() == Qt.MouseButton.LeftButton:
            self._chats.toggle([index])


class _ChatDelegate(QStyledItemDelegate):
    """Paints the box, the title, and in columns the messages, branches and how it stands."""

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
        comes = bool(index.data(ChatRole.COMES))
        chosen = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        self._paint_box(painter, row, chosen=chosen)
        left = row.left() + scaled(_BOX) + _GAP
        wide = row.width() > scaled(_NARROW)
        first = _MESSAGES_AT if wide else _BRANCHES_AT
        end = row.left() + round(row.width() * first) - _GAP
        title = QRect(left, row.top(), end - left, row.height())
        colour = self.theme.text if comes else self.theme.muted
        self._paint_words(painter, title, index.data(), colour, _TEXT_PX)
        if wide:
            self._paint_column(painter, row, index, ChatRole.MESSAGES, _MESSAGES_AT, _BRANCHES_AT)
            self._paint_column(painter, row, index, ChatRole.BRANCHES, _BRANCHES_AT, _STANDS_AT)
        stands = _STANDS_AT if wide else _BRANCHES_AT
        self._paint_column(painter, row, index, ChatRole.STANDS, stands, 1.0)
        painter.restore()

    def _paint_ground(self, painter: QPainter, row: QRect, state: QStyle.StateFlag) -> None:
        flag, theme = QStyle.StateFlag, self.theme
        painter.setPen(QColor(theme.line))
        painter.drawLine(row.bottomLeft(), row.bottomRight())
        inner = QRectF(row).adjusted(-6, 1.5, 0, -1.5)
        if state & flag.State_MouseOver:
            paint_ground(painter, inner, theme.hover)
        if state & flag.State_HasFocus:
            paint_focus(painter, QRectF(row).adjusted(0.5, 1.5, -1.5, -1.5), theme)

    def _paint_box(self, painter: QPainter, row: QRect, *, chosen: bool) -> None:
        side = scaled(_BOX)
        place = QRectF(row.left() + 0.5, row.center().y() - side / 2, side, side)
        painter.setBrush(QColor(self.theme.accent if chosen else self.theme.surface))
        painter.setPen(QColor(self.theme.accent if chosen else self.theme.faint))
        painter.drawRoundedRect(place, 5, 5)
        if chosen:
            tick = place.adjusted(2, 2, -2, -2).toRect()
            icon("check", self.theme.on_accent).paint(painter, tick)

    def _paint_column(
        self, painter: QPainter, row: QRect, index: Index, role: ChatRole, start: float, end: float
    ) -> None:
        left, right = (row.left() + round(row.width() * share) for share in (start, end))
        place = QRect(left, row.top(), right - left - _GAP, row.height())
        quiet = self.theme.quiet if role is ChatRole.STANDS else self.theme.muted
        self._paint_words(painter, place, index.data(role), quiet, SMALL_PX)

    @staticmethod
    def _paint_words(
        painter: QPainter, place: QRect, words: object, colour: str, size: float
    ) -> None:
        painter.setFont(text_font(size))
        painter.setPen(QColor(colour))
        elide = Qt.TextElideMode.ElideRight
        shown = painter.fontMetrics().elidedText(str(words), elide, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
