"""The command line's documents on projects, with the names of its contract."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from chatdesk.cli.documents.conversations import line_of
from chatdesk.cli.parts import Document
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.projects import ProjectStore


def list_projects(paths: AppPaths) -> list[Document]:
    """The projects in their order."""
    with _projects(paths) as (projects, _):
        return _documents(projects)


def create_project(paths: AppPaths, name: str, colour: str) -> Document:
    """Make a project. Raises `EnvironmentProblem` for a name of nothing."""
    with _projects(paths) as (projects, _):
        made = projects.create(_checked(name), colour)
        return _document(projects, made.id)


def show_project(paths: AppPaths, name_or_id: str) -> Document:
    """A project with its chats, the newest first. Raises `NotFound`."""
    with _projects(paths) as (projects, conversations):
        project_id = projects.resolve(name_or_id)
        chats = [line_of(each) for each in conversations.list() if each.project_id == project_id]
        return {**_document(projects, project_id), "chats": chats}


def change_project(
    paths: AppPaths, name_or_id: str, name: str | None, colour: str | None
) -> Document:
    """Change what is given. Raises `NotFound` and `EnvironmentProblem`."""
    if name is None and colour is None:
        raise EnvironmentProblem(tr("Nothing is to be changed."), tr("Give --name or --colour."))
    with _projects(paths) as (projects, _):
        project_id = projects.resolve(name_or_id)
        projects.change(project_id, name=None if name is None else _checked(name), colour=colour)
        return _document(projects, project_id)


def delete_project(paths: AppPaths, name_or_id: str) -> Document:
    """Delete a project; its chats stay. Raises `NotFound`."""
    with _projects(paths) as (projects, _):
        project_id = projects.resolve(name_or_id)
        return {
            "id": project_id,
            "deleted": True,
            "conversations": len(projects.delete(project_id)),
        }


@contextmanager
def _projects(paths: AppPaths) -> Iterator[tuple[ProjectStore, ConversationStore]]:
    with closing(Database.open(paths.database)) as database:
        yield ProjectStore(database), ConversationStore(database)


def _documents(projects: ProjectStore) -> list[Document]:
    return [
        {
            "id": each.project.id,
            "name": each.project.name,
            "colour": each.project.colour,
            "conversations": each.conversations,
            "documents": 0,
        }
        for each in projects.list()
    ]


def _document(projects: ProjectStore, project_id: str) -> Document:
    return next(each for each in _documents(projects) if each["id"] == project_id)


def _checked(name: str) -> str:
    if name := " ".join(name.split()):
        return name
    raise EnvironmentProblem(tr("A project needs a name."))
