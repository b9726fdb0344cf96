"""The content of the window: the sidebar, the chat or another page, and the inspector.

Where the window is narrow, sidebar and inspector are drawers: they lie over the middle, one at a
time, until Esc or a click beside them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.chat.page import ConversationPage
from chatdesk.ui.feature import Page
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.theme import scaled, text_scale
from chatdesk.ui.widgets.motion import fade_in, fade_out
from chatdesk.ui.window.page_stack import PageStack
from chatdesk.ui.window.shade import Shade
from chatdesk.ui.window.side_grip import SideGrip
from chatdesk.ui.window.side_panel import SidePanel
from chatdesk.ui.window_state import WindowState

if TYPE_CHECKING:  # imported when a page is shown
    from chatdesk.ui.widgets.page import PageView

ROOM_FOR_SIDEBAR = 700  # pixels of the window below which it is a drawer
ROOM_FOR_INSPECTOR = 900
USUAL_WIDTH, NARROWEST, WIDEST = 264, 200, 420  # pixels of the sidebar
INSPECTOR_WIDTH = 275
_MIDDLE = 360  # pixels that panels beside it leave it
_BESIDE_DRAWER = 48


class WindowLayout(QWidget):
    """Shows and hides them; `state` remembers what is shown where there is room."""

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
        self._chat = chat
        self._pages = {page.id: page for page in pages}
        self._state = state
        self._navigator = navigator
        self._stack = PageStack(chat)
        self._made: dict[str, PageView] = {}
        self._shade = Shade(self)
        self._shade.hide()
        self._left = SidePanel(sidebar, at_left=True)
        self._right = SidePanel(inspector, at_left=False)
        self._drawer: SidePanel | None = None  # the open one
        self._grip = SideGrip(self)
        for widget in (sidebar, self._stack, inspector):
            widget.setParent(self)
        self._sidebar = sidebar
        self._grip.dragged.connect(self._set_sidebar_width)
        self._grip.reset.connect(lambda: self._set_sidebar_width(USUAL_WIDTH))
        self._shade.pressed.connect(self.close_drawer)
        self._stack.turned.connect(self._on_turned)
        navigator.page_requested.connect(self._show)
        self._settle()

    @property
    def shows_chat(self) -> bool:
        """True if the chat is shown."""
        return self._stack.current == PageId.CHAT

    @property
    def title(self) -> str:
        """The title of the other page that is shown; "" for the chat."""
        return "" if self.shows_chat else self._pages[self._stack.current].title

    @property
    def middle(self) -> QWidget:
        """Where the pages are."""
        return self._stack

    def focus_home(self) -> QWidget:
        """Where the focus is at home on the page that is shown."""
        return self._chat.composer if self.shows_chat else self._made[self._stack.current]

    def _show(self, page_id: str) -> None:
        self.close_drawer()
        if page_id == PageId.CHAT:
            self._stack.show_page(page_id, self._chat)
            self._chat.composer.setFocus()
            return
        page = self._pages[page_id].make()
        if page_id not in self._made:
            self._made[page_id] = page
            page.back_requested.connect(lambda: self._navigator.show(PageId.CHAT))
            page.sidebar_requested.connect(self.toggle_sidebar)
            page.offer_sidebar(not self._left.room)
        self._stack.show_page(page_id, page)
        page.setFocus()

    # The panels

    def open_sidebar(self) -> None:
        """Show the sidebar, because something in it is asked for."""
        if not self._left.is_open:
            self.toggle_sidebar()

    def toggle_sidebar(self) -> None:
        """Show the sidebar, or hide it: then each page offers to show it."""
        if self._left.is_drawer:
            self._toggle_drawer(self._left)
            return
        self._state.sidebar = not self._state.sidebar
        self._slide()
        self.state_changed.emit()

    def toggle_inspector(self) -> None:
        """Show the inspector, or hide it."""
        if not self.shows_chat:
            self._stack.show_page(PageId.CHAT, self._chat)
            if self._right.is_open:
                return
        if self._right.is_drawer:
            self._toggle_drawer(self._right)
            return
        self._state.inspector = not self._state.inspector
        self._slide()
        self.state_changed.emit()

    def close_drawer(self) -> bool:
        """Close the drawer that is open; False if there is none."""
        if self._drawer is None:
            return False
        self._toggle_drawer(self._drawer)
        return True

    def _toggle_drawer(self, panel: SidePanel) -> None:
        self._drawer = None if self._drawer is panel else panel
        self._slide()
        if self._drawer:
            self._drawer.widget.setFocus()

    def _set_sidebar_width(self, width: int) -> None:
        usual = round(width / max(1.0, text_scale()))  # as wide as it is in text of the usual size
        self._state.sidebar_width = max(NARROWEST, min(usual, WIDEST))
        self._settle()
        self.state_changed.emit()

    def _arrange(self) -> None:
        """Find what is open, how wide it is and what is a drawer, and place the middle."""
        left, right, whole = self._left, self._right, self.width()
        left.is_drawer = whole < scaled(ROOM_FOR_SIDEBAR)
        right.is_drawer = whole < scaled(ROOM_FOR_INSPECTOR)
        if self._drawer and not self._drawer.is_drawer:
            self._drawer = None
        left.is_open = self._drawer is left if left.is_drawer else self._state.sidebar
        beside = self._drawer is right if right.is_drawer else self._state.inspector
        right.is_open = beside and self.shows_chat
        right.width = min(scaled(INSPECTOR_WIDTH), whole - _BESIDE_DRAWER)
        most = whole - _BESIDE_DRAWER if left.is_drawer else whole - right.room - scaled(_MIDDLE)
        left.width = max(min(NARROWEST, whole), min(scaled(self._state.sidebar_width), most))
        middle = whole - left.room - right.room
        self._stack.setGeometry(left.room, 0, middle, self.height())
        self._grip.place(left.width, self.height())
        self._grip.setVisible(bool(left.room))
        self._shade.setGeometry(self.rect())
        self._offer()

    def _settle(self) -> None:
        """Place everything at once."""
        lost = self._loses_focus()
        self._arrange()
        self._shade.setVisible(self._drawer is not None)
        self._left.settle()
        self._right.settle()
        self._order()
        self._focus_middle(lost)

    def _slide(self) -> None:
        """Let what changes slide to its place; the middle has its own at once."""
        lost = self._loses_focus()
        self._arrange()
        self._shade.raise_()
        if self._drawer:
            fade_in(self._shade)
        elif self._shade.isVisible():
            fade_out(self._shade)
        for panel in (self._left, self._right):
            panel.move()
        self._order()
        self._focus_middle(lost)

    def _order(self) -> None:
        self._grip.raise_()
        if self._drawer:
            self._drawer.widget.raise_()

    def _loses_focus(self) -> tuple[SidePanel, ...]:
        """The panels that the keyboard is in."""
        return tuple(panel for panel in (self._left, self._right) if panel.has_focus)

    def _focus_middle(self, panels: Sequence[SidePanel]) -> None:
        """The keyboard goes to the middle from a panel that is closed."""
        if any(not panel.is_open for panel in panels):
            shown = self._stack.currentWidget()
            target = self._chat.composer if self.shows_chat else shown
            assert target
            target.setFocus()

    def _offer(self) -> None:
        offered = not self._left.room
        self._chat.top_bar.offer_sidebar(offered)
        self._chat.top_bar.offer_inspector(not self._right.is_open)
        for page in self._made.values():
            page.offer_sidebar(offered)

    def _on_turned(self, page_id: str) -> None:
        self._settle()
        self._sidebar.mark_page(page_id)
        self._navigator.turned.emit(page_id)

    # Qt's names from here on

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give every part its place in another size."""
        super().resizeEvent(event)
        self._settle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes a drawer."""
        if event.key() != Qt.Key.Key_Escape or not self.close_drawer():
            super().keyPressEvent(event)
