"""Begins a chat with what leads to a message."""

from PySide6.QtCore import QObject

from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.notice import Notice


class ChatBrancher(QObject):
    """Makes the new chat and opens it."""

    def __init__(
        self, bridge: Bridge, navigator: Navigator, view: ChatView, notice: Notice
    ) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._navigator = navigator
        self._notice = notice
        view.message_actions.copy_branch_requested.connect(self._branch)

    def _branch(self, message_id: str) -> None:
        attempt(
            self._bridge,
            self._notice,
            f"branch of {message_id}",
            lambda app: app.chat.branch(message_id),
            self._navigator.open_chat,
        )
