"""Which chats are being answered, and which have an answer that nobody has looked at."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from chatdesk.core.chat import Message, MessageState
from chatdesk.services.chat.facts import (
    AnswerEnded,
    AnswerReopened,
    ConversationsGone,
    MessageAdded,
)
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.history.conversation_list_model import ConversationListModel
from chatdesk.ui.window_state import WindowState


class ChatStates(QObject):
    """Shows both in the list. What was not looked at is kept over a restart, in the window's state.

    `is_in_sight` says if a chat is what the window shows.
    """

    state_changed = Signal()

    def __init__(
        self,
        bridge: Bridge,
        list_model: ConversationListModel,
        state: WindowState,
        is_in_sight: Callable[[str], bool],
    ) -> None:
        super().__init__()
        self._list_model = list_model
        self._state = state
        self._is_in_sight = is_in_sight
        self._answering: dict[str, str] = {}  # conversation ids by message id
        bridge.subscribe(MessageAdded, lambda fact: self._begin(fact.message))
        bridge.subscribe(AnswerReopened, lambda fact: self._begin(fact.message))
        bridge.subscribe(AnswerEnded, lambda fact: self._end(fact.message))
        bridge.subscribe(ConversationsGone, self._on_gone)
        self._show()

    def looked_at(self, conversation_id: str | None) -> None:
        """A chat is in sight."""
        unread = self._state.unread
        if conversation_id in unread:
            self._state.unread = tuple(each for each in unread if each != conversation_id)
            self._show()
            self.state_changed.emit()

    def _begin(self, message: Message) -> None:
        if message.state is MessageState.STREAMING:
            self._answering[message.id] = message.conversation_id
            self._show()

    def _end(self, message: Message) -> None:
        if self._answering.pop(message.id, None) is None:
            return
        chat, unread = message.conversation_id, self._state.unread
        if chat not in unread and not self._is_in_sight(chat):
            self._state.unread = (*unread, chat)
            self.state_changed.emit()
        self._show()

    def _on_gone(self, fact: ConversationsGone) -> None:
        for conversation_id in fact.conversation_ids:
            self.looked_at(conversation_id)

    def _show(self) -> None:
        self._list_model.show_states(set(self._answering.values()), set(self._state.unread))
