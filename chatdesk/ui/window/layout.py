"""The content of the window: the sidebar, the chat or another page, and the inspector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.chat.page import ConversationPage
from chatdesk.ui.feature import Page
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window.page_stack import PageStack
from chatdesk.ui.window_state import WindowState

if TYPE_CHECKING:  # imported when a page is shown
    from chatdesk.ui.widgets.page import PageView


class WindowLayout(QWidget):
    """Shows and hides them; `state` remembers what is shown."""

    state_changed = Signal()

    def __init__(
        self,
        sidebar: Sidebar,
        chat: ConversationPage,
        inspector: Inspector,
        pages: Sequence[Page],
        state: WindowState,
        navigator: Navigator,
    ) -> None:
        super().__init__()
        self._sidebar = sidebar
        self._chat = chat
        self._inspector = inspector
        self._pages = {page.id: page for page in pages}
        self._state = state
        self._navigator = navigator
        self._stack = PageStack(chat)
        self._made: dict[str, PageView] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(sidebar)
        row.addWidget(self._stack, 1)
        row.addWidget(inspector)
        self._show_sidebar()
        self._show_inspector()
        self._stack.turned.connect(self._on_turned)
        navigator.page_requested.connect(self._show)

    @property
    def shows_chat(self) -> bool:
        """True if the chat is shown."""
        return self._stack.current == PageId.CHAT

    @property
    def title(self) -> str:
        """The title of the other page that is shown; "" for the chat."""
        return "" if self.shows_chat else self._pages[self._stack.current].title

    @property
    def notice(self) -> Notice:
        """The notice of the page that is shown."""
        return self._chat.notice if self.shows_chat else self._made[self._stack.current].notice

    def _show(self, page_id: str) -> None:
        if page_id == PageId.CHAT:
            self._stack.show_page(page_id, self._chat)
            self._chat.composer.setFocus()
            return
        page = self._pages[page_id].make()
        if page_id not in self._made:
            self._made[page_id] = page
            page.back_requested.connect(lambda: self._navigator.show(PageId.CHAT))
            page.sidebar_requested.connect(self.toggle_sidebar)
            page.offer_sidebar(not self._state.sidebar)
        self._stack.show_page(page_id, page)
        page.setFocus()

    def open_sidebar(self) -> None:
        """Show the sidebar, because something in it is asked for."""
        if not self._state.sidebar:
            self.toggle_sidebar()

    def toggle_sidebar(self) -> None:
        """Show the sidebar, or hide it: then each page offers to show it."""
        self._state.sidebar = not self._state.sidebar
        self._show_sidebar()
        self.state_changed.emit()

    def toggle_inspector(self) -> None:
        """Show the inspector, or hide it."""
        self._stack.show_page(PageId.CHAT, self._chat)
        self._state.inspector = not self._state.inspector
        self._show_inspector()
        self.state_changed.emit()

    def _show_sidebar(self) -> None:
        shown = self._state.sidebar
        self._sidebar.setVisible(shown)
        self._chat.top_bar.offer_sidebar(not shown)
        for page in self._made.values():
            page.offer_sidebar(not shown)

    def _show_inspector(self) -> None:
        self._inspector.setVisible(self._state.inspector and self.shows_chat)

    def _on_turned(self, page_id: str) -> None:
        self._show_inspector()
        self._sidebar.mark_page(page_id)
        self._navigator.turned.emit(page_id)
