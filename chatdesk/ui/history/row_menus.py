"""The menus of the sidebar's rows: of a chat, of several, of a project."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from chatdesk.core.chat import ConversationSummary, Mark
from chatdesk.core.i18n import tr, trn
from chatdesk.core.projects import COLOURS, Project, ProjectSummary
from chatdesk.ui.history.folder_colours import colour_words, folder_colour
from chatdesk.ui.icons import icon
from chatdesk.ui.theme import Theme


class RowMenus(QObject):
    """Makes menus; what they ask for carries the ids of chats, or of a project."""

    rename_requested = Signal(str)  # of a chat or a project, in place
    copy_requested = Signal(str)
    delete_requested = Signal(str)
    export_requested = Signal(object)
    mark_requested = Signal(str, object)  # a Mark or None
    pin_requested = Signal(object, bool)
    archive_requested = Signal(object, bool)
    move_requested = Signal(object, object)  # ids; a project's id or None
    new_project_requested = Signal(object)  # ids of chats to go there
    new_chat_requested = Signal(str)  # in a project
    colour_requested = Signal(str, str)
    delete_project_requested = Signal(object)  # the Project

    def of_chats(
        self,
        chats: Sequence[ConversationSummary],
        projects: Sequence[ProjectSummary],
        parent: QWidget,
    ) -> QMenu:
        """Return the menu of one chat, or of several that are chosen."""
        menu = QMenu(parent)
        ids = tuple(chat.id for chat in chats)
        chat = chats[0]
        if len(chats) == 1:
            menu.addAction(tr("Rename"), partial(self.rename_requested.emit, chat.id))
            menu.addAction(tr("Copy chat"), partial(self.copy_requested.emit, chat.id))
        menu.addAction(tr("Export…"), partial(self.export_requested.emit, ids))
        self._add_order(menu, chats, projects)
        words = trn("Delete {n} chat", "Delete {n} chats", len(ids)) if ids[1:] else tr("Delete")
        menu.addAction(words, partial(self._for_each, self.delete_requested.emit, ids))
        menu.addSeparator()
        for offered, words in (
            (Mark.INCLUDE, tr("Learn from this chat")),
            (Mark.EXCLUDE, tr("Never learn from this chat")),
        ):
            if len(chats) > 1:
                continue
            wanted = None if chat.mark == offered else offered
            action = menu.addAction(words, partial(self.mark_requested.emit, chat.id, wanted))
            action.setCheckable(True)
            action.setChecked(chat.mark == offered)
        return menu

    def _add_order(
        self,
        menu: QMenu,
        chats: Sequence[ConversationSummary],
        projects: Sequence[ProjectSummary],
    ) -> None:
        ids = tuple(chat.id for chat in chats)
        pinned = all(chat.pinned for chat in chats)
        words = tr("Unpin") if pinned else tr("Pin to the top")
        menu.addAction(words, partial(self.pin_requested.emit, ids, not pinned))
        move = menu.addMenu(tr("Move to project"))
        homes = {chat.project_id for chat in chats}
        for each in projects:
            ask = partial(self.move_requested.emit, ids, each.project.id)
            action = move.addAction(each.project.name.replace("&", "&&"), ask)
            action.setCheckable(True)
            action.setChecked(homes == {each.project.id})
        if projects:
            move.addSeparator()
        move.addAction(tr("New project"), partial(self.new_project_requested.emit, ids))
        if homes != {None}:
            move.addAction(tr("No project"), partial(self.move_requested.emit, ids, None))
        archived = all(chat.archived for chat in chats)
        words = tr("Take out of the archive") if archived else tr("Archive")
        menu.addAction(words, partial(self.archive_requested.emit, ids, not archived))

    def of_project(self, project: Project, theme: Theme, parent: QWidget) -> QMenu:
        """Return the menu of a project."""
        menu = QMenu(parent)
        menu.addAction(
            tr("New chat in this project"), partial(self.new_chat_requested.emit, project.id)
        )
        menu.addAction(tr("Rename"), partial(self.rename_requested.emit, project.id))
        colours = menu.addMenu(tr("Colour"))
        for colour in COLOURS:
            picture = icon("folder", folder_colour(theme, colour))
            ask = partial(self.colour_requested.emit, project.id, colour)
            action = colours.addAction(picture, colour_words(colour), ask)
            action.setCheckable(True)
            action.setChecked(project.colour == colour)
        menu.addSeparator()
        ask = partial(self.delete_project_requested.emit, project)
        menu.addAction(tr("Delete project, keep its chats"), ask)
        return menu

    @staticmethod
    def _for_each(ask: Callable[[str], None], ids: Sequence[str]) -> None:
        for each in ids:
            ask(each)
