"""The middle of the window: the conversation and the composer, or the empty chat's welcome."""

from datetime import datetime
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.ui.chat.composer import MARGIN, Composer, ComposerColumn
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.chat.status_line import StatusLine
from chatdesk.ui.chat.top_bar import TopBar
from chatdesk.ui.chat.welcome import WIDTH as WELCOME_WIDTH
from chatdesk.ui.chat.welcome import Greeting, Suggestions
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.motion import dissolve
from chatdesk.ui.widgets.scroll import FittingArea

READING_WIDTH = 760
COMPOSER_WIDTH = READING_WIDTH


class ConversationPage(QWidget):
    """Holds and places its parts; the window handles their content and requests."""

    def __init__(self, theme: Theme, *, enter_sends: bool) -> None:
        super().__init__()
        self.setObjectName("page")
        self.top_bar = TopBar(theme)
        self.greeting = Greeting(theme)
        self.view = ChatView(theme)
        self.composer = Composer(theme, enter_sends=enter_sends)
        self.suggestions = Suggestions()
        self.status = StatusLine()
        self._build()

    def _build(self) -> None:
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addStretch(0)
        self._above = column.count() - 1
        greeting = ComposerColumn(self.greeting, WELCOME_WIDTH)
        column.addWidget(greeting)
        column.addWidget(self.view, 1)
        column.addSpacing(8)
        column.addWidget(ComposerColumn(self.composer, COMPOSER_WIDTH))
        suggestions = FittingArea(ComposerColumn(self.suggestions, WELCOME_WIDTH, scrolls=True))
        column.addWidget(suggestions)
        column.addStretch(0)
        self._below = column.count() - 1
        column.addSpacing(6)
        status = QHBoxLayout()
        status.setContentsMargins(MARGIN, 0, MARGIN, 0)
        status.addWidget(self.status)
        column.addLayout(status)
        self._welcome = (greeting, suggestions)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        for part in (
            self.top_bar,
            self.greeting,
            self.view,
            self.composer,
        ):
            part.set_theme(theme)

    def show_shared(self, *, shared: bool) -> None:
        """Show if other computers lend their devices."""
        self.greeting.show_shared(shared=shared)
        self.status.show_shared(shared=shared)

    def show_empty(self, empty: bool) -> None:
        """Show the welcome, or the conversation; one dissolves into the other."""
        if self.view.isHidden() is empty:
            self._show_empty(empty)
        else:
            dissolve(self, partial(self._show_empty, empty))

    def _show_empty(self, empty: bool) -> None:
        for part in self._welcome:
            part.setVisible(empty)
        self.status.show_promise(not empty)  # the greeting has it already
        if empty:
            self.greeting.greet(datetime.now())
        self.view.setVisible(not empty)
        self.top_bar.offer_actions(not empty)
        self._column.setStretch(self._above, 2 if empty else 0)
        self._column.setStretch(self._below, 3 if empty else 0)
        self.composer.setMaximumWidth(WELCOME_WIDTH if empty else COMPOSER_WIDTH)
