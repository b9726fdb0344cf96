"""The sidebar's list as a Qt model: conversations under the headings of their age."""

from collections.abc import Sequence, Set
from datetime import datetime
from enum import Enum, IntEnum, auto

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from chatdesk.core.chat import ConversationSummary
from chatdesk.core.i18n import tr
from chatdesk.ui.words import WEEK, days_ago

Index = QModelIndex | QPersistentModelIndex


class ListRole(IntEnum):
    """The data of a row beside its text."""

    ID = Qt.ItemDataRole.UserRole + 1
    IS_HEADING = auto()
    MARK = auto()
    STATE = auto()


class ChatState(Enum):
    """What happens in a chat."""

    QUIET = auto()
    ANSWERING = auto()
    UNREAD = auto()  # nobody has looked at its new answer


def age_heading(updated: datetime, today: datetime) -> str:
    """The heading a conversation stands under."""
    days = days_ago(updated, today)
    if days == 0:
        return tr("Today")
    if days == 1:
        return tr("Yesterday")
    if days <= WEEK:
        return tr("Previous 7 days")
    return tr("Older")


class ConversationListModel(QAbstractListModel):
    """Rows are headings and conversations, the newest first; `filter` keeps titles with its words.

    `rename_requested` carries an id and the new title. `is_known`: it was told which there are;
    before, an empty list does not mean that there are none.
    """

    rename_requested = Signal(str, str)
    states_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.answering: Set[str] = set()  # ids of the chats that are being answered
        self._unread: Set[str] = set()
        self._summaries: tuple[ConversationSummary, ...] = ()
        self._rows: list[ConversationSummary | str] = []
        self._filter = ""
        self.is_known = False

    def show(self, summaries: Sequence[ConversationSummary]) -> None:
        """Show these, given the newest first."""
        self._summaries = tuple(summaries)
        was_known, self.is_known = self.is_known, True
        self._rebuild(is_news=not was_known)

    def show_states(self, answering: Set[str], unread: Set[str]) -> None:
        """Show which chats are being answered, and which have a new answer."""
        self.answering, self._unread = answering, unread
        self.states_changed.emit()

    def set_filter(self, text: str) -> None:
        """Keep the conversations whose title has every word of `text`."""
        self._filter = text
        self._rebuild()

    def row_of(self, conversation_id: str | None) -> int:
        """The row of a conversation, or -1."""
        for number, row in enumerate(self._rows):
            if not isinstance(row, str) and row.id == conversation_id:
                return number
        return -1

    def title_of(self, conversation_id: str | None) -> str:
        """The title of a conversation, empty when it is not known."""
        for summary in self._summaries:
            if summary.id == conversation_id:
                return summary.title
        return ""

    def is_empty(self) -> bool:
        """True if there is no conversation at all, filtered or not."""
        return not self._summaries

    def _state_of(self, conversation_id: str) -> ChatState:
        if conversation_id in self.answering:
            return ChatState.ANSWERING
        return ChatState.UNREAD if conversation_id in self._unread else ChatState.QUIET

    def _spoken(self, row: ConversationSummary) -> str:
        """A title and what the dot beside it says."""
        match self._state_of(row.id):
            case ChatState.ANSWERING:
                return tr("{title}, being answered", title=row.title)
            case ChatState.UNREAD:
                return tr("{title}, new answer", title=row.title)
        return row.title

    def _rebuild(self, *, is_news: bool = False) -> None:
        words = self._filter.casefold().split()
        today = datetime.now().astimezone()
        rows: list[ConversationSummary | str] = []
        heading = ""
        for summary in self._summaries:
            title = summary.title.casefold()
            if not all(word in title for word in words):
                continue
            under = age_heading(summary.updated, today)
            if under != heading:
                rows.append(heading := under)
            rows.append(summary)
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
        """A row's title, id and mark, and whether it is a heading."""
        row = self._rows[index.row()]
        heading = isinstance(row, str)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return row if isinstance(row, str) else row.title
            case Qt.ItemDataRole.ToolTipRole:
                return None if isinstance(row, str) else row.title
            case ListRole.ID:
                return None if isinstance(row, str) else row.id
            case ListRole.MARK:
                return None if isinstance(row, str) else row.mark
            case ListRole.STATE:
                return ChatState.QUIET if isinstance(row, str) else self._state_of(row.id)
            case Qt.ItemDataRole.AccessibleTextRole:
                return row if isinstance(row, str) else self._spoken(row)
            case ListRole.IS_HEADING:
                return heading
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for a new title; the row changes when it is stored."""
        row = self._rows[index.row()]
        title = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or isinstance(row, str) or not title:
            return False
        if title != row.title:
            self.rename_requested.emit(row.id, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can be neither chosen nor edited."""
        if isinstance(self._rows[index.row()], str):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
