"""The bar above the conversation: its title and its actions."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon
from chatdesk.ui.shortcuts import Keys, with_keys
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.buttons import AIR, BAR_MARGINS, tool_button
from chatdesk.ui.widgets.labels import LineLabel
from chatdesk.ui.widgets.menus import open_when_pressed

MARGIN = 24  # pixels at the left, as beside the conversation


class TopBar(QWidget):
    """The bar; it emits requests."""

    sidebar_requested = Signal()
    new_chat_requested = Signal()
    inspector_requested = Signal()
    rename_requested = Signal()
    copy_requested = Signal()
    delete_requested = Signal()
    model_options_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._title = LineLabel(look="bar-title")
        self._sidebar = tool_button(with_keys(tr("Show the sidebar"), Keys.SIDEBAR))
        self._sidebar.clicked.connect(self.sidebar_requested)
        self._new = tool_button(with_keys(tr("New chat"), Keys.NEW_CHAT))
        self._new.clicked.connect(self.new_chat_requested)
        self._inspector = tool_button(
            with_keys(tr("Sampling, context and statistics"), Keys.INSPECTOR)
        )
        self._inspector.clicked.connect(self.inspector_requested)
        self._more = tool_button(tr("More"))
        menu = QMenu(self._more)
        self._actions = (
            menu.addAction(tr("Rename"), self.rename_requested.emit),
            menu.addAction(tr("Copy chat"), self.copy_requested.emit),
            menu.addAction(tr("Delete"), self.delete_requested.emit),
            menu.addSeparator(),
        )
        menu.addAction(tr("Model options…"), self.model_options_requested.emit)
        open_when_pressed(self._more, menu)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, *BAR_MARGINS)
        row.setSpacing(4)
        row.addWidget(self._sidebar)
        row.addWidget(self._new)
        row.addWidget(self._title, 1)
        row.addWidget(self._more)
        row.addWidget(self._inspector)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        for button, name in (
            (self._sidebar, "sidebar"),
            (self._new, "plus"),
            (self._inspector, "inspector"),
            (self._more, "more"),
        ):
            button.setIcon(icon(name, theme.muted))

    def show_title(self, title: str) -> None:
        """Show the open conversation's title."""
        self._title.setText(title)

    def offer_sidebar(self, offered: bool) -> None:
        """Show or hide the sidebar's button, and the one for what else is asked for there."""
        margin = MARGIN - AIR if offered else MARGIN
        self._row.setContentsMargins(margin, *BAR_MARGINS)
        self._sidebar.setVisible(offered)
        self._new.setVisible(offered)

    def offer_inspector(self, offered: bool) -> None:
        """Show or hide the inspector's button; an open one has it in its own bar."""
        self._inspector.setVisible(offered)

    def offer_actions(self, offered: bool) -> None:
        """Show or hide the actions on a conversation."""
        for action in self._actions:
            action.setVisible(offered)
