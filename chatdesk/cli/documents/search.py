"""The command line's document on a search, with the names of its contract."""

from contextlib import closing, suppress
from dataclasses import replace

from chatdesk.cli.parts import Document
from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.search import MATCH_BEGINS, MATCH_ENDS, Found, Hit, Query
from chatdesk.services.history.search import SearchService
from chatdesk.store.database import Database
from chatdesk.store.projects import ProjectStore, no_project
from chatdesk.store.search import SearchStore

_NO_MARKS = str.maketrans("", "", MATCH_BEGINS + MATCH_ENDS)


def search_conversations(
    paths: AppPaths, query: Query, limit: int
) -> tuple[list[Document], str | None]:
    """What is found, the best first, and what there is to say about it. Raises `NotFound`."""
    with closing(Database.open(paths.database)) as database:
        service = SearchService(SearchStore(database))
        service.keep_up()  # an older database's chats are indexed first
        found = service.find(_with_project(query, ProjectStore(database)), limit)
    if found.unknown_project:
        raise no_project(found.unknown_project)
    return [_hit(each) for each in found.hits], _notice(found)


def _with_project(query: Query, projects: ProjectStore) -> Query:
    """Return the query with a project's name where it has the beginning of its id."""
    name = query.filters.project
    if name is not None:
        with suppress(NotFound):
            id_ = projects.resolve(name)
            names = {each.project.id: each.project.name for each in projects.list()}
            return replace(query, filters=replace(query.filters, project=names[id_]))
    return query


def _hit(hit: Hit) -> Document:
    return {
        "conversation": hit.conversation_id,
        "title": hit.title.translate(_NO_MARKS),
        "message": hit.message_id,
        "role": hit.role and hit.role.value,
        "created": hit.created.isoformat(),
        "snippet": hit.snippet or hit.title,
    }


def _notice(found: Found) -> str | None:
    if found.back_to:
        day = found.back_to.astimezone().date().isoformat()
        return tr("This took too long: older messages than of {day} were not searched.", day=day)
    return None
