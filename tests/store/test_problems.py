"""What the person sees when the disk or the file fails, and that nothing is lost."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chatdesk.core.chat import Message, MessageState, Role
from chatdesk.core.errors import NotWritable, StoreProblem
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.problems import store_problems
from tests.small_disk import fill, read_only, small_disk
from tests.store.conftest import child, printed


def pragma(database: Database, setting: str) -> None:
    """Set something on the connection of this thread (the pool has no other)."""
    with database.reading() as connection:
        connection.execute(text(f"PRAGMA {setting}"))


def streaming(store: ConversationStore) -> Message:
    conversation = store.create()
    return store.add_message(
        conversation.id, None, Role.ASSISTANT, "saved", state=MessageState.STREAMING
    )


def text_of(store: ConversationStore, message: Message) -> str:
    return store.get(message.conversation_id).messages[0].text


def assert_sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_full_database_keeps_what_it_has_and_takes_more_later(
    database: Database, store: ConversationStore, path: Path
) -> None:
    answer = streaming(store)
    pragma(database, "max_page_count=1")  # the present size: not one page more
    with pytest.raises(StoreProblem, match="full"):
        store.write_text(answer.id, "long " * 10_000)
    assert text_of(store, answer) == "saved"
    pragma(database, "max_page_count=100000")
    store.write_text(answer.id, "long " * 10_000)
    assert text_of(store, answer) == "long " * 10_000
    assert_sound(path)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 1) as disk:
        yield disk


def test_a_full_disk_keeps_what_it_has_and_takes_more_later(tiny_disk: Path) -> None:
    path = tiny_disk / "chatdesk.db"
    database = Database.open(path)
    store = ConversationStore(database)
    answer = streaming(store)
    ballast = fill(tiny_disk)
    with pytest.raises(StoreProblem, match="full"):
        store.write_text(answer.id, "long " * 10_000)
    with pytest.raises(StoreProblem, match="full"):
        Database.open(tiny_disk / "another.db")
    assert text_of(store, answer) == "saved"
    ballast.unlink()
    store.write_text(answer.id, "long " * 10_000)
    assert text_of(store, answer) == "long " * 10_000
    database.close()
    assert_sound(path)


def left_by(path: Path, *, killed: bool) -> Message:
    """A database and its answer, as a process left them."""
    journal = path.with_name("chatdesk.db-wal")
    database = Database.open(path)
    answer = streaming(ConversationStore(database))
    pages, log = path.read_bytes(), journal.read_bytes()
    database.close()
    if killed:  # what was written last is in the journal only
        path.write_bytes(pages)
        journal.write_bytes(log)
    return answer


@pytest.mark.parametrize("killed", [False, True])
def test_a_read_only_disk_is_read_and_written_again_once_that_is_allowed(
    tiny_disk: Path, killed: bool
) -> None:
    path = tiny_disk / "chatdesk.db"
    answer = left_by(path, killed=killed)
    with read_only(tiny_disk):
        database = Database.open(path)
        store = ConversationStore(database)
        assert text_of(store, answer) == "saved"
        with pytest.raises(NotWritable, match="read-only"):
            store.write_text(answer.id, "more")
        assert text_of(store, answer) == "saved"
    store.write_text(answer.id, "more")
    assert text_of(store, answer) == "more"
    database.close()
    assert_sound(path)


@pytest.mark.parametrize("killed", [False, True])
def test_a_full_disk_is_read_and_written_again_once_there_is_room(
    tiny_disk: Path, killed: bool
) -> None:
    path = tiny_disk / "chatdesk.db"
    answer = left_by(path, killed=killed)
    ballast = fill(tiny_disk)
    database = Database.open(path)
    store = ConversationStore(database)
    assert text_of(store, answer) == "saved"
    with pytest.raises(StoreProblem, match="full"):
        store.write_text(answer.id, "long " * 10_000)
    assert text_of(store, answer) == "saved"
    ballast.unlink()
    store.write_text(answer.id, "long " * 10_000)
    assert text_of(store, answer) == "long " * 10_000
    database.close()
    assert_sound(path)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_file_one_may_only_read_is_read_and_reported() -> None:
    # Not tmp_path: another user may not pass through its private parents.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chatdesk.db"
        database = Database.open(path)
        store = ConversationStore(database)
        conversation = store.get(streaming(store).conversation_id)
        database.close()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        with child("stranger", path, conversation.id) as process:
            assert printed(process) == "1"
            assert "read-only" in printed(process)
        path.parent.chmod(0o777)
        with child("stranger", path, conversation.id) as process:
            assert printed(process) == "1"
            assert "read-only" in printed(process)
        path.parent.chmod(0o700)
        path.chmod(0o600)
        again = Database.open(path)
        assert ConversationStore(again).get(conversation.id) == conversation
        again.close()
        assert_sound(path)


def test_writing_to_what_became_read_only_can_be_retried(
    database: Database, store: ConversationStore
) -> None:
    answer = streaming(store)
    pragma(database, "query_only=ON")
    with pytest.raises(StoreProblem, match="read-only"):
        store.write_text(answer.id, "more")
    assert text_of(store, answer) == "saved"
    pragma(database, "query_only=OFF")
    store.write_text(answer.id, "more")
    assert text_of(store, answer) == "more"


def test_a_database_locked_for_long_is_in_use(
    database: Database, store: ConversationStore, path: Path
) -> None:
    answer = streaming(store)
    pragma(database, "busy_timeout=20")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreProblem, match="in use"):
            store.write_text(answer.id, "more")
        assert text_of(store, answer) == "saved"
    store.write_text(answer.id, "more")
    assert text_of(store, answer) == "more"


def test_damage_found_while_reading_is_reported(path: Path) -> None:
    database = Database.open(path)
    store = ConversationStore(database)
    conversation = store.create()
    for _ in range(50):
        store.add_message(conversation.id, None, Role.USER, "words " * 1000)
    database.close()
    with path.open("r+b") as file:
        file.seek(4096 * 60)  # behind the first page of every table
        file.write(b"\xa5" * 4096 * 30)
    database = Database.open(path)
    with pytest.raises(StoreProblem, match="damaged"):
        ConversationStore(database).get(conversation.id)
    database.close()


@pytest.mark.parametrize(
    "harm",
    [
        "ALTER TABLE conversations RENAME COLUMN title TO tit1e",
        "ALTER TABLE messages RENAME TO messagez",
        "UPDATE conversations SET title = CAST(X'61FF62' AS TEXT)",
    ],
)
def test_damage_that_sqlite_takes_for_content_is_damage(path: Path, harm: str) -> None:
    database = Database.open(path)
    conversation = ConversationStore(database).create()
    database.close()
    with closing(sqlite3.connect(path)) as file:
        file.execute(harm)
        file.commit()
    database = Database.open(path)
    with pytest.raises(StoreProblem, match="damaged"):
        ConversationStore(database).get(conversation.id)
    database.close()


def test_bugs_pass_through_and_say_nothing_of_what_was_written(database: Database) -> None:
    with pytest.raises(DBAPIError) as bug:
        with database.writing() as connection:
            connection.execute(text("INSERT INTO nowhere VALUES (:words)"), {"words": "my secret"})
    assert "my secret" not in str(bug.value)
    with pytest.raises(ZeroDivisionError), store_problems(database.path):
        raise ZeroDivisionError
