"""Between what a person says about answers and chats and the services that keep it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject

from chatdesk.core.chat import Mark, Rating
from chatdesk.core.i18n import tr, trn
from chatdesk.services.chat.facts import MessageChanged
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.notice import UNDO_MS, Notice

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class _Wanted:
    """A rating on its way to the database."""

    rating: Rating | None


class FeedbackController(QObject):
    """Rates and marks."""

    def __init__(
        self, bridge: Bridge, navigator: Navigator, view: ChatView, notice: Notice
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._navigator = navigator
        self._view = view
        self._notice = notice
        view.message_actions.rate_requested.connect(self._rate)
        view.message_actions.mark_requested.connect(self._mark)
        self._wanted: dict[str, _Wanted] = {}  # the newest of each message
        bridge.subscribe(MessageChanged, self._on_changed)

    def _on_changed(self, fact: MessageChanged) -> None:
        """A message is stored with another rating or mark; a thumb given since then stays."""
        wanted = self._wanted.get(fact.message.id)
        message = replace(fact.message, rating=wanted.rating) if wanted else fact.message
        self._view.change(message)

    def _rate(self, message_id: str, rating: Rating | None) -> None:
        """Give an answer a thumb, or take it back; it is shown as stored if that fails."""
        self._wanted[message_id] = wanted = _Wanted(rating)

        def stored(_: None) -> None:
            if self._wanted.get(message_id) is wanted:
                del self._wanted[message_id]

        def refused() -> None:
            stored(None)
            self._view.show_again(message_id)

        attempt(
            self._bridge,
            self._notice,
            f"rating of {message_id}",
            lambda app: app.chat.rate(message_id, rating),
            stored,
            refused=refused,
        )

    def _mark(self, message_id: str, mark: Mark | None) -> None:
        """Say whether an answer may be learned from; None leaves it to the settings."""
        self._do(f"mark of {message_id}", lambda app: app.chat.mark(message_id, mark))

    def mark_conversation(self, conversation_id: str, mark: Mark | None) -> None:
        """Say whether a chat may be learned from; None leaves it to the settings."""

        def marked(adapters: int) -> None:
            if adapters:
                self._notice.show_words(
                    tr("This chat is never learned from again."),
                    learned_words(adapters),
                    tr("Personalize"),
                    partial(self._navigator.show, PageId.PERSONALIZE),
                    for_ms=UNDO_MS,
                )

        self._do(
            f"mark of {conversation_id}",
            lambda app: app.chat.mark_conversation(conversation_id, mark),
            marked,
        )

    def _do(self, key: str, work: Work[_T], done: Callable[[_T], None] | None = None) -> None:
        attempt(self._bridge, self._notice, key, work, done)


def learned_words(adapters: int) -> str:
    """That adapters were made from what is withdrawn now."""
    return trn(
        "{n} adapter learned from it and can learn again without it.",
        "{n} adapters learned from it and can learn again without it.",
        adapters,
    )
