"""The page of deleted chats: each with its days left, and a way back."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from chatdesk.core.chat import ConversationSummary, now
from chatdesk.core.i18n import tr, trn
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button, small
from chatdesk.ui.widgets.labels import LineLabel
from chatdesk.ui.widgets.page import PageView
from chatdesk.ui.words import day_words

SHOWN = 100  # rows at first, and more with each "Show more"
_DAY = timedelta(days=1)


class TrashPage(PageView):
    """Requests go up with the chat they are about, or with all of them."""

    restore_requested = Signal(object)
    delete_requested = Signal(object)
    empty_requested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(tr("Recently deleted"), theme)
        self._deleted: tuple[ConversationSummary, ...] = ()
        self._shown = SHOWN
        self._rows: dict[str, _TrashRow] = {}
        self._days_kept = 0
        self._lead = lead = small("")
        set_class(lead, "muted")
        self._empty_button = plain_button(tr("Delete all for good…"))
        set_class(self._empty_button, "danger")
        self._empty_button.clicked.connect(lambda: self.empty_requested.emit(self._deleted))
        self._nothing = small(tr("Nothing was deleted. Chats that you delete can be found here."))
        self._nothing.setContentsMargins(0, 24, 0, 0)
        self._more = plain_button(tr("Show more"))
        self._more.clicked.connect(self._show_more)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.column.setSpacing(16)
        self.column.addLayout(self.header(lead, self._empty_button))
        self.column.addWidget(self._nothing)
        self.column.addLayout(self._list)
        self.column.addWidget(self._more)
        self.column.addStretch(1)
        for part in (self._empty_button, self._nothing, self._more):  # until it is known
            part.hide()
        self.set_theme(theme)

    @property
    def rows(self) -> "Sequence[_TrashRow]":
        """The rows, from above."""
        return [self._rows[chat.id] for chat in self._deleted[: self._shown]]

    def show_deleted(self, deleted: Sequence[ConversationSummary], days_kept: int) -> None:
        """Show these, what was deleted last at the top; 0 days are for ever."""
        self._days_kept = days_kept
        self._lead.setText(_lead(days_kept))
        moment = now()
        newest_first = sorted(deleted, key=lambda chat: chat.deleted or moment, reverse=True)
        self._deleted = tuple(newest_first)
        self._nothing.setVisible(not deleted)
        self._empty_button.setVisible(len(deleted) > 1)
        self._more.setVisible(len(deleted) > self._shown)
        shown = self._deleted[: self._shown]
        self._drop({chat.id for chat in shown})
        for at, chat in enumerate(shown):
            if chat.id not in self._rows:
                self._rows[chat.id] = row = _TrashRow(chat)
                row.restore.clicked.connect(partial(self._restore, chat))
                row.delete.clicked.connect(partial(self._delete, chat))
                self._list.insertWidget(at, row)
            self._rows[chat.id].show_days(chat, days_kept)

    def _drop(self, kept: set[str]) -> None:
        """Remove the rows of other chats; who loses the focus passes it on."""
        for chat_id in self._rows.keys() - kept:
            row = self._rows.pop(chat_id)
            focused = QApplication.focusWidget()
            if focused is not None and row.isAncestorOf(focused):
                self._focus_beside(self._list.indexOf(row))
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()

    def _focus_beside(self, at: int) -> None:
        for beside in (at + 1, at - 1):
            item = self._list.itemAt(beside) if beside >= 0 else None
            row = item.widget() if item else None
            if isinstance(row, _TrashRow):
                row.restore.setFocus()
                return
        self.setFocus()

    def _show_more(self) -> None:
        self._shown += SHOWN
        self.show_deleted(self._deleted, self._days_kept)

    def _restore(self, chat: ConversationSummary, _checked: bool = False) -> None:
        self.restore_requested.emit(chat)

    def _delete(self, chat: ConversationSummary, _checked: bool = False) -> None:
        self.delete_requested.emit(chat)


def _lead(days: int) -> str:
    if not days:
        return tr("Deleted chats wait here until you delete them for good.")
    return trn(
        "Deleted chats wait here for {n} day, then they are gone for good.",
        "Deleted chats wait here for {n} days, then they are gone for good.",
        days,
    )


class _TrashRow(QFrame):
    def __init__(self, chat: ConversationSummary) -> None:
        super().__init__()
        set_class(self, "hub-row")
        title = LineLabel(chat.title)
        self.days = small("")
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(title)
        words.addWidget(self.days)
        self.restore = self._button(tr("Restore"), chat)
        self.delete = self._button(tr("Delete for good…"), chat)
        set_class(self.delete, "ghost")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 11, 0, 12)
        row.setSpacing(8)
        row.addLayout(words, 1)
        row.addWidget(self.restore)
        row.addWidget(self.delete)

    def show_days(self, chat: ConversationSummary, days_kept: int) -> None:
        """Say when it was deleted, and how long it can be brought back."""
        moment = now()
        deleted = chat.deleted or moment
        when = day_words(deleted, moment)
        if not days_kept:
            self.days.setText(tr("Deleted {when}", when=when))
            return
        left = max(0, -((moment - deleted - timedelta(days=days_kept)) // _DAY))
        words = trn("{n} day left", "{n} days left", left)
        self.days.setText(tr("Deleted {when} · {left}", when=when, left=words))

    def _button(self, words: str, chat: ConversationSummary) -> QPushButton:
        return plain_button(words, tr("{action}: {name}", action=words, name=chat.title))
