"""The middle of the window: the conversation, or another page until a chat is opened."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget


class Centre(QStackedWidget):
    """`turned` tells that another page is shown."""

    turned = Signal()

    def __init__(self, conversation: QWidget) -> None:
        super().__init__()
        self._conversation = conversation
        self._titles: dict[QWidget | None, str] = {}
        self.addWidget(conversation)
        self.currentChanged.connect(lambda _: self.turned.emit())

    @property
    def shows_conversation(self) -> bool:
        """Whether it is the conversation that is shown."""
        return self.currentWidget() is self._conversation

    @property
    def title(self) -> str:
        """What the other page that is shown is called; "" for the conversation."""
        return self._titles.get(self.currentWidget(), "")

    def show_conversation(self) -> None:
        """Go back to the conversation."""
        self.setCurrentWidget(self._conversation)

    def show_page(self, page: QWidget, title: str) -> None:
        """Show another page."""
        self._titles[page] = title
        if self.indexOf(page) < 0:
            self.addWidget(page)
        self.setCurrentWidget(page)
