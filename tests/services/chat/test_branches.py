"""A chat begins with a copy of what leads to a message of another one."""

import pytest

from chatdesk.core.chat import Rating
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.chat.facts import TextArrived
from tests.services.conftest import ScriptedApp


def test_a_branch_is_a_chat_of_its_own_from_its_beginning(app: ScriptedApp) -> None:
    app.load()
    chat = app.services.chat
    first = app.answered("say: one").message
    home = first.conversation_id
    other = app.answered("say: two", home).message
    chat.rate(first.id, Rating.UP)
    chat.pin(first.id, True)
    before = chat.conversation(home)
    made = chat.conversation(chat.branch(first.id))
    assert [each.text.strip() for each in made.path()] == ["say: one", "one"]
    assert made.title == before.title
    copy = made.path()[-1]
    assert (copy.answer, copy.rating, copy.pinned) == (first.answer, None, True)
    assert {each.id for each in made.messages}.isdisjoint(before.by_id)
    again = app.answered("say: three", made.id).message
    assert [each.text.strip() for each in chat.conversation(made.id).path()][-1] == "three"
    assert chat.conversation(home) == before  # nothing of it changed
    assert app.services.conversations.list()[0].id == made.id
    assert again.conversation_id == made.id != other.conversation_id


def test_what_is_being_written_is_waited_for(app: ScriptedApp) -> None:
    app.load()
    home = app.services.chat.send(None, "slow long")
    app.until(TextArrived)
    with pytest.raises(EnvironmentProblem, match="still being written"):
        app.services.chat.branch(app.services.chat.conversation(home).path()[-1].id)
    app.services.chat.stop(home)
