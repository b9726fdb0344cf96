"""Projects in the database."""

import pytest

from chatdesk.core.errors import NotFound
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.projects import ProjectStore


def test_projects_have_an_order_and_count_what_is_not_in_the_trash(
    database: Database, store: ConversationStore
) -> None:
    projects = ProjectStore(database)
    garden, thesis = projects.create("Garden", "green"), projects.create("论文")
    kept, thrown = store.create(), store.create()
    for each in (kept, thrown):
        store.set_project([each.id], garden.id)
    store.delete(thrown.id)
    projects.change(thesis.id, name="Thesis", colour="blue")
    found = projects.list()
    assert [(each.project.name, each.project.colour, each.conversations) for each in found] == [
        ("Garden", "green", 1),
        ("Thesis", "blue", 0),
    ]
    assert [each.project_id for each in store.list()] == [garden.id]


def test_what_was_in_a_deleted_project_stays(database: Database, store: ConversationStore) -> None:
    projects = ProjectStore(database)
    project, conversation = projects.create("Garden"), store.create()
    store.set_project([conversation.id], project.id)
    projects.delete(project.id)
    assert projects.list() == ()
    assert store.get(conversation.id).project_id is None


def test_an_unknown_project_is_named(database: Database, store: ConversationStore) -> None:
    projects = ProjectStore(database)
    with pytest.raises(NotFound, match="no project 0123"):
        projects.delete("0123")
    with pytest.raises(NotFound, match="no project 0123"):
        projects.change("0123", name="Garden")
    with pytest.raises(NotFound, match="no project 0123"):
        store.set_project([store.create().id], "0123")
    made = projects.create("Garden")
    assert projects.resolve(made.id[:6]) == made.id
