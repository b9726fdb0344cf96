"""Between what a person says about answers and chats and the services that keep it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from chatdesk.core.chat import Mark, Rating
from chatdesk.core.i18n import tr, trn
from chatdesk.services.chat.facts import MessageChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.widgets.notice import UNDO_MS, Notice

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app import App


class FeedbackController(QObject):
    """Rates and marks. `personalize_requested` asks for the page of that name."""

    personalize_requested = Signal()

    def __init__(self, bridge: Bridge, view: ChatView, notice: Notice) -> None:
        super().__init__()
        self._bridge = bridge
        self._view = view
        self._notice = notice
        self._services: App | None = None
        view.message_actions.rate_requested.connect(self._rate)
        view.message_actions.mark_requested.connect(self._mark)
        bridge.subscribe(MessageChanged, self._on_message_changed)

    def attach(self, services: "App") -> None:
        """The services are there."""
        self._services = services

    def _rate(self, message_id: str, rating: Rating | None) -> None:
        """Give an answer a thumb, or take it back."""
        if services := self._services:
            tell = self._notice.show_problem
            self._bridge.run(lambda: services.chat.rate(message_id, rating), None, tell)

    def _mark(self, message_id: str, mark: Mark | None) -> None:
        """Say whether an answer may be learned from; None leaves it to the settings."""
        if services := self._services:
            tell = self._notice.show_problem
            self._bridge.run(lambda: services.chat.mark(message_id, mark), None, tell)

    def mark_conversation(self, conversation_id: str, mark: Mark | None) -> None:
        """Say whether a chat may be learned from; None leaves it to the settings."""
        services = self._services
        if services is None:
            return

        def work() -> int:
            services.chat.mark_conversation(conversation_id, mark)
            return learned_from(services, conversation_id) if mark is Mark.EXCLUDE else 0

        def marked(adapters: int) -> None:
            if adapters:
                self._notice.show_words(
                    tr("This chat is never learned from again."),
                    learned_words(adapters),
                    tr("Personalize"),
                    self.personalize_requested.emit,
                    for_ms=UNDO_MS,
                )

        self._bridge.run(work, marked, self._notice.show_problem)

    def _on_message_changed(self, fact: MessageChanged) -> None:
        """A message was rated or marked, here or elsewhere."""
        message = fact.message
        self._view.change(message.id, rating=message.rating, mark=message.mark)


def learned_from(services: "App", conversation_id: str) -> int:
    """How many adapters that can be used were made from a conversation."""
    return sum(record.is_usable for record in services.adapters.trained_on(conversation_id))


def learned_words(adapters: int) -> str:
    """That adapters were made from what is withdrawn now."""
    return trn(
        "{n} adapter learned from it and can learn again without it.",
        "{n} adapters learned from it and can learn again without it.",
        adapters,
    )
