import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    Mark,
    Message,
    MessageState,
    Rating,
    Role,
    StopReason,
    TitleSource,
    new_id,
    now,
)
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.models import ModelHeader
from chatdesk.core.parts import Text, Thinking
from chatdesk.core.sampling import SamplingParams
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore
from chatdesk.store.tables import conversations as conversations_table
from chatdesk.store.tables import messages as messages_table


def texts(conversation: Conversation) -> list[str]:
    return [message.text for message in conversation.path()]


def test_a_new_conversation_is_read_back_as_it_was_made(store: ConversationStore) -> None:
    made = store.create(title="Tea", system_prompt="Be brief.")
    assert store.get(made.id) == made
    assert (made.title_source, made.messages, made.deleted) == (TitleSource.USER, (), None)
    assert made.created.tzinfo is UTC
    assert store.create().title_source is TitleSource.NONE
    first_words = store.create(title="So, what", title_source=TitleSource.NONE)
    assert store.get(first_words.id).title_source is TitleSource.NONE


def test_the_system_prompt_can_be_changed(store: ConversationStore) -> None:
    made = store.create(system_prompt="Be brief.")
    store.set_system_prompt(made.id, "Be kind.")
    assert store.get(made.id) == replace(made, system_prompt="Be kind.")


def test_a_thread_of_messages_is_the_active_path(store: ConversationStore) -> None:
    made = store.create()
    question = store.add_message(made.id, None, Role.USER, "Why?")
    answer = store.add_message(made.id, question.id, Role.ASSISTANT, "Because. 因为 🙂")
    got = store.get(made.id)
    assert got.path() == (question, answer)
    assert got.active_leaf_id == answer.id
    assert store.conversation_of(question.id) == made.id
    assert got.updated == answer.created >= made.updated


def test_editing_and_regenerating_add_siblings_and_destroy_nothing(
    store: ConversationStore,
) -> None:
    made = store.create()
    question = store.add_message(made.id, None, Role.USER, "Q")
    first = store.add_message(made.id, question.id, Role.ASSISTANT, "A1")
    second = store.add_message(made.id, question.id, Role.ASSISTANT, "A2")
    edited = store.add_message(made.id, None, Role.USER, "Q2")
    got = store.get(made.id)
    assert got.siblings(first.id) == (first, second)
    assert got.siblings(question.id) == (question, edited)
    assert texts(got) == ["Q2"]
    store.set_active_leaf(made.id, first.id)
    got = store.get(made.id)
    assert texts(got) == ["Q", "A1"]
    assert got.leaf_below(question.id) == second
    assert got.messages == (question, first, second, edited)


def test_parents_and_leaves_must_be_of_the_same_conversation(store: ConversationStore) -> None:
    here, there = store.create(), store.create()
    message = store.add_message(there.id, None, Role.USER, "elsewhere")
    with pytest.raises(NotFound):
        store.add_message(here.id, message.id, Role.USER, "lost")
    with pytest.raises(NotFound):
        store.set_active_leaf(here.id, message.id)
    with pytest.raises(NotFound):
        store.add_message(here.id, "nothing", Role.USER, "lost")
    assert store.get(here.id) == here


def ended(
    message: Message, text: str, answer: AnswerRecord, state: MessageState = MessageState.COMPLETE
) -> Message:
    return replace(message.with_words(text=text), state=state, answer=answer)


def test_an_answer_streams_and_is_finished_with_its_record(
    store: ConversationStore, models: ModelStore, tmp_path: Path
) -> None:
    header = ModelHeader("Tiny", "llama", 10, "Q4_1", 20, 30, 4, 50, True)
    model = models.add(tmp_path / "tiny.gguf", header, 7)
    begun = AnswerRecord(model.id, "Tiny", sampling=SamplingParams(seed=3, stop=("END",)))
    done = replace(begun, adapter_id="a", adapter_scale=0.5, prompt_tokens=9, cached_tokens=4)
    done = replace(done, completion_tokens=2, ttft_s=0.25, tokens_per_s=99.5, duration_s=1.5)
    done = replace(done, stop_reason=StopReason.END)

    made = store.create()
    answer = store.add_message(
        made.id, None, Role.ASSISTANT, "", state=MessageState.STREAMING, answer=begun
    )
    store.write_text(answer.id, "half")
    half = store.get(made.id).messages[0]
    assert (half.text, half.state, half.answer) == ("half", MessageState.STREAMING, begun)
    finished = store.finish(ended(answer, "whole", done))
    assert store.get(made.id).messages == (finished,)
    assert (finished.text, finished.state, finished.answer) == (
        "whole",
        MessageState.COMPLETE,
        done,
    )


