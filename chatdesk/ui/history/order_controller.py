"""Between the sidebar and the services: projects, pins, the archive."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Qt

from chatdesk.core.i18n import tr, trn
from chatdesk.core.projects import Project
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.deletions import Deletions
from chatdesk.ui.history.conversation_list_model import ConversationListModel
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.deleter import Deleter
from chatdesk.ui.widgets.notice import UNDO_MS, Notice


class OrderController(QObject):
    """Does what the menus of the sidebar's rows and what is dropped on them ask for."""

    def __init__(
        self,
        bridge: Bridge,
        sidebar: Sidebar,
        list_model: ConversationListModel,
        notice: Notice,
        deletions: Deletions,
    ) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._sidebar = sidebar
        self._list_model = list_model
        self._notice = notice
        self._deleter = ProjectDeleter(bridge, notice, deletions)
        self._unnamed: str | None = None  # a new project that is not in the list yet
        menus = sidebar.menus
        menus.pin_requested.connect(self._pin)
        menus.archive_requested.connect(self._archive)
        menus.move_requested.connect(self._move)
        menus.new_project_requested.connect(self._create)
        menus.colour_requested.connect(self._colour)
        menus.delete_project_requested.connect(self._deleter.delete)
        list_model.rename_project_requested.connect(self._rename)
        list_model.move_requested.connect(self._move)
        list_model.archive_requested.connect(partial(self._archive, archived=True))
        list_model.modelReset.connect(self._name_new, Qt.ConnectionType.QueuedConnection)

    def _pin(self, ids: Sequence[str], pinned: bool) -> None:
        attempt(self._bridge, self._notice, "pins", lambda app: app.order.pin(ids, pinned))

    def _archive(self, ids: Sequence[str], archived: bool) -> None:
        def done(_: None) -> None:
            if not archived:
                self._notice.solved("archived chats")
                return
            what = trn("{n} chat was archived.", "{n} chats were archived.", len(ids))
            undo = partial(self._archive, ids, archived=False)
            key = "archived chats"
            self._notice.show_words(what, "", tr("Undo"), undo, for_ms=UNDO_MS, key=key)

        attempt(
            self._bridge,
            self._notice,
            "archive",
            lambda app: app.order.archive(ids, archived),
            done,
        )

    def _move(self, ids: Sequence[str], project_id: str | None) -> None:
        attempt(self._bridge, self._notice, "move", lambda app: app.order.move(ids, project_id))

    def _create(self, ids: Sequence[str]) -> None:
        """Make a project; its name is typed in place."""
        name = tr("New project")
        attempt(
            self._bridge,
            self._notice,
            "new project",
            lambda app: app.order.create_project(name, conversation_ids=ids),
            self._created,
        )

    def _created(self, project: Project) -> None:
        self._unnamed = project.id
        self._name_new()

    def _name_new(self) -> None:
        if self._unnamed is None or self._list_model.row_of(self._unnamed) < 0:
            return  # the list is being read
        project_id, self._unnamed = self._unnamed, None
        self._list_model.open_folder(project_id, is_open=True)
        self._sidebar.rename(project_id)

    def _rename(self, project_id: str, name: str) -> None:
        attempt(
            self._bridge,
            self._notice,
            f"name of {project_id}",
            lambda app: app.order.change_project(project_id, name=name),
        )

    def _colour(self, project_id: str, colour: str) -> None:
        attempt(
            self._bridge,
            self._notice,
            f"colour of {project_id}",
            lambda app: app.order.change_project(project_id, colour=colour),
        )


@dataclass(frozen=True, slots=True)
class DeletedProject:
    """A project that was deleted, and the chats that were in it."""

    project: Project
    conversation_ids: tuple[str, ...]


class ProjectDeleter(Deleter[DeletedProject]):
    """Deletes projects with a way back; their chats stay."""

    key = "deleted projects"

    def __init__(self, bridge: Bridge, notice: Notice, deletions: Deletions) -> None:
        super().__init__(notice, deletions)
        self._bridge = bridge

    def delete(self, project: Project) -> None:
        """Delete a project."""
        attempt(
            self._bridge,
            self._notice,
            f"deletion of {project.id}",
            lambda app: app.order.delete_project(project.id),
            lambda left: self._add(DeletedProject(project, left)),
        )

    def _words(
        self, told: Sequence[DeletedProject]
    ) -> tuple[str, str, str, Callable[[], None] | None]:
        what = trn("{n} project was deleted.", "{n} projects were deleted.", len(told))
        if len(told) == 1:
            what = tr("The project “{name}” was deleted.", name=told[0].project.name)
        kept = any(each.conversation_ids for each in told)
        return what, tr("Its chats are among the others.") if kept else "", "", None

    def _bring_back(self, deleted: DeletedProject) -> None:
        attempt(
            self._bridge,
            self._notice,
            f"restoring of {deleted.project.id}",
            lambda app: app.order.restore_project(deleted.project, deleted.conversation_ids),
        )
