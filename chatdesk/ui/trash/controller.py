"""Between the page of deleted chats and the services."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.chat import ConversationSummary
from chatdesk.core.i18n import tr, trn
from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.page_controller import PageController
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.notice import UNDO_MS, Notice
from chatdesk.ui.widgets.questions import ask_first

if TYPE_CHECKING:  # imported when the page is opened
    from chatdesk.ui.trash.page import TrashPage


class TrashController(PageController["TrashPage"]):
    """Reads what is in the trash, restores it and deletes it for good.

    `counted` carries how many chats are in it as words, "" for none.
    """

    counted = Signal(str)

    def __init__(
        self, bridge: Bridge, navigator: Navigator, notice: Notice, window: QWidget
    ) -> None:
        super().__init__(bridge, navigator, notice, window)
        bridge.opened.connect(self._read)
        bridge.subscribe(ConversationsChanged, lambda _: self._read())

    def _make_page(self, theme: Theme) -> "TrashPage":
        from chatdesk.ui.trash.page import TrashPage

        page = TrashPage(theme)
        page.restore_requested.connect(self._restore)
        page.delete_requested.connect(self._ask_to_delete)
        page.empty_requested.connect(self._ask_to_empty)
        return page

    def _read(self) -> None:
        self._bridge.run(
            lambda app: (app.conversations.list(deleted=True), app.settings.chat.trash_days),
            self._show,
        )

    def _show(self, found: tuple[tuple[ConversationSummary, ...], int]) -> None:
        deleted, days_kept = found
        self.counted.emit(str(len(deleted)) if deleted else "")
        if self._page:
            self._page.show_deleted(deleted, days_kept)

    def _restore(self, chat: ConversationSummary) -> None:
        def restored(_: None) -> None:
            self.notice.show_words(
                tr("“{title}” is back among your chats.", title=chat.title),
                "",
                tr("Open"),
                partial(self._navigator.open_chat, chat.id),
                for_ms=UNDO_MS,
            )

        attempt(
            self._bridge,
            self.notice,
            f"restoring of {chat.id}",
            lambda app: app.chat.restore(chat.id),
            restored,
        )

    def _ask_to_delete(self, chat: ConversationSummary) -> None:
        ask_first(
            self._window,
            tr("Delete “{title}” for good?", title=chat.title),
            tr("It cannot be brought back."),
            tr("Delete for good"),
            partial(self._delete, (chat.id,)),
        )

    def _ask_to_empty(self, chats: tuple[ConversationSummary, ...]) -> None:
        ask_first(
            self._window,
            trn("Delete {n} chat for good?", "Delete {n} chats for good?", len(chats)),
            tr("They cannot be brought back."),
            tr("Delete for good"),
            partial(self._delete, tuple(chat.id for chat in chats)),
        )

    def _delete(self, chat_ids: tuple[str, ...]) -> None:
        attempt(
            self._bridge,
            self.notice,
            "deletion for good",
            lambda app: app.chat.delete_for_good(*chat_ids),
        )
