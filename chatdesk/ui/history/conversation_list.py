"""The list of chats: a dot for what happens in one, and its menu at the right of its row."""

from math import cos, pi

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.history.conversation_list_model import ChatState, ConversationListModel, ListRole
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.reduced_motion import reduced_motion
from chatdesk.ui.theme import TINY_PX, Theme, scaled, strong_weight, text_font, text_scale
from chatdesk.ui.widgets.labels import tool_tip
from chatdesk.ui.widgets.row_ground import paint_focus, paint_ground

ROW_HEIGHT = 33
HEADING_HEIGHT = 33
PULSE_MS = 120  # between two looks of a pulsing dot
_PULSE_S = 1.6  # from bright to bright
_PAD = 8
_MORE = 25  # pixels of the square that opens the menu
_DOT = 3.5  # radius

Index = QModelIndex | QPersistentModelIndex


def more_rect(row: QRect) -> QRect:
    """Where in a row its menu is opened."""
    side = scaled(_MORE)
    square = QRect(0, 0, side, side)
    square.moveCenter(QPoint(row.right() - _PAD - side // 2 + 3, row.center().y()))
    return square


class ConversationList(QListView):
    """Delete asks to delete, F2 renames, Return opens, the menu key opens the menu of a chat.

    `menu_requested` carries a row's index and a place on the screen.
    """

    delete_requested = Signal(str)
    open_requested = Signal(str)
    menu_requested = Signal(object, QPoint)

    def __init__(self, model: ConversationListModel, theme: Theme) -> None:
        super().__init__()
        self._conversations = model
        self._delegate = _ConversationDelegate(theme, self)
        self._pressed_more = False
        self._pulse = QTimer(self, interval=PULSE_MS)
        self._pulse.timeout.connect(self._show_pulse)
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the cursor where one types
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        model.states_changed.connect(self._on_states)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._delegate.theme = theme
        self.viewport().update()

    def keep_more(self, index: QPersistentModelIndex | None) -> None:
        """Show the button of the menu in a row while that is open; None: it was closed."""
        self._delegate.menu_of = index
        self.viewport().update()

    # What happens in a chat

    @property
    def is_pulsing(self) -> bool:
        """True while a dot moves."""
        return self._pulse.isActive()

    def _on_states(self) -> None:
        app = QApplication.instance()
        still = isinstance(app, QApplication) and reduced_motion(app)
        if self._conversations.answering and not still:
            if not self._pulse.isActive():
                self._pulse.start()
        else:
            self._pulse.stop()
            self._delegate.share = 1.0
        self.viewport().update()

    def _show_pulse(self) -> None:
        self._delegate.turn(PULSE_MS / 1000)
        for conversation_id in self._conversations.answering if self.isVisible() else ():
            row = self._conversations.row_of(conversation_id)
            if row >= 0:
                self.viewport().update(more_rect(self.visualRect(self.model().index(row, 0))))

    # Qt's names from here on

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the keys above; everything else is Qt's."""
        # A title's editor leaves Return to us too, and commits a turn of the event loop later: who
        # took the focus away by then would close it first.
        renaming = self.state() == QAbstractItemView.State.EditingState
        chosen = None if renaming else self.currentIndex().data(ListRole.ID)
        if chosen and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_requested.emit(chosen)
        elif chosen and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_requested.emit(chosen)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the row that is pointed at, or that the keyboard is at."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if index.data(ListRole.ID):
            corner = more_rect(self.visualRect(index)).bottomLeft()
            place = self.viewport().mapToGlobal(corner) if by_key else event.globalPos()
            self.menu_requested.emit(index, place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The square at the right opens the menu, and not the chat."""
        index = self._more_at(event.position().toPoint())
        self._pressed_more = index is not None and event.button() == Qt.MouseButton.LeftButton
        if index is not None and self._pressed_more:
            corner = more_rect(self.visualRect(index)).bottomLeft()
            self.menu_requested.emit(index, self.viewport().mapToGlobal(corner))
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Nothing more comes of a press on that square."""
        if not self._pressed_more:
            super().mouseReleaseEvent(event)
        self._pressed_more = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the square."""
        super().mouseMoveEvent(event)
        index = self._more_at(event.position().toPoint())
        pointed = QPersistentModelIndex(index) if index is not None else None
        if pointed != self._delegate.pointed_more:
            self._delegate.pointed_more = pointed
            self.viewport().update()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        super().leaveEvent(event)
        self._delegate.pointed_more = None

    def _more_at(self, at: QPoint) -> QModelIndex | None:
        index = self.indexAt(at)
        if index.data(ListRole.ID) and more_rect(self.visualRect(index)).contains(at):
            return index
        return None


def _title_room(row: QRect, *, shares: bool) -> QRect:
    """Where a title is painted; it `shares` its row with a button or a dot."""
    room = row.adjusted(_PAD, 0, -_PAD, 0)
    if shares:
        room.setRight(more_rect(row).left() - 2)
    return room


class _ConversationDelegate(QStyledItemDelegate):
    """Paints a row: a small heading, or a title on a rounded ground when chosen or hovered."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.menu_of: QPersistentModelIndex | None = None
        self.pointed_more: QPersistentModelIndex | None = None
        self.share = 1.0  # of a pulsing dot's colour
        self._turned_s = 0.0

    def turn(self, seconds: float) -> None:
        """Let a pulsing dot go on."""
        self._turned_s = (self._turned_s + seconds) % _PULSE_S
        self.share = 0.6 + 0.4 * cos(2 * pi * self._turned_s / _PULSE_S)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Headings and titles have heights of their own."""
        return QSize(0, scaled(HEADING_HEIGHT if index.data(ListRole.IS_HEADING) else ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.data(ListRole.IS_HEADING):
            painter.setFont(text_font(TINY_PX, strong_weight()))
            painter.setPen(QColor(self.theme.quiet))
            line = rect.adjusted(_PAD, 8, -_PAD, 0)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, str(index.data()).upper())
        else:
            self._paint_chat(painter, rect, option.state, index)
        painter.restore()

    def _paint_chat(
        self, painter: QPainter, rect: QRect, state: QStyle.StateFlag, index: Index
    ) -> None:
        self._paint_ground(painter, rect.adjusted(0, 1, 0, -1), state)
        happens = index.data(ListRole.STATE)
        has_more = self._has_more(state, index)
        room = _title_room(rect, shares=has_more or happens is not ChatState.QUIET)
        painter.setFont(text_font())
        painter.setPen(QColor(self.theme.text))
        elide = Qt.TextElideMode.ElideRight
        shown = painter.fontMetrics().elidedText(str(index.data()), elide, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        if has_more:
            self._paint_more(painter, more_rect(rect), index)
        elif happens is not ChatState.QUIET:
            self._paint_dot(painter, more_rect(rect), happens)

    def _has_more(self, state: QStyle.StateFlag, index: Index) -> bool:
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        return bool(state & QStyle.StateFlag.State_MouseOver) or focused or self.menu_of == index

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """Tell a title whole where it is cut; below its row, which it would hide."""
        title = str(index.data(Qt.ItemDataRole.ToolTipRole) or "")
        room = _title_room(option.rect, shares=True).width()
        cut = QFontMetrics(text_font()).horizontalAdvance(title) > room
        below = view.viewport().mapToGlobal(option.rect.bottomLeft())
        QToolTip.showText(below, tool_tip(title) if cut else "", view.viewport(), option.rect)
        return True

    def _paint_more(self, painter: QPainter, square: QRect, index: Index) -> None:
        if index in (self.pointed_more, self.menu_of):
            paint_ground(painter, square, self.theme.line)
        picture = QRect(QPoint(), icon_size())
        picture.moveCenter(square.center())
        icon("more", self.theme.muted).paint(painter, picture)

    def _paint_dot(self, painter: QPainter, square: QRect, happens: ChatState) -> None:
        colour = QColor(self.theme.accent)
        if happens is ChatState.ANSWERING:
            colour.setAlphaF(self.share)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        centre = QPointF(square.center()) + QPointF(0.5, 0.5)
        radius = _DOT * text_scale()
        painter.drawEllipse(centre, radius, radius)

    def _paint_ground(self, painter: QPainter, rect: QRect, state: QStyle.StateFlag) -> None:
        chosen = state & QStyle.StateFlag.State_Selected
        hovered = state & QStyle.StateFlag.State_MouseOver
        if chosen or hovered:
            paint_ground(painter, rect, self.theme.selection if chosen else self.theme.hover)
        if state & QStyle.StateFlag.State_HasFocus:
            paint_focus(painter, rect.adjusted(1, 1, -1, -1), self.theme)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Return a field for a title."""
        editor = super().createEditor(parent, option, index)
        editor.setAccessibleName(tr("Title of the chat"))
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """The editor takes the whole row."""
        editor.setGeometry(option.rect)
