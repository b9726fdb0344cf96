"""The order that the user gives to conversations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.services.facts import Fact
from chatdesk.services.history.facts import ProjectsChanged
from chatdesk.services.history.order import HistoryOrder
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.projects import ProjectStore


class History:
    def __init__(self, database: Database) -> None:
        self.facts: list[Fact] = []
        self.conversations = ConversationStore(database)
        self.order = HistoryOrder(ProjectStore(database), self.conversations, self.facts.append)

    def heard(self) -> list[type[Fact]]:
        heard, self.facts[:] = [type(each) for each in self.facts], []
        return heard


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    database = Database.open(tmp_path / "chatdesk.db")
    yield History(database)
    database.close()


def test_a_project_is_made_of_chats_and_comes_back_with_them(history: History) -> None:
    chats = [history.conversations.create(title=title).id for title in ("a", "b", "c")]
    made = history.order.create_project("Garden", "green", chats[:2])
    assert history.heard() == [ProjectsChanged, ConversationsChanged]
    (before,) = history.order.projects()
    left = history.order.delete_project(made.id)
    assert (sorted(left), history.order.projects()) == (sorted(chats[:2]), ())
    assert history.heard() == [ProjectsChanged, ConversationsChanged]
    history.order.restore_project(before.project, left)
    assert history.order.projects() == (before,)
    history.order.change_project(made.id, name="花园")
    (now,) = history.order.projects()
    assert (now.project.name, now.project.colour, now.conversations) == ("花园", "green", 2)


def test_pins_and_the_archive_are_of_several_chats(history: History) -> None:
    chats = [history.conversations.create(title=title).id for title in ("a", "b", "c")]
    history.order.pin(chats[:2], True)
    history.order.archive(chats[1:], True)
    assert history.heard() == [ConversationsChanged] * 2
    assert {each.title: (each.pinned, each.archived) for each in history.conversations.list()} == {
        "a": (True, False),
        "b": (True, True),
        "c": (False, True),
    }
    history.order.pin(chats, False)
    history.order.archive(chats, False)
    assert not any(each.pinned or each.archived for each in history.conversations.list())
