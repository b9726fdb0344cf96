"""Between the list of conversations and the services: list and rename."""

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.chat import ConversationSummary
from chatdesk.core.projects import ProjectSummary
from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.services.history.facts import ProjectsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.history.conversation_list_model import ConversationListModel
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.notice import Notice

RENAMING_MS = 400  # how often to look whether a title is still being typed


class ConversationsController(QObject):
    """Fills the sidebar's list, and does what it asks for."""

    listed = Signal()  # there are others, or they are called something else

    def __init__(
        self,
        bridge: Bridge,
        sidebar: Sidebar,
        list_model: ConversationListModel,
        notice: Notice,
    ) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._sidebar = sidebar
        self._list_model = list_model
        self._notice = notice
        bridge.opened.connect(self._read)
        for fact in (ConversationsChanged, ProjectsChanged):
            bridge.subscribe(fact, lambda _: self._read())

    def _read(self) -> None:
        self._bridge.run(lambda app: (app.conversations.list(), app.order.projects()), self._show)

    def _show(
        self, shown: tuple[tuple[ConversationSummary, ...], tuple[ProjectSummary, ...]]
    ) -> None:
        if self._sidebar.is_renaming:  # a new list would take the half-typed title away
            QTimer.singleShot(RENAMING_MS, self, self._read)
            return
        self._list_model.show(*shown)
        self.listed.emit()

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation the user's own title."""
        attempt(
            self._bridge,
            self._notice,
            f"title of {conversation_id}",
            lambda app: app.chat.rename(conversation_id, title),
        )
