"""Between the list of conversations and the services: list, rename, delete with a way back."""

from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.chat import ConversationSummary
from chatdesk.core.i18n import tr
from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.feedback_controller import learned_words
from chatdesk.ui.chat.open_chat import OpenChat
from chatdesk.ui.history.conversation_list_model import ConversationListModel
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.widgets.notice import UNDO_MS, Notice
from chatdesk.ui.window_state import WindowState

RENAMING_MS = 400  # how often to look whether a title is still being typed


class ConversationsController(QObject):
    """Fills the sidebar's list, and does what it asks for."""

    listed = Signal()  # there are others, or they are called something else
    state_changed = Signal()  # something worth keeping over a restart

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        chat: OpenChat,
        sidebar: Sidebar,
        list_model: ConversationListModel,
        notice: Notice,
        state: WindowState,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._navigator = navigator
        self._chat = chat
        self._sidebar = sidebar
        self._list_model = list_model
        self._notice = notice
        self._state = state
        bridge.opened.connect(self._read)
        bridge.subscribe(ConversationsChanged, self._on_conversations)

    def _on_conversations(self, _fact: ConversationsChanged) -> None:
        """There are others, or they are called something else."""
        self._read()

    def _read(self) -> None:
        self._bridge.run(lambda app: app.conversations.list(), self._show)

    def _show(self, summaries: tuple[ConversationSummary, ...]) -> None:
        if self._sidebar.is_renaming:  # a new list would take the half-typed title away
            QTimer.singleShot(RENAMING_MS, self._read)
            return
        self._list_model.show(summaries)
        self.listed.emit()

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation the user's own title."""
        failed = self._notice.show_problem
        self._bridge.run(lambda app: app.chat.rename(conversation_id, title), None, failed)

    def delete(self, conversation_id: str) -> None:
        """Move a conversation to the trash, with a way back."""
        if conversation_id == self._chat.current:
            self._chat.new_chat()
        show_page = partial(self._navigator.show, PageId.PERSONALIZE)
        title = self._list_model.title_of(conversation_id)
        draft = self._state.drafts.get(conversation_id, "")
        edits = self._state.edits_of(conversation_id)
        anchor = self._state.anchors.get(conversation_id)

        def undo() -> None:
            self._state.remember_draft(conversation_id, draft)
            for message_id, text in edits.items():
                self._state.remember_edit(conversation_id, message_id, text)
            self._state.remember_anchor(conversation_id, anchor)
            self._bridge.run(
                lambda app: app.chat.restore(conversation_id),
                lambda _: self._chat.open(conversation_id),
                self._notice.show_problem,
            )

        def deleted(adapters: int) -> None:
            self._state.forget(conversation_id)
            self.state_changed.emit()
            self._notice.show_words(
                tr("“{title}” was deleted.", title=title),
                learned_words(adapters) if adapters else "",
                tr("Undo"),
                undo,
                other=tr("Personalize"),
                act_otherwise=show_page if adapters else None,
                for_ms=UNDO_MS,
            )

        self._bridge.run(
            lambda app: app.chat.delete(conversation_id), deleted, self._notice.show_problem
        )
