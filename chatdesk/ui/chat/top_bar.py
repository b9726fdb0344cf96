"""The bar above the conversation: its title and its actions."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon, show_icon
from chatdesk.ui.shortcuts import Keys, with_keys
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.buttons import AIR, BAR_MARGINS, PictureButton
from chatdesk.ui.widgets.labels import LineLabel
from chatdesk.ui.widgets.menus import open_when_pressed

MARGIN = 24  # pixels at the left, as beside the conversation


class TopBar(QWidget):
    """The bar; it emits requests."""

    sidebar_requested = Signal()
    new_chat_requested = Signal()
    temporary_requested = Signal()
    import_requested = Signal()
    inspector_requested = Signal()
    rename_requested = Signal()
    copy_requested = Signal()
    delete_requested = Signal()
    model_options_requested = Signal()
    about_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._title = LineLabel(look="bar-title")
        self._sidebar = PictureButton(with_keys(tr("Show the sidebar"), Keys.SIDEBAR))
        self._sidebar.clicked.connect(self.sidebar_requested)
        self._new = PictureButton(with_keys(tr("New chat"), Keys.NEW_CHAT))
        self._new.clicked.connect(self.new_chat_requested)
        self._temporary = QPushButton(tr("Temporary"))
        self._temporary.setCheckable(True)
        self._temporary.clicked.connect(self._toggle_temporary)
        set_class(self._temporary, "chip")
        self._inspector = PictureButton(
            with_keys(tr("Sampling, context and statistics"), Keys.INSPECTOR)
        )
        self._inspector.clicked.connect(self.inspector_requested)
        self._more = PictureButton(tr("More"))
        menu = QMenu(self._more)
        self._actions = (
            menu.addAction(tr("Rename"), self.rename_requested.emit),
            menu.addAction(tr("Copy chat"), self.copy_requested.emit),
            menu.addAction(tr("Delete"), self.delete_requested.emit),
            menu.addSeparator(),
        )
        menu.addAction(tr("New temporary chat"), self.temporary_requested.emit)
        menu.addAction(tr("Import chats…"), self.import_requested.emit)
        menu.addAction(tr("Model options…"), self.model_options_requested.emit)
        menu.addAction(tr("About ChatDesk"), self.about_requested.emit)
        open_when_pressed(self._more, menu)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, *BAR_MARGINS)
        row.setSpacing(4)
        row.addWidget(self._sidebar)
        row.addWidget(self._new)
        row.addWidget(self._title, 1)
        row.addWidget(self._temporary)
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
        self._theme = theme
        self._show_temporary_icon()

    def show_temporary(self, temporary: bool, *, offered: bool) -> None:
        """Mark a temporary chat, and offer to make it one while it is `offered`."""
        self._temporary.setChecked(temporary)
        self._temporary.setVisible(temporary or offered)
        words = (
            tr("Nothing of this chat is saved or learned; it is gone when you leave it")
            if temporary
            else with_keys(tr("A chat of which nothing is saved or learned"), Keys.TEMPORARY_CHAT)
        )
        self._temporary.setToolTip(words)
        self._temporary.setAccessibleDescription(words)
        self._show_temporary_icon()

    def _toggle_temporary(self, on: bool) -> None:
        self._temporary.setChecked(not on)  # until it is so
        (self.temporary_requested if on else self.new_chat_requested).emit()

    def _show_temporary_icon(self) -> None:
        theme, on = self._theme, self._temporary.isChecked()
        show_icon(self._temporary, "temporary", theme.accent if on else theme.muted)

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
