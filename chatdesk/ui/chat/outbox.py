"""What was sent and is not in its chat yet: on its way, or waiting for the end of an answer."""

from PySide6.QtCore import QObject, Signal

from chatdesk.ui.window_state import WindowState


class Outbox(QObject):
    """The words that wait, by the chat they are for; None is the new chat.

    They are kept in the window's state from the moment they leave the composer.
    """

    changed = Signal()

    def __init__(self, state: WindowState) -> None:
        super().__init__()
        self._state = state

    def words(self, chat: str | None) -> tuple[str, ...]:
        """What waits in a chat, the oldest first."""
        return self._state.waiting.get(chat or "", ())

    def add(self, chat: str | None, text: str) -> None:
        """Take up what was sent."""
        self._put(chat, (*self.words(chat), text))

    def remove(self, chat: str | None, number: int = 0) -> str:
        """Take out the oldest of a chat, or another one."""
        words = self.words(chat)
        self._put(chat, (*words[:number], *words[number + 1 :]))
        return words[number] if number < len(words) else ""

    def adopt(self, conversation_id: str) -> None:
        """The new chat has become a conversation: what waits in it goes along."""
        words = self.words(None)
        self._put(None, ())
        self._put(conversation_id, (*self.words(conversation_id), *words))

    def _put(self, chat: str | None, words: tuple[str, ...]) -> None:
        if words:
            self._state.waiting[chat or ""] = words
        else:
            self._state.waiting.pop(chat or "", None)
        self.changed.emit()
