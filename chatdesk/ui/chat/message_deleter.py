"""Deletes messages of the open chat with a way back."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatdesk.core.i18n import trn
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.chat.open_chat import OpenChat
from chatdesk.ui.deletions import Deletions
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.deleter import Deleter
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:
    from chatdesk.services.chat.deleted_messages import DeletedMessages


class MessageDeleter(Deleter["DeletedMessages"]):
    """Each action deletes a message, and with a question its answers."""

    key = "deleted messages"

    def __init__(
        self, bridge: Bridge, chat: OpenChat, view: ChatView, notice: Notice, deletions: Deletions
    ) -> None:
        super().__init__(notice, deletions)
        self._bridge = bridge
        self._chat = chat
        view.message_actions.delete_requested.connect(self._delete)

    def _delete(self, message_id: str) -> None:
        chat = self._chat.current

        def deleted(messages: "DeletedMessages") -> None:
            self._chat.reload(messages.conversation_id)
            self._add(messages)

        attempt(
            self._bridge,
            self._notice,
            f"deletion of {message_id}",
            lambda app: app.chat_of(chat).delete_message(message_id),
            deleted,
        )

    def _words(
        self, told: "Sequence[DeletedMessages]"
    ) -> tuple[str, str, str, Callable[[], None] | None]:
        count = sum(len(each.message_ids) for each in told)
        return trn("{n} message was deleted.", "{n} messages were deleted.", count), "", "", None

    def _bring_back(self, deleted: "DeletedMessages") -> None:
        attempt(
            self._bridge,
            self._notice,
            f"restoring of {deleted.message_ids[0]}",
            lambda app: app.chat_of(deleted.conversation_id).restore_messages(deleted),
            lambda _: self._chat.reload(deleted.conversation_id),
        )
