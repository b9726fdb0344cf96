"""Projects: folders of conversations."""

from dataclasses import asdict

from sqlalchemy import Connection, delete, func, insert, select, update

from chatdesk.core.chat import new_id, now
from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.projects import Project, ProjectSummary
from chatdesk.store.database import Database
from chatdesk.store.prefixes import resolve
from chatdesk.store.tables import conversations, projects


class ProjectStore:
    """Reads and writes projects. Every method may raise `StoreProblem`.

    A method with an id as argument raises `NotFound` when there is no project of that id.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> tuple[ProjectSummary, ...]:
        """Return the projects in their order, with the number of conversations in each."""
        mine = conversations.c.project_id == projects.c.id
        count = select(func.count()).where(mine, conversations.c.deleted.is_(None))
        query = select(projects, count.scalar_subquery().label("conversations"))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(projects.c.position)).all()
        return tuple(
            ProjectSummary(
                Project(each.id, each.name, each.colour, each.position, each.created),
                each.conversations,
            )
            for each in rows
        )

    def create(self, name: str, colour: str = "") -> Project:
        """Create a project, the last in the order."""
        last = select(func.coalesce(func.max(projects.c.position) + 1, 0))
        with self._database.writing() as connection:
            made = Project(new_id(), name, colour, connection.scalar(last) or 0, now())
            connection.execute(insert(projects).values(asdict(made)))
        return made

    def add(self, project: Project) -> None:
        """Add a project as it was."""
        with self._database.writing() as connection:
            connection.execute(insert(projects).values(asdict(project)))

    def change(
        self, project_id: str, *, name: str | None = None, colour: str | None = None
    ) -> None:
        """Change what is given."""
        given = {"name": name, "colour": colour}
        values = {key: value for key, value in given.items() if value is not None}
        this = update(projects).where(projects.c.id == project_id)
        with self._database.writing() as connection:
            if connection.execute(this.values(values)).rowcount == 0:
                raise no_project(project_id)

    def delete(self, project_id: str) -> tuple[str, ...]:
        """Delete a project; return its conversations, which stay, in no project."""
        inside = select(conversations.c.id).where(conversations.c.project_id == project_id)
        with self._database.writing() as connection:
            left = tuple(connection.scalars(inside))
            if (
                connection.execute(delete(projects).where(projects.c.id == project_id)).rowcount
                == 0
            ):
                raise no_project(project_id)
        return left

    def resolve(self, name_or_prefix: str) -> str:
        """Return the id of the project of this name, or whose id begins so. Raises `NotFound`."""
        named = select(projects.c.id).where(projects.c.name == name_or_prefix).limit(2)
        with self._database.reading() as connection:
            found = connection.scalars(named).all()
            if len(found) > 1:
                raise NotFound(
                    tr("Several projects are called {name}.", name=name_or_prefix),
                    tr("Give the id; `chatdesk projects list` shows it."),
                )
            if found:
                return found[0]
            return resolve(connection, projects.c.id, name_or_prefix, no_project)


def has_project(connection: Connection, project_id: str | None) -> bool:
    """Return True if there is a project of this id."""
    this = select(projects.c.id).where(projects.c.id == project_id)
    return connection.scalar(this) is not None


def no_project(project_id: str) -> NotFound:
    """Return the problem to raise."""
    return NotFound(
        tr("There is no project {id}.", id=project_id),
        tr("`chatdesk projects list` shows them all."),
    )
