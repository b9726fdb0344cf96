"""An answer that the disk did not take is not forgotten."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import NoReturn

import pytest

from chatdesk.core.chat import Message, MessageState
from chatdesk.core.errors import NotFound, StoreProblem
from chatdesk.services.chat.facts import AnswerEnded, AnswersUnsaved, TextArrived
from chatdesk.store.trees import add_message
from tests.helpers import disk_full
from tests.services.conftest import ScriptedApp

NEVER_S = 1000.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is tried again only because time went by, except where a test says so."""
    monkeypatch.setattr("chatdesk.services.chat.unsaved.RETRY_S", NEVER_S)
    monkeypatch.setattr("chatdesk.services.chat.unsaved.PAUSE_S", 0.01)
    yield


def refuse(*_: object, **__: object) -> NoReturn:
    raise StoreProblem("The disk is full.")


def unsaved(app: ScriptedApp) -> Message:
    """An answer that was written, and stopped, while the disk was full; now there is room."""
    app.load()
    conversation_id = app.services.chat.send(None, "slow long")
    app.until(TextArrived)
    with disk_full(app.services):
        app.until(TextArrived, lambda fact: fact.start > 20_000)
        app.services.chat.stop(conversation_id)
        ended = app.until(AnswerEnded)
        assert ended.unsaved
        assert stored(app, ended.message) != ended.message.text
    return ended.message


def closing_of(app: ScriptedApp) -> threading.Event:
    """Close the chats on another thread; set when that is done."""
    done = threading.Event()

    def close() -> None:
        app.services.chat.close()
        done.set()

    threading.Thread(target=close, daemon=True).start()
    return done


def stored(app: ScriptedApp, message: Message) -> str:
    return app.services.conversations.get(message.conversation_id).by_id[message.id].text


def until_saved(app: ScriptedApp) -> None:
    app.until(AnswersUnsaved, lambda fact: not fact.message_ids)


def test_any_write_that_goes_well_saves_it(app: ScriptedApp) -> None:
    answer = unsaved(app)
    app.services.conversations.create(title="Something else")
    until_saved(app)
    assert stored(app, answer) == answer.text
    assert app.state_of(answer.id) is MessageState.STOPPED


def test_it_is_tried_again_by_and_by(app: ScriptedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatdesk.services.chat.unsaved.RETRY_S", 0.02)
    answer = unsaved(app)
    until_saved(app)
    assert stored(app, answer) == answer.text


def test_closing_saves_it(app: ScriptedApp) -> None:
    answer = unsaved(app)
    app.services.chat.close()
    assert stored(app, answer) == answer.text


def test_a_second_one_does_not_push_the_first_away(app: ScriptedApp) -> None:
    app.load()
    chats = [app.services.chat.send(None, "slow long") for _ in range(2)]
    app.until(TextArrived)
    with disk_full(app.services):
        app.until(TextArrived, lambda fact: fact.start > 20_000)
        for chat in chats:
            app.services.chat.stop(chat)
        ended = [app.until(AnswerEnded).message for _ in chats]
        assert app.services.chat.unsaved.final.keys() == {each.id for each in ended}
        with pytest.raises(StoreProblem):
            app.services.chat.unsaved.save()
    app.services.chat.unsaved.save()
    assert [stored(app, each) for each in ended] == [each.text for each in ended]


def test_what_cannot_be_saved_is_told_while_it_is_written(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "slow long")
    app.until(TextArrived)
    with disk_full(app.services):
        told = app.until(AnswersUnsaved)
        assert told.problem and "full" in told.problem.what
        assert app.services.chat.is_answering(conversation_id)
    until_saved(app)  # while it goes on
    assert app.services.chat.is_answering(conversation_id)
    app.services.chat.stop(conversation_id)
    assert app.until(AnswerEnded).unsaved is None


def test_the_next_question_is_asked_after_the_whole_answer(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.load()
    store = app.services.conversations
    with monkeypatch.context() as full:
        full.setattr(store, "finish", refuse)
        full.setattr(store, "write_text", refuse)
        first = app.answered("say: a long story").message
        app.services.chat.send(first.conversation_id, "options")
        asked = json.loads(app.until(AnswerEnded).message.text)
    assert [each["content"] for each in asked["messages"]][1] == "a long story "


def test_going_on_with_it_saves_it_first(app: ScriptedApp) -> None:
    answer = unsaved(app)
    app.services.chat.continue_answer(answer.id)  # the script is the text so far
    went_on = app.until(AnswerEnded).message
    assert went_on.text.startswith(answer.text)
    assert len(went_on.text) > len(answer.text)


def test_one_that_is_gone_for_good_is_not_kept(app: ScriptedApp) -> None:
    app.load()
    with pytest.MonkeyPatch.context() as full:
        full.setattr(app.services.conversations, "finish", refuse)
        app.answered("say: hello")

    def gone(message: Message) -> NoReturn:
        raise NotFound("There is no such message.")

    with pytest.MonkeyPatch.context() as deleted:
        deleted.setattr(app.services.conversations, "finish", gone)
        app.services.chat.unsaved.save()
    until_saved(app)
    assert not app.services.chat.unsaved.final


def test_an_answer_at_closing_waits_for_a_locked_database(app: ScriptedApp) -> None:
    app.load()
    conversation_id = app.services.chat.send(None, "slow")
    seen = app.until(TextArrived, lambda fact: fact.start > 10)
    with closing(sqlite3.connect(app.paths.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        close = closing_of(app)
        assert not close.wait(2.5)  # longer than what it once gave up after
        other.execute("ROLLBACK")
    assert close.wait(20)
    (answer,) = app.services.conversations.get(conversation_id).path()[1:]
    assert answer.state is MessageState.INTERRUPTED
    assert len(answer.text) > seen.start


def test_a_question_without_room_for_its_answer_is_not_stored(
    app: ScriptedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.load()

    def full(connection: object, message: Message) -> None:
        if message.answer:
            refuse()
        add_message(connection, message)  # type: ignore[arg-type]

    monkeypatch.setattr("chatdesk.store.conversations.add_message", full)
    with pytest.raises(StoreProblem):
        app.services.chat.send(None, "say: hello")
    assert app.services.conversations.list() == ()
