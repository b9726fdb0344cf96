"""Chats that are nowhere but in memory: not in the database, not in saved sessions, not learned."""

import threading
from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.chat import TitleSource, new_conversation
from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr
from chatdesk.services.chat.service import ChatService
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database

TITLE = "-"  # nobody reads it, and the model is not asked for another


class TemporaryChats:
    """Makes what they need when the first one begins, and drops it when they end.

    `make` makes a chat service over a store; `system_prompt` is that of new chats.
    """

    def __init__(
        self, make: Callable[[ConversationStore], ChatService], system_prompt: Callable[[], str]
    ) -> None:
        self._make = make
        self._system_prompt = system_prompt
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._store: ConversationStore | None = None
        self._chat: ChatService | None = None
        self._ended: set[str] = set()

    def chat(self, conversation_id: str) -> ChatService:
        """The service that answers in a temporary conversation, which begins with this."""
        with self._lock:
            self._begin(conversation_id)
            assert self._chat
            return self._chat

    def store(self, conversation_id: str) -> ConversationStore:
        """Where a temporary conversation is kept."""
        with self._lock:
            return self._begin(conversation_id)

    def end(self, conversation_id: str = "") -> None:
        """Stop what is written, and drop everything; the conversation does not begin again."""
        with self._lock:
            self._ended.add(conversation_id)
            chat, database = self._chat, self._database
            self._chat = self._store = self._database = None
        if chat:
            chat.close()
        if database:
            database.close()

    def _begin(self, conversation_id: str) -> ConversationStore:
        if conversation_id in self._ended:
            raise NotFound(tr("This temporary chat is gone."))
        if self._store is None:
            self._database = Database.in_memory()
            self._store = ConversationStore(self._database)
            self._chat = self._make(self._store)
        try:
            self._store.adapter(conversation_id)
        except NotFound:
            begun = new_conversation(TITLE, TitleSource.USER, self._system_prompt(), None)
            self._store.add(begins=replace(begun, id=conversation_id))
        return self._store
