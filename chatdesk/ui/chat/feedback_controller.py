"""Between what a person says about answers and chats and the services that keep it."""

from collections.abc import Callable
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
        bridge.subscribe(MessageChanged, lambda fact: view.change(fact.message))

    def _rate(self, message_id: str, rating: Rating | None) -> None:
        """Give an answer a thumb, or take it back; it is shown as stored if that fails."""
        attempt(
            self._bridge,
            self._notice,
            f"rating of {message_id}",
            lambda app: app.chat.rate(message_id, rating),
            refused=partial(self._view.show_again, message_id),
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
