"""Message parts: each kind comes back as it was, and a message of words has no row for them."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from chatdesk.core.chat import AnswerRecord, MessageState, Role, TitleSource, now
from chatdesk.core.parts import Part, Text, Thinking
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.tables import message_parts
from tests.core.test_parts import CALL, EVERY_KIND, PICTURE, RESULT
from tests.store.conftest import stored


def count_rows(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(message_parts)) or 0


def test_every_kind_comes_back_as_it_was(path: Path) -> None:
    database = Database.open(path)
    store = ConversationStore(database)
    made = store.create()
    asked = store.add_message(made.id, None, Role.USER, [PICTURE, Text("What is this?")])
    record = AnswerRecord(model_name="Tiny")
    answer = store.add_message(made.id, asked.id, Role.ASSISTANT, EVERY_KIND, answer=record)
    database.close()
    database = Database.open(path)
    assert ConversationStore(database).get(made.id).messages == (asked, answer)
    database.close()
    assert answer.parts == EVERY_KIND
    assert asked.text == "What is this?"
    assert (answer.text, answer.thinking) == ("Tea is a leaf. 茶", "I look it up.Now I know.")


def test_words_alone_have_no_rows(store: ConversationStore, database: Database) -> None:
    made = store.create()
    asked = store.add_message(made.id, None, Role.USER, "Q")
    parts = (Thinking("Hm."), Text("A"))
    state = MessageState.STREAMING
    answer = store.add_message(
        made.id, asked.id, Role.ASSISTANT, parts, state=state, answer=AnswerRecord()
    )
    store.finish(replace(answer, state=MessageState.COMPLETE))
    assert store.get(made.id).messages[-1].parts == parts
    assert count_rows(database) == 0


def test_an_answer_goes_on_after_a_tool(store: ConversationStore, database: Database) -> None:
    made = store.create()
    asked = store.add_message(made.id, None, Role.USER, "Q")
    begun: tuple[Part, ...] = (Text("I look. "), CALL)
    state, record = MessageState.STREAMING, AnswerRecord()
    answer = store.add_message(made.id, asked.id, Role.ASSISTANT, begun, state=state, answer=record)
    store.write_text(answer.id, "I look. It is", thinking="Hm.")
    half = store.get(made.id).messages[-1]
    assert half.parts == (*begun, Thinking("Hm."), Text("It is"))
    parts = (*begun, RESULT, Text("It is a leaf."))
    ended = store.finish(replace(half, parts=parts, state=MessageState.COMPLETE))
    assert ended.parts == parts
    assert store.get(made.id).messages[-1] == ended
    assert count_rows(database) == len(parts)


def test_parts_go_with_their_conversation(store: ConversationStore, database: Database) -> None:
    made = store.create()
    store.add_message(made.id, None, Role.USER, [PICTURE])
    store.delete(made.id)
    store.purge(now())
    assert count_rows(database) == 0


def test_thinking_without_an_answer_is_a_bug(store: ConversationStore) -> None:
    made = store.create()
    with pytest.raises(ValueError, match="answer"):
        store.add_message(made.id, None, Role.USER, [Thinking("Hm.")])


def test_a_database_of_the_seventh_version_is_read(path: Path) -> None:
    stored(path, "0007")
    database = Database.open(path)
    conversation = ConversationStore(database).get("c000000000000001")
    database.close()
    asked, answer = conversation.path("5000000000000007")[-2:]
    assert conversation.title_source is TitleSource.MODEL
    assert asked.parts == (PICTURE, Text("What is this? 茶"))
    assert answer.parts == EVERY_KIND
    old = conversation.by_id["5000000000000003"]
    assert old.parts == (Thinking("A drink, or a meal? 茶"), Text("A leaf, and"))
