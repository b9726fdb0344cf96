"""The order that the user gives to conversations: projects, pins, the archive."""

from collections.abc import Sequence

from chatdesk.core.projects import Project, ProjectSummary
from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.services.facts import Publish
from chatdesk.services.history.facts import ProjectsChanged
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.projects import ProjectStore


class HistoryOrder:
    """Projects, and what is in them. Every method may raise `StoreProblem` and `NotFound`."""

    def __init__(
        self, projects: ProjectStore, conversations: ConversationStore, publish: Publish
    ) -> None:
        self._projects = projects
        self._conversations = conversations
        self._publish = publish

    def projects(self) -> tuple[ProjectSummary, ...]:
        """Return the projects in their order."""
        return self._projects.list()

    def create_project(
        self, name: str, colour: str = "", conversation_ids: Sequence[str] = ()
    ) -> Project:
        """Create a project of these conversations."""
        made = self._projects.create(name, colour)
        self._publish(ProjectsChanged())
        if conversation_ids:
            self.move(conversation_ids, made.id)
        return made

    def change_project(
        self, project_id: str, *, name: str | None = None, colour: str | None = None
    ) -> None:
        """Rename a project, or give it another colour."""
        self._projects.change(project_id, name=name, colour=colour)
        self._publish(ProjectsChanged())

    def delete_project(self, project_id: str) -> tuple[str, ...]:
        """Delete a project; return its conversations, which stay."""
        left = self._projects.delete(project_id)
        self._publish(ProjectsChanged())
        self._publish(ConversationsChanged())
        return left

    def restore_project(self, project: Project, conversation_ids: Sequence[str]) -> None:
        """Bring a deleted project back, with what was in it."""
        self._projects.add(project)
        self._publish(ProjectsChanged())
        self.move(conversation_ids, project.id)

    def move(self, conversation_ids: Sequence[str], project_id: str | None) -> None:
        """Move conversations into a project, or with None out of theirs."""
        self._conversations.set_project(conversation_ids, project_id)
        self._publish(ConversationsChanged())

    def pin(self, conversation_ids: Sequence[str], pinned: bool) -> None:
        """List conversations above all others, or no longer."""
        self._conversations.set_on_top(conversation_ids, pinned)
        self._publish(ConversationsChanged())

    def archive(self, conversation_ids: Sequence[str], archived: bool) -> None:
        """Put conversations out of sight, or bring them back; they stay as they are."""
        self._conversations.set_archived(conversation_ids, archived)
        self._publish(ConversationsChanged())