def test_the_model_that_a_chat_was_held_with_is_found_on_the_branch_that_is_shown(
    store: ConversationStore, models: ModelStore, tmp_path: Path
) -> None:
    header = ModelHeader("Tiny", "llama", 10, "Q4_1", 20, 30, 4, 50, True)
    first, second, third = (
        models.add(tmp_path / f"{name}.gguf", header, 7).id for name in ("one", "two", "three")
    )
    made = store.create()

    def answer(parent: str | None, model_id: str | None) -> str:
        record = AnswerRecord(model_id)
        return store.add_message(made.id, parent, Role.ASSISTANT, "So.", answer=record).id

    def check(held: str | None) -> None:
        assert store.held_with(made.id) == store.get(made.id).held_with == held

    check(None)
    question = store.add_message(made.id, None, Role.USER, "Why?").id
    check(None)
    old = answer(question, first)
    check(first)
    later = answer(store.add_message(made.id, old, Role.USER, "And?").id, second)
    check(second)
    answer(question, third)
    check(third)
    store.set_active_leaf(made.id, later)
    check(second)
    answer(later, None)
    check(second)
    store.hide([later], made.id, None)
    check(first)


def test_a_finished_answer_can_be_continued_once_at_a_time(store: ConversationStore) -> None:
    made = store.create()
    question = store.add_message(made.id, None, Role.USER, "Q")
    answer = store.add_message(made.id, question.id, Role.ASSISTANT, "begun")
    assert answer.answer is None
    again = store.reopen(answer.id)
    assert (again.state, again.text) == (MessageState.STREAMING, "begun")
    with pytest.raises(EnvironmentProblem):
        store.reopen(answer.id)
    record = AnswerRecord(model_name="Tiny")
    stopped = store.finish(ended(again, "begun and ended", record, MessageState.STOPPED))
    assert store.get(made.id).messages[1] == stopped
    assert stopped.answer == record
    with pytest.raises(ValueError, match="answer"):
        store.reopen(question.id)
    with pytest.raises(ValueError, match="end"):
        store.finish(ended(answer, "", record, MessageState.STREAMING))


def test_what_does_not_exist_is_not_found(store: ConversationStore) -> None:
    made = store.create()
    begun = store.add_message(made.id, None, Role.ASSISTANT, "")
    nowhere = ended(replace(begun, id="none"), "", AnswerRecord())
    for call in (
        lambda: store.get("none"),
        lambda: store.rename("none", "", TitleSource.USER),
        lambda: store.set_system_prompt("none", ""),
        lambda: store.conversation_of("none"),
        lambda: store.delete("none"),
        lambda: store.restore("none"),
        lambda: store.set_active_leaf("none", "none"),
        lambda: store.add_message("none", None, Role.USER, ""),
        lambda: store.write_text("none", ""),
        lambda: store.finish(nowhere),
        lambda: store.reopen("none"),
        lambda: store.set_rating("none", Rating.UP),
        lambda: store.set_mark("none", Mark.INCLUDE),
        lambda: store.set_conversation_mark("none", Mark.INCLUDE),
        lambda: store.set_adapter("none", None),
        lambda: store.add_correction("none", "Better."),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_name_given_by_the_user_is_never_replaced(store: ConversationStore) -> None:
    made = store.create()
    assert store.rename(made.id, "Guess", TitleSource.MODEL)
    assert store.rename(made.id, "Mine", TitleSource.USER)
    assert not store.rename(made.id, "Better guess", TitleSource.MODEL)
    assert store.rename(made.id, "Mine too", TitleSource.USER)
    assert store.get(made.id).title == "Mine too"


def test_the_trash_gives_back_what_was_put_in(store: ConversationStore) -> None:
    kept, trashed = store.create(title="kept"), store.create(title="trashed")
    store.add_message(trashed.id, None, Role.USER, "still here")
    before = store.get(trashed.id)
    store.delete(trashed.id)
    deleted = store.get(trashed.id).deleted
    assert deleted is not None
    store.delete(trashed.id)
    assert store.get(trashed.id).deleted == deleted
    assert [line.title for line in store.list()] == ["kept"]
    assert [line.title for line in store.list(deleted=True)] == ["trashed"]
    store.restore(trashed.id)
    assert store.get(trashed.id) == before
    assert [line.title for line in store.list()] == ["trashed", "kept"]
    assert store.get(kept.id) == kept


def test_purging_removes_old_trash_for_good(
    store: ConversationStore, database: Database, path: Path
) -> None:
    kept, young, old = store.create(), store.create(), store.create()
    parent = None
    with database.writing() as connection:  # deeper than SQLite lets a cascade recurse
        for position in range(1500):
            row = {"id": f"{position:016}", "parent_id": parent, "position": position}
            rest = {"role": Role.USER, "state": MessageState.COMPLETE, "created": now()}
            connection.execute(
                insert(messages_table).values(
                    row | rest | {"conversation_id": old.id, "text": "a secret to be gone"}
                )
            )
            parent = row["id"]
    store.delete(old.id)
    moment = now()
    store.delete(young.id)
    assert len(store.purge(moment)) == 1
    assert store.purge(moment) == ()
    with pytest.raises(NotFound):
        store.get(old.id)
    assert store.get(young.id).deleted
    assert store.get(kept.id) == kept
    database.close()
    assert b"a secret to be gone" not in path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)


