"""The middle of the window: the conversation and the composer, or the empty chat's welcome."""

from datetime import datetime
from functools import partial

from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractSlider, QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.ui.chat.composer import MARGIN, Composer, ComposerColumn
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.chat.status_line import StatusLine
from chatdesk.ui.chat.top_bar import TopBar
from chatdesk.ui.chat.waiting_words import WaitingWords
from chatdesk.ui.chat.welcome import WIDTH as WELCOME_WIDTH
from chatdesk.ui.chat.welcome import Greeting, Suggestions
from chatdesk.ui.theme import Theme, scaled
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.motion import dissolve
from chatdesk.ui.widgets.scroll import FittingArea

READING_WIDTH = 760
_ROOM_TO_GREET = 320  # pixels


class ConversationPage(QWidget):
    """Holds and places its parts; the window handles their content and requests."""

    def __init__(self, theme: Theme, enter: EnterRule) -> None:
        super().__init__()
        self.setObjectName("page")
        self._is_temporary = False
        self.top_bar = TopBar(theme)
        self.greeting = Greeting(theme)
        self.view = ChatView(theme)
        self.view.message_actions.enter = enter
        self.waiting = WaitingWords(theme)
        self.composer = Composer(theme, enter)
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
        greeting = ComposerColumn(self.greeting)
        column.addWidget(greeting)
        column.addWidget(self.view, 1)
        column.addSpacing(8)
        writing = ComposerColumn(self.waiting), ComposerColumn(self.composer)
        for each in writing:
            column.addWidget(each)
        below = ComposerColumn(self.suggestions, scrolls=True)
        self._columns = (greeting, *writing, below)
        suggestions = FittingArea(below)
        column.addWidget(suggestions)
        column.addStretch(0)
        self._below = column.count() - 1
        column.addSpacing(6)
        status = QHBoxLayout()
        status.setContentsMargins(MARGIN, 0, MARGIN, 0)
        status.addWidget(self.status)
        column.addLayout(status)
        self._welcome = (greeting, suggestions)
        self.composer.page_scrolled.connect(self._scroll)

    @property
    def focus_home(self) -> QWidget:
        """Where a focus that is lost goes."""
        return self.composer

    @property
    def ways_to_begin(self) -> QWidget:
        """What can be pressed below the composer of an empty chat."""
        return self._welcome[1]

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        for part in (
            self.top_bar,
            self.greeting,
            self.view,
            self.waiting,
            self.composer,
        ):
            part.set_theme(theme)

    def show_shared(self, *, shared: bool) -> None:
        """Show if other computers lend their devices."""
        self.greeting.show_shared(shared=shared)
        self.status.show_shared(shared=shared)

    def show_temporary(self, temporary: bool) -> None:
        """Mark a chat of which nothing is kept."""
        self._is_temporary = temporary
        self.greeting.show_temporary(temporary)
        self.composer.set_temporary(temporary)

    def show_empty(self, empty: bool) -> None:
        """Show the welcome, or the conversation; one dissolves into the other."""
        self.top_bar.show_temporary(self._is_temporary, offered=empty)
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
        self.top_bar.offer_actions(not empty and not self._is_temporary)
        self._column.setStretch(self._above, 2 if empty else 0)
        self._column.setStretch(self._below, 3 if empty else 0)
        self._keep_widths()

    def _keep_widths(self) -> None:
        for column in self._columns:
            column.keep(WELCOME_WIDTH if self.view.isHidden() else READING_WIDTH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The composer takes a part of the height."""
        super().resizeEvent(event)
        self._keep_widths()
        self.greeting.be_short(self.height() < scaled(_ROOM_TO_GREET))
        self.composer.fit_into(self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What is typed anywhere in the chat is typed in the composer."""
        if not self.composer.type(event):
            super().keyPressEvent(event)

    def _scroll(self, pages: int) -> None:
        step = QAbstractSlider.SliderAction
        action = step.SliderPageStepAdd if pages > 0 else step.SliderPageStepSub
        self.view.column.verticalScrollBar().triggerAction(action)
