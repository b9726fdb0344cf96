"""The list of chats and projects, with keys, a menu at the right of each row, and dragging."""

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
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
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
from chatdesk.ui.history.conversation_list_model import (
    CHATS_FORMAT,
    ChatState,
    ConversationListModel,
    ListRole,
)
from chatdesk.ui.history.folder_colours import folder_colour
from chatdesk.ui.history.rows import ChatRow, FolderRow, Heading, Row
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.reduced_motion import reduced_motion
from chatdesk.ui.theme import SMALL_PX, TINY_PX, Theme, scaled, strong_weight, text_font, text_scale
from chatdesk.ui.widgets.labels import tool_tip
from chatdesk.ui.widgets.row_ground import paint_focus, paint_ground

ROW_HEIGHT = 33
HEADING_HEIGHT = 33
PULSE_MS = 120  # between two looks of a pulsing dot
_PULSE_S = 1.6  # from bright to bright
_PAD = 8
_MORE = 25  # pixels of the square that opens the menu
_DOT = 3.5  # radius
_AT_LEFT = (  # also what is read from the right: in one column
    Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
)
_INDENT = 48  # pixels before a title inside of a folder: below the folder's name
_FOLDER_KEYS: dict[int, bool | None] = {  # what each makes of a folder; None turns it
    Qt.Key.Key_Right: True,
    Qt.Key.Key_Left: False,
    Qt.Key.Key_Return: None,
    Qt.Key.Key_Enter: None,
    Qt.Key.Key_Space: None,
}

Index = QModelIndex | QPersistentModelIndex