def test_an_id_may_be_shortened_while_it_is_clear(
    store: ConversationStore, database: Database
) -> None:
    rest = {"title": "", "title_source": TitleSource.NONE, "system_prompt": ""}
    with database.writing() as connection:
        for row_id in ("aaaa1111", "aaaa2222", "bbbb3333"):
            moments = {"created": now(), "updated": now()}
            connection.execute(
                insert(conversations_table).values({"id": row_id, **rest, **moments})
            )
    assert store.resolve("aaaa1") == "aaaa1111"
    assert store.resolve("aaaa2222") == "aaaa2222"
    assert store.resolve("bbbb") == "bbbb3333"
    store.delete("aaaa1111")
    assert store.resolve("aaaa1") == "aaaa1111"
    with pytest.raises(NotFound, match="several"):
        store.resolve("aaaa")
    with pytest.raises(NotFound, match="no conversation"):
        store.resolve("cccc")
    with pytest.raises(NotFound, match="no conversation"):
        store.resolve("aa%%")
    with pytest.raises(NotFound, match="too short"):
        store.resolve("aaa")


def test_five_thousand_conversations_are_listed_by_one_query(
    store: ConversationStore, database: Database
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    conversations = [
        {
            "id": new_id(),
            "title": f"Number {number}",
            "title_source": TitleSource.MODEL,
            "system_prompt": "Be brief. " * 50,
            "created": start,
            "updated": start + timedelta(minutes=number * 7919 % 5000),
            "deleted": start if number % 100 == 0 else None,
        }
        for number in range(5000)
    ]
    messages = [
        {
            "id": new_id(),
            "conversation_id": conversation["id"],
            "position": position,
            "role": Role.USER,
            "state": MessageState.COMPLETE,
            "created": start,
            "text": "long enough to be real " * 20,
        }
        for number, conversation in enumerate(conversations)
        for position in range(number % 5)
    ]
    with database.writing() as connection:
        connection.execute(insert(conversations_table), conversations)
        connection.execute(insert(messages_table), messages)

    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        begun = time.perf_counter()
        listed = store.list()
        print(f"5,000 conversations listed in {(time.perf_counter() - begun) * 1000:.1f} ms")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    (query,) = (statement for statement in statements if not statement.startswith("BEGIN"))
    assert len(listed) == 4950
    assert list(listed) == sorted(listed, key=lambda line: line.updated, reverse=True)
    assert all(line.messages == int(line.title.split()[1]) % 5 for line in listed)
    with database.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
    steps = " ".join(step[3] for step in plan)
    assert "SCAN" not in steps
    assert "TEMP B-TREE" not in steps


def test_thinking_is_stored_apart_from_the_text(store: ConversationStore) -> None:
    made = store.create()
    begun = AnswerRecord(model_name="Tiny")
    answer = store.add_message(
        made.id, None, Role.ASSISTANT, "", state=MessageState.STREAMING, answer=begun
    )
    store.write_text(answer.id, "", thinking="Let me s")
    assert store.get(made.id).messages[0].thinking == "Let me s"
    store.write_text(answer.id, "Yes")
    assert store.get(made.id).messages[0].thinking == "Let me s"
    thought = replace(begun, thinking_s=1.25)
    whole = ended(answer.with_words(thinking="Let me see."), "Yes.", thought)
    finished = store.finish(whole)
    assert store.get(made.id).messages == (finished,) == (whole,)
    assert finished.parts == (Thinking("Let me see."), Text("Yes."))


def test_messages_are_pinned_and_unpinned(store: ConversationStore) -> None:
    made = store.create()
    question = store.add_message(made.id, None, Role.USER, "Q")
    assert not question.pinned
    for pinned in (True, False):
        store.set_pinned(question.id, pinned)
        assert store.get(made.id).messages[0].pinned is pinned
    with pytest.raises(NotFound):
        store.set_pinned("none", True)


def test_whether_a_conversation_wants_a_title(store: ConversationStore) -> None:
    made = store.create()
    assert store.untitled_question(made.id) is None
    question = store.add_message(made.id, None, Role.USER, "First?")
    store.add_message(made.id, question.id, Role.USER, "Second?")
    assert store.untitled_question(made.id) == "First?"
    store.add_message(made.id, None, Role.USER, "First, in other words?")
    assert store.untitled_question(made.id) == "First, in other words?"
    store.rename(made.id, "About firsts", TitleSource.MODEL)
    assert store.untitled_question(made.id) is None
    with pytest.raises(NotFound):
        store.untitled_question("none")


def asked(store: ConversationStore, title: str) -> tuple[str, str]:
    """A conversation of one question and one answer; its id, and the answer's."""
    made = store.create(title=title)
    question = store.add_message(made.id, None, Role.USER, "Q")
    answer = store.add_message(
        made.id, question.id, Role.ASSISTANT, "A", answer=AnswerRecord(model_name="Tiny")
    )
    return made.id, answer.id


def test_ratings_and_marks_are_set_and_taken_back(store: ConversationStore) -> None:
    conversation_id, answer_id = asked(store, "Tea")
    before = store.get(conversation_id)
    store.set_rating(answer_id, Rating.DOWN)
    store.set_mark(answer_id, Mark.INCLUDE)
    store.set_conversation_mark(conversation_id, Mark.EXCLUDE)
    marked = store.get(conversation_id)
    answer = marked.by_id[answer_id]
    assert (answer.rating, answer.mark, marked.mark) == (Rating.DOWN, Mark.INCLUDE, Mark.EXCLUDE)
    assert marked.updated == before.updated  # the sidebar keeps its order
    store.set_rating(answer_id, None)
    store.set_mark(answer_id, None)
    store.set_conversation_mark(conversation_id, None)
    assert store.get(conversation_id) == before


@pytest.mark.parametrize("adapter", ["a000000000000001", "", None])
def test_a_conversation_keeps_its_choice_of_adapter(
    store: ConversationStore, adapter: str | None
) -> None:
    made = store.create()
    store.set_adapter(made.id, "another")
    store.set_adapter(made.id, adapter)
    assert store.get(made.id) == replace(made, adapter=adapter)


def test_a_correction_stands_beside_the_answer_it_corrects(store: ConversationStore) -> None:
    conversation_id, answer_id = asked(store, "Tea")
    correction = store.add_correction(answer_id, "Better. 更好")
    talk = store.get(conversation_id)
    assert texts(talk) == ["Q", "Better. 更好"]
    assert talk.siblings(answer_id) == (talk.by_id[answer_id], correction)
    assert (correction.role, correction.state) == (Role.ASSISTANT, MessageState.COMPLETE)
    assert (correction.corrects, correction.answer) == (answer_id, None)
    again = store.add_correction(correction.id, "Best.")
    assert again.corrects == answer_id
    assert again.parent_id == correction.parent_id
    with pytest.raises(ValueError, match="answer"):
        store.add_correction(talk.path()[0].id, "My question.")


def test_what_may_be_learned_from(store: ConversationStore) -> None:
    names = ["plain", "rated", "marked", "corrected", "whole", "again", "excluded", "trashed"]
    talks = {name: asked(store, name) for name in names}
    store.set_rating(talks["rated"][1], Rating.UP)
    store.set_mark(talks["marked"][1], Mark.INCLUDE)
    store.add_correction(talks["corrected"][1], "Better.")
    store.set_conversation_mark(talks["whole"][0], Mark.INCLUDE)
    question = store.get(talks["again"][0]).path()[0].id
    store.add_message(talks["again"][0], question, Role.ASSISTANT, "Another.")
    store.set_rating(talks["excluded"][1], Rating.UP)
    store.set_conversation_mark(talks["excluded"][0], Mark.EXCLUDE)
    store.set_rating(talks["trashed"][1], Rating.UP)
    store.delete(talks["trashed"][0])
    by_hand = list(store.learnable(everything=False))
    assert [talk.title for talk in by_hand] == ["rated", "marked", "corrected", "whole", "again"]
    assert by_hand == [store.get(talk.id) for talk in by_hand]  # whole, with their messages
    everything = store.learnable(everything=True)
    assert [talk.title for talk in everything] == names[:6]


def test_learnable_conversations_are_read_one_by_one_and_found_by_an_index(
    store: ConversationStore, database: Database
) -> None:
    for number in range(3):
        store.set_rating(asked(store, f"{number}")[1], Rating.UP)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = store.learnable(everything=False)
        assert next(found).title == "0"
        query, *of_the_first = (line for line in statements if line.startswith("SELECT"))
        assert len(of_the_first) == 3  # the conversation, its messages, parts that are no words
        store.delete(next(found).id)  # writing meanwhile changes nothing
        assert next(found).title == "2"
        assert next(found, None) is None
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [talk.title for talk in store.learnable(everything=False)] == ["0", "2"]
    with database.reading() as connection:
        values = ("exclude", "include", "assistant", 1)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
        steps = " ".join(step[3] for step in plan)
    assert "ix_messages_touched" in steps
