"""The way to the import on the first-run screen: seen while there are no chats yet."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.icons import show_icon
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button


class ImportInvitation(QWidget):
    """One quiet button; `accepted` is its press."""

    accepted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.button = plain_button(tr("Bring chats from another app…"))
        set_class(self.button, "ghost")
        self.button.clicked.connect(self.accepted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        self.hide()
        bridge.opened.connect(self._ask)
        bridge.subscribe(ConversationsChanged, lambda _: None if self.isHidden() else self._ask())

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        show_icon(self.button, "download", theme.muted)

    def _ask(self) -> None:
        self._bridge.run(lambda app: app.conversations.is_empty(), self.setVisible)
