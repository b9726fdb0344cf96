"""Puts a whole chat into the clipboard."""

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from chatdesk.core.i18n import tr
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.widgets.notice import Notice

_SHOWN_MS = 4_000


class ChatCopier(QObject):
    """Copies the branch that is shown, as Markdown."""

    def __init__(self, bridge: Bridge, notice: Notice) -> None:
        super().__init__()
        self._bridge = bridge
        self._notice = notice

    def copy(self, conversation_id: str) -> None:
        """Copy a chat."""
        self._bridge.run(
            lambda app: app.chat.as_markdown(conversation_id),
            self._take,
            self._notice.show_problem,
        )

    def _take(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._notice.show_words(tr("The chat was copied."), for_ms=_SHOWN_MS)
