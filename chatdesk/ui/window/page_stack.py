"""The middle of the window: the chat, or another page until a chat is opened."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from chatdesk.ui.navigator import PageId


class PageStack(QStackedWidget):
    """Shows one page; `turned` carries the id of another one that is shown."""

    turned = Signal(str)

    def __init__(self, chat: QWidget) -> None:
        super().__init__()
        self._ids: dict[QWidget, str] = {}
        self.show_page(PageId.CHAT, chat)
        self.currentChanged.connect(lambda _: self.turned.emit(self.current))

    @property
    def current(self) -> str:
        """The id of the page that is shown."""
        shown = self.currentWidget()
        assert shown
        return self._ids[shown]

    def show_page(self, page_id: str, page: QWidget) -> None:
        """Show a page."""
        if page not in self._ids:
            self._ids[page] = page_id
            self.addWidget(page)
        self.setCurrentWidget(page)
