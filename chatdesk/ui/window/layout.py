"""What fills the window: the sidebar, the chat or another page, and the chat's inspector."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.chat.page import ConversationPage
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.window.page_stack import Centre
from chatdesk.ui.window_state import WindowState

if TYPE_CHECKING:  # imported when a page is opened
    from chatdesk.ui.widgets.page import Page


class Panels(QWidget):
    """Shows and hides them; `state` remembers what is shown."""

    turned = Signal()  # from the chat to another page, or back
    state_changed = Signal()

    def __init__(
        self, sidebar: Sidebar, chat: ConversationPage, inspector: Inspector, state: WindowState
    ) -> None:
        super().__init__()
        self._sidebar = sidebar
        self._chat = chat
        self._inspector = inspector
        self._state = state
        self._centre = Centre(chat)
        self._pages: list[Page] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(sidebar)
        row.addWidget(self._centre, 1)
        row.addWidget(inspector)
        self._show_sidebar()
        self._show_inspector()
        self._centre.turned.connect(self._on_turned)

    @property
    def shows_chat(self) -> bool:
        """Whether it is the chat that is shown."""
        return self._centre.shows_conversation

    @property
    def title(self) -> str:
        """What the other page that is shown is called; "" for the chat."""
        return self._centre.title

    def show_chat(self) -> None:
        """Go back to the chat, with the cursor in the composer."""
        self._centre.show_conversation()
        self._chat.composer.setFocus()

    def show_page(self, page: "Page", title: str) -> None:
        """Show another page."""
        if page not in self._pages:
            self._pages.append(page)
            page.back_requested.connect(self.show_chat)
            page.sidebar_requested.connect(self.toggle_sidebar)
            page.offer_sidebar(not self._state.sidebar)
        self._centre.show_page(page, title)
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
        self._centre.show_conversation()
        self._state.inspector = not self._state.inspector
        self._show_inspector()
        self.state_changed.emit()

    def _show_sidebar(self) -> None:
        shown = self._state.sidebar
        self._sidebar.setVisible(shown)
        self._chat.top_bar.offer_sidebar(not shown)
        for page in self._pages:
            page.offer_sidebar(not shown)

    def _show_inspector(self) -> None:
        self._inspector.setVisible(self._state.inspector and self.shows_chat)

    def _on_turned(self) -> None:
        self._show_inspector()
        self._sidebar.mark_page(self.title)
        self.turned.emit()
