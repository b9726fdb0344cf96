"""The chats of an export as a Qt model, each to be chosen or left out."""

from collections.abc import Sequence
from enum import IntEnum, auto

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from chatdesk.core.i18n import tr
from chatdesk.core.imported import Arrival
from chatdesk.services.history.import_values import PreviewedChat
from chatdesk.ui.imports.words import branch_words, chat_words, message_words

Index = QModelIndex | QPersistentModelIndex
COMING = frozenset({Arrival.NEW, Arrival.GROWN})


class ChatRole(IntEnum):
    """The data of a row beside its title: the words of its columns, and whether it can come in."""

    MESSAGES = Qt.ItemDataRole.UserRole + 1
    BRANCHES = auto()
    STANDS = auto()
    COMES = auto()


class ImportedChatModel(QAbstractListModel):
    """A row for each chat; those with nothing new cannot be chosen. `chosen_changed` tells all."""

    chosen_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._chats: Sequence[PreviewedChat] = ()
        self._chosen: set[str] = set()

    def show(self, chats: Sequence[PreviewedChat]) -> None:
        """Show these, all that have something new chosen."""
        self.beginResetModel()
        self._chats = chats
        self._chosen = {chat.id for chat in chats if chat.arrival in COMING}
        self.endResetModel()
        self.chosen_changed.emit()

    @property
    def chosen(self) -> frozenset[str]:
        """The ids of what is chosen."""
        return frozenset(self._chosen)

    @property
    def is_all(self) -> bool:
        """True if everything that has something new is chosen."""
        return len(self._chosen) == len({chat.id for chat in self._chats if chat.arrival in COMING})

    @property
    def chosen_messages(self) -> int:
        """How many messages would come in."""
        return sum(chat.new_messages for chat in self._chats if chat.id in self._chosen)

    def choose_all(self, chosen: bool) -> None:
        """Choose all, or none."""
        coming = {chat.id for chat in self._chats if chat.arrival in COMING}
        self._chosen = coming if chosen else set()
        self._tell()

    def toggle(self, indexes: Sequence[Index]) -> None:
        """Choose these, or leave them out, as the first one is not yet."""
        rows = [chat for index in indexes if (chat := self._chats[index.row()]).arrival in COMING]
        if not rows:
            return
        ids = {chat.id for chat in rows}
        self._chosen = self._chosen - ids if rows[0].id in self._chosen else self._chosen | ids
        self._tell()

    def _tell(self) -> None:
        if self._chats:
            self.dataChanged.emit(self.index(0), self.index(len(self._chats) - 1))
        self.chosen_changed.emit()

    # Qt's names from here on

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of chats."""
        return 0 if parent and parent.isValid() else len(self._chats)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a row shows, or all of it in words for a screen reader."""
        chat = self._chats[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return chat.title or tr("(no title)")
            case Qt.ItemDataRole.CheckStateRole:
                chosen = chat.id in self._chosen
                return Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked
            case ChatRole.MESSAGES:
                return message_words(chat.messages)
            case ChatRole.BRANCHES:
                return branch_words(chat.branches) if chat.branches > 1 else ""
            case ChatRole.STANDS:
                return chat_words(chat)
            case ChatRole.COMES:
                return chat.arrival in COMING
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(index, chat)
        return None

    def _spoken(self, index: Index, chat: PreviewedChat) -> str:
        chosen = tr("comes in") if chat.id in self._chosen else tr("is left out")
        roles = (ChatRole.MESSAGES, ChatRole.BRANCHES, ChatRole.STANDS)
        words = (str(self.data(index, role)) for role in roles)
        title = str(self.data(index))
        return "; ".join(filter(None, (title, chosen, *words)))
