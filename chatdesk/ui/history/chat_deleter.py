"""Deletes chats with a way back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Signal

from chatdesk.core.i18n import tr, trn
from chatdesk.services.chat.facts import ConversationsGone
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.feedback_controller import learned_words
from chatdesk.ui.chat.open_chat import OpenChat
from chatdesk.ui.deletions import Deletions
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.deleter import Deleter
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window_state import WindowState


@dataclass(frozen=True, slots=True)
class DeletedChat:
    """A chat in the trash; `adapters` learned from it."""

    id: str
    title: str
    was_open: bool
    adapters: int


class ChatDeleter(Deleter[DeletedChat]):
    """Moves chats to the trash. What was typed in them is kept as long as they are there."""

    key = "deleted chats"
    state_changed = Signal()  # something worth keeping over a restart

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        chat: OpenChat,
        title_of: Callable[[str], str],
        notice: Notice,
        state: WindowState,
        deletions: Deletions,
    ) -> None:
        super().__init__(notice, deletions)
        self._bridge = bridge
        self._navigator = navigator
        self._chat = chat
        self._title_of = title_of
        self._state = state
        bridge.subscribe(ConversationsGone, self._on_gone)

    def delete(self, conversation_id: str) -> None:
        """Move a chat to the trash."""
        was_open = conversation_id == self._chat.current
        if was_open:
            self._chat.new_chat()
        self._state.give_back(conversation_id)  # nothing is sent to it any more
        title = self._title_of(conversation_id)
        attempt(
            self._bridge,
            self._notice,
            f"deletion of {conversation_id}",
            lambda app: app.chat.delete(conversation_id),
            lambda adapters: self._add(DeletedChat(conversation_id, title, was_open, adapters)),
        )

    def _words(
        self, told: Sequence[DeletedChat]
    ) -> tuple[str, str, str, Callable[[], None] | None]:
        what = trn("{n} chat was deleted.", "{n} chats were deleted.", len(told))
        if len(told) == 1:
            what = tr("“{title}” was deleted.", title=told[0].title)
        adapters = sum(each.adapters for each in told)
        if not adapters:
            return what, "", "", None
        show_page = partial(self._navigator.show, PageId.PERSONALIZE)
        return what, learned_words(adapters), tr("Personalize"), show_page

    def _bring_back(self, deleted: DeletedChat) -> None:
        def restored(_: None) -> None:
            if deleted.was_open:
                self._chat.open(deleted.id)

        attempt(
            self._bridge,
            self._notice,
            f"restoring of {deleted.id}",
            lambda app: app.chat.restore(deleted.id),
            restored,
        )

    def _on_gone(self, fact: ConversationsGone) -> None:
        """They cannot be brought back any more."""
        for conversation_id in fact.conversation_ids:
            self._state.forget(conversation_id)
        self._forget(lambda each: each.id in fact.conversation_ids)
        self.state_changed.emit()
