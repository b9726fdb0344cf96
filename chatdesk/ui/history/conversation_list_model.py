"""The sidebar's list as a Qt model."""

import json
from collections.abc import Collection, Sequence, Set
from datetime import datetime
from enum import Enum, IntEnum, auto

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from chatdesk.core.chat import ConversationSummary
from chatdesk.core.i18n import tr, trn
from chatdesk.core.projects import ProjectSummary
from chatdesk.ui.history.rows import ARCHIVE, ChatRow, FolderRow, Heading, Row, rows_of

Index = QModelIndex | QPersistentModelIndex
CHATS_FORMAT = "application/x-chatdesk-chats"  # ids of chats that are dragged


class ListRole(IntEnum):
    """The data of a row beside its text. `ROW` is the row itself."""

    ID = Qt.ItemDataRole.UserRole + 1
    IS_HEADING = auto()
    STATE = auto()
    ROW = auto()


class ChatState(Enum):
    """What happens in a chat."""

    QUIET = auto()
    ANSWERING = auto()
    UNREAD = auto()  # nobody has looked at its new answer


class ConversationListModel(QAbstractListModel):
    """Rows are headings, folders and conversations; `filter` keeps titles with its words.

    Requests carry ids, and what is wanted. `is_known`: it was told which conversations there are;
    before, an empty list does not mean that there are none.
    """

    rename_requested = Signal(str, str)
    rename_project_requested = Signal(str, str)
    move_requested = Signal(object, object)  # ids of chats; a project's id or None
    archive_requested = Signal(object)
    states_changed = Signal()
    folders_changed = Signal()  # one was opened or closed

    def __init__(self, open_folders: Collection[str] = ()) -> None:
        super().__init__()
        self.answering: Set[str] = set()  # ids of the chats that are being answered
        self.projects: tuple[ProjectSummary, ...] = ()
        self._unread: Set[str] = set()
        self._open_folders = set(open_folders)
        self._summaries: tuple[ConversationSummary, ...] = ()
        self._rows: list[Row] = []
        self.is_known = False

    def show(
        self, summaries: Sequence[ConversationSummary], projects: Sequence[ProjectSummary] = ()
    ) -> None:
        """Show these, given the newest first, and these projects."""
        self._summaries, self.projects = tuple(summaries), tuple(projects)
        was_known, self.is_known = self.is_known, True
        self._rebuild(is_news=not was_known)

    def show_states(self, answering: Set[str], unread: Set[str]) -> None:
        """Show which chats are being answered, and which have a new answer."""
        self.answering, self._unread = answering, unread
        self.states_changed.emit()

    @property
    def open_folders(self) -> tuple[str, ...]:
        """The keys of the folders that are open."""
        return tuple(sorted(self._open_folders))

    def open_folder(self, key: str, is_open: bool) -> None:
        """Show what is in a folder, or no longer."""
        if is_open != (key in self._open_folders):
            self._open_folders ^= {key}
            self._rebuild()
            self.folders_changed.emit()

    def reveal(self, conversation_id: str) -> None:
        """Open the folder that a conversation is in."""
        chat = self.chat(conversation_id)
        if chat and (folder := ARCHIVE if chat.archived else chat.project_id):
            self.open_folder(folder, is_open=True)

    def row_of(self, key: str | None) -> int:
        """The row of a conversation or a project, or -1."""
        return next((at for at, row in enumerate(self._rows) if key and _key(row) == key), -1)

    def title_of(self, conversation_id: str | None) -> str:
        """The title of a conversation, empty when it is not known."""
        chat = self.chat(conversation_id)
        return chat.title if chat else ""

    def chat(self, conversation_id: str | None) -> ConversationSummary | None:
        """A conversation of the list, None when it is not known."""
        return next((each for each in self._summaries if each.id == conversation_id), None)

    def _state_of(self, row: Row) -> ChatState:
        if not isinstance(row, ChatRow):
            return ChatState.QUIET
        if row.chat.id in self.answering:
            return ChatState.ANSWERING
        return ChatState.UNREAD if row.chat.id in self._unread else ChatState.QUIET

    def _spoken(self, row: Row) -> str:
        """What a row shows, in words."""
        match row:
            case Heading(words):
                return words
            case FolderRow(_, name, count, is_open):
                chats = trn("{n} chat", "{n} chats", count)
                if is_open:
                    return tr("{name}, {chats}, open", name=name, chats=chats)
                return tr("{name}, {chats}, closed", name=name, chats=chats)
            case ChatRow(chat):
                match self._state_of(row):
                    case ChatState.ANSWERING:
                        return tr("{title}, being answered", title=chat.title)
                    case ChatState.UNREAD:
                        return tr("{title}, new answer", title=chat.title)
                return chat.title

    def _rebuild(self, *, is_news: bool = False) -> None:
        today = datetime.now().astimezone()
        rows = list(rows_of(self._summaries, self.projects, self._open_folders, today))
        if rows == self._rows and not is_news:
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    # Qt's names from here on

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a row shows, and the row; the id is of chats only."""
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return _words(row)
            case Qt.ItemDataRole.ToolTipRole:
                return None if isinstance(row, Heading) else _words(row)
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(row)
            case ListRole.ID:
                return row.chat.id if isinstance(row, ChatRow) else None
            case ListRole.STATE:
                return self._state_of(row)
            case ListRole.IS_HEADING:
                return isinstance(row, Heading)
            case ListRole.ROW:
                return row
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for a new title or name; the row changes when it is stored."""
        row = self._rows[index.row()]
        title = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or not title or not (key := _key(row)):
            return False
        if title != _words(row):
            asked = self.rename_requested if isinstance(row, ChatRow) else None
            (asked or self.rename_project_requested).emit(key, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can only be dropped on: what is dropped there leaves its project."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        row = self._rows[index.row()]
        if isinstance(row, Heading):
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if isinstance(row, ChatRow):
            return flags | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled
        flags |= Qt.ItemFlag.ItemIsDropEnabled
        return flags | Qt.ItemFlag.ItemIsEditable if row.project else flags

    def mimeTypes(self) -> list[str]:
        """What can be dropped."""
        return [CHATS_FORMAT]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The ids of chats that are dragged."""
        ids = [index.data(ListRole.ID) for index in indexes if index.data(ListRole.ID)]
        data = QMimeData()
        data.setData(CHATS_FORMAT, json.dumps(ids).encode())
        return data

    def dropMimeData(
        self, data: QMimeData, _action: Qt.DropAction, _row: int, _column: int, parent: Index
    ) -> bool:
        """Ask for what was dropped to be moved."""
        if not parent.isValid() or not data.hasFormat(CHATS_FORMAT):
            return False
        ids = tuple(json.loads(bytes(data.data(CHATS_FORMAT).data())))
        match self._rows[parent.row()]:
            case FolderRow(project=None):
                self.archive_requested.emit(ids)
            case FolderRow(key):
                self.move_requested.emit(ids, key)
            case _:
                self.move_requested.emit(ids, None)
        return True


def _words(row: Row) -> str:
    match row:
        case Heading(words):
            return words
        case FolderRow(_, name):
            return name
        case ChatRow(chat):
            return chat.title


def _key(row: Row) -> str | None:
    match row:
        case FolderRow(key):
            return key
        case ChatRow(chat):
            return chat.id
    return None