def more_rect(row: QRect) -> QRect:
    """Where in a row its menu is opened."""
    side = scaled(_MORE)
    square = QRect(0, 0, side, side)
    square.moveCenter(QPoint(row.right() - _PAD - side // 2 + 3, row.center().y()))
    return square


class ConversationList(QListView):
    """Delete asks to delete, F2 renames, Return opens, the menu key opens the menu of a row.

    Right and left open and close a folder. With Shift and Ctrl several chats are chosen.
    `menu_requested` carries a row's index and a place on the screen.
    """

    delete_requested = Signal(str)
    open_requested = Signal(str)
    menu_requested = Signal(object, QPoint)
    project_wanted = Signal()

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
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDropIndicatorShown(False)  # the row that takes it is painted
        model.states_changed.connect(self._on_states)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._delegate.theme = theme
        self.viewport().update()

    def keep_more(self, index: QPersistentModelIndex | None) -> None:
        """Show the button of the menu in a row while that is open; None: it was closed."""
        self._delegate.menu_of = index
        self.viewport().update()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The ids of the chosen chats, from above."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        ids = (self.model().index(row, 0).data(ListRole.ID) for row in rows)
        return tuple(each for each in ids if each)

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
        index = self.currentIndex()
        if renaming or not self._handle_key(event.key(), index.data(ListRole.ROW)):
            super().keyPressEvent(event)

    def _handle_key(self, key: int, row: Row | None) -> bool:
        if isinstance(row, FolderRow) and key in _FOLDER_KEYS:
            self._conversations.open_folder(row.key, _FOLDER_KEYS[key] or not row.is_open)
            self.setCurrentIndex(self.model().index(self._conversations.row_of(row.key), 0))
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.chosen:
            for conversation_id in self.chosen:
                self.delete_requested.emit(conversation_id)
        elif isinstance(row, ChatRow) and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_requested.emit(row.chat.id)
        else:
            return False
        return True

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the row that is pointed at, or that the keyboard is at."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if _has_menu(index):
            corner = more_rect(self.visualRect(index)).bottomLeft()
            place = self.viewport().mapToGlobal(corner) if by_key else event.globalPos()
            self.menu_requested.emit(index, place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The square at the right opens the menu, and not the chat."""
        index = self._more_at(event.position().toPoint())
        self._pressed_more = index is not None and event.button() == Qt.MouseButton.LeftButton
        if index is not None and self._pressed_more:
            if index.data(ListRole.IS_HEADING):
                self.project_wanted.emit()
                return
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
        row, rect = index.data(ListRole.ROW), self.visualRect(index)
        if isinstance(row, Heading) and row.has_plus:
            return index if more_rect(rect.adjusted(0, 8, 0, 0)).contains(at) else None
        return index if _has_menu(index) and more_rect(rect).contains(at) else None

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Show the row that takes what is dragged; Qt itself scrolls at the edges."""
        super().dragMoveEvent(event)
        index = self._taker(event)
        event.setAccepted(index is not None)
        self._show_target(QPersistentModelIndex(index) if index is not None else None)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Nothing is dragged here any more."""
        super().dragLeaveEvent(event)
        self._show_target(None)

    def dropEvent(self, event: QDropEvent) -> None:
        """Let the row take it: Qt would take it between the rows, too."""
        self._show_target(None)
        index = self._taker(event)
        if index is not None:
            self.model().dropMimeData(event.mimeData(), event.dropAction(), -1, -1, index)
            event.acceptProposedAction()

    def _taker(self, event: QDropEvent) -> QModelIndex | None:
        index = self.indexAt(event.position().toPoint())
        takes = index.isValid() and index.flags() & Qt.ItemFlag.ItemIsDropEnabled
        return index if takes and event.mimeData().hasFormat(CHATS_FORMAT) else None

    def _show_target(self, index: QPersistentModelIndex | None) -> None:
        self._delegate.target = index
        self.viewport().update()


def _has_menu(index: Index) -> bool:
    row = index.data(ListRole.ROW)
    return isinstance(row, ChatRow) or (isinstance(row, FolderRow) and row.project is not None)


def _title_room(row: QRect, *, shares: bool, inside: bool = False) -> QRect:
    """Where a title is painted; it `shares` its row with a button or a dot."""
    room = row.adjusted(scaled(_INDENT) if inside else _PAD, 0, -_PAD, 0)
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
        self.target: QPersistentModelIndex | None = None  # takes what is dragged
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
        painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)  # each title's own
        match index.data(ListRole.ROW):
            case Heading() as heading:
                self._paint_heading(painter, rect, heading, index)
            case FolderRow() as folder:
                self._paint_ground(painter, rect.adjusted(0, 1, 0, -1), option.state, index)
                self._paint_folder(painter, rect, folder, option.state, index)
            case ChatRow() as row:
                self._paint_ground(painter, rect.adjusted(0, 1, 0, -1), option.state, index)
                self._paint_chat(painter, rect, row, option.state, index)
        painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, row: Heading, index: Index) -> None:
        painter.setFont(text_font(TINY_PX, strong_weight()))
        painter.setPen(QColor(self.theme.quiet))
        line = rect.adjusted(_PAD, 8, -_PAD, 0)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, row.words.upper())
        if row.has_plus:
            self._paint_square(painter, more_rect(rect.adjusted(0, 8, 0, 0)), index, "plus")

    def _paint_folder(
        self,
        painter: QPainter,
        rect: QRect,
        row: FolderRow,
        state: QStyle.StateFlag,
        index: Index,
    ) -> None:
        theme, size = self.theme, icon_size()
        picture = QRect(QPoint(rect.left() + _PAD - 2, 0), size)
        picture.moveTop(rect.center().y() - size.height() // 2)
        arrow = "chevron-down" if row.is_open else "chevron-right"
        icon(arrow, theme.muted).paint(painter, picture)
        picture.translate(size.width() + 4, 0)
        colour = folder_colour(theme, row.project.colour if row.project else "")
        icon("folder" if row.project else "archive", colour).paint(painter, picture)
        room = _title_room(rect, shares=True)
        room.setLeft(picture.right() + 8)
        painter.setFont(text_font())
        painter.setPen(QColor(theme.text))
        elide = Qt.TextElideMode.ElideRight
        name = painter.fontMetrics().elidedText(row.name, elide, room.width())
        painter.drawText(room, _AT_LEFT, name)
        if row.project and self._has_more(state, index):
            self._paint_square(painter, more_rect(rect), index, "more")
            return
        painter.setFont(text_font(SMALL_PX))
        painter.setPen(QColor(theme.quiet))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(rect.adjusted(0, 0, -_PAD, 0), right, str(row.count))

    def _paint_chat(
        self, painter: QPainter, rect: QRect, row: ChatRow, state: QStyle.StateFlag, index: Index
    ) -> None:
        happens = index.data(ListRole.STATE)
        has_more = self._has_more(state, index)
        shares = has_more or happens is not ChatState.QUIET
        room = _title_room(rect, shares=shares, inside=row.inside)
        painter.setFont(text_font())
        painter.setPen(QColor(self.theme.text))
        elide = Qt.TextElideMode.ElideRight
        shown = painter.fontMetrics().elidedText(row.chat.title, elide, room.width())
        painter.drawText(room, _AT_LEFT, shown)
        if has_more:
            self._paint_square(painter, more_rect(rect), index, "more")
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
        row = index.data(ListRole.ROW)
        inside = isinstance(row, FolderRow) or (isinstance(row, ChatRow) and row.inside)
        room = _title_room(option.rect, shares=True, inside=inside).width()
        cut = QFontMetrics(text_font()).horizontalAdvance(title) > room
        below = view.viewport().mapToGlobal(option.rect.bottomLeft())
        QToolTip.showText(below, tool_tip(title) if cut else "", view.viewport(), option.rect)
        return True

    def _paint_square(self, painter: QPainter, square: QRect, index: Index, name: str) -> None:
        if index in (self.pointed_more, self.menu_of):
            paint_ground(painter, square, self.theme.line)
        picture = QRect(QPoint(), icon_size())
        picture.moveCenter(square.center())
        icon(name, self.theme.muted).paint(painter, picture)

    def _paint_dot(self, painter: QPainter, square: QRect, happens: ChatState) -> None:
        colour = QColor(self.theme.accent)
        if happens is ChatState.ANSWERING:
            colour.setAlphaF(self.share)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        centre = QPointF(square.center()) + QPointF(0.5, 0.5)
        radius = _DOT * text_scale()
        painter.drawEllipse(centre, radius, radius)

    def _paint_ground(
        self, painter: QPainter, rect: QRect, state: QStyle.StateFlag, index: Index
    ) -> None:
        chosen = state & QStyle.StateFlag.State_Selected or self.target == index
        hovered = state & QStyle.StateFlag.State_MouseOver
        if chosen or hovered:
            paint_ground(painter, rect, self.theme.selection if chosen else self.theme.hover)
        if state & QStyle.StateFlag.State_HasFocus:
            paint_focus(painter, rect.adjusted(1, 1, -1, -1), self.theme)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Return a field for a title."""
        editor = super().createEditor(parent, option, index)
        is_chat = isinstance(index.data(ListRole.ROW), ChatRow)
        name = tr("Title of the chat") if is_chat else tr("Name of the project")
        editor.setAccessibleName(name)
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """The editor takes the whole row."""
        editor.setGeometry(option.rect)
