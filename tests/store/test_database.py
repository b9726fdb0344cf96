"""Opening what may be opened; refusing the rest, untouched."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from chatdesk.core.chat import Role
from chatdesk.core.errors import StoreProblem, StoreTooNew
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from tests.store.conftest import ROOT, child, go_on, printed, stored


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder, with the hash of its bytes."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.is_file()
    }


def make_newer(path: Path) -> None:
    Database.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def make_foreign(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def make_text(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("Dear diary, " * 1000)


def make_cut_short(path: Path) -> None:
    Database.open(path).close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def make_scrambled(path: Path) -> None:
    Database.open(path).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xa5" * 4000)


def test_a_new_database_is_private_and_leaves_one_file(path: Path) -> None:
    Database.open(path).close()
    assert list(contents(path.parent)) == ["chatdesk.db"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    database = Database.open(path)
    ConversationStore(database).create()  # must not raise
    database.close()


def test_the_settings_of_every_connection(database: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with database.reading() as connection:
        got = {name: connection.scalar(text(f"PRAGMA {name}")) for name in wanted}
    assert got == wanted


@pytest.mark.parametrize(
    ("make", "problem", "sentence"),
    [
        (make_newer, StoreTooNew, "newer version"),
        (make_foreign, StoreProblem, "another program"),
        (make_text, StoreProblem, "not a database"),
        (make_cut_short, StoreProblem, "damaged"),
        (make_scrambled, StoreProblem, "damaged"),
    ],
)
def test_what_cannot_be_opened_is_refused_untouched(
    path: Path, make: Callable[[Path], None], problem: type[StoreProblem], sentence: str
) -> None:
    make(path)
    before = contents(path.parent)
    with pytest.raises(StoreProblem, match=sentence) as refused:
        Database.open(path)
    assert type(refused.value) is problem
    assert str(path) in refused.value.what
    assert refused.value.todo
    assert contents(path.parent) == before


def test_a_newer_version_is_noticed_while_it_runs(path: Path) -> None:
    Database.open(path).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA wal_autocheckpoint=0")
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()  # so far in the -wal only
        before = contents(path.parent)
        with pytest.raises(StoreTooNew):
            Database.open(path)
        after = contents(path.parent)
    shm = "chatdesk.db-shm"  # the readers' shared memory, not data
    assert before.keys() == after.keys()
    assert all(after[name] == before[name] for name in before if name != shm)


def test_a_folder_in_its_place(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreProblem, match="not a file"):
        Database.open(path)


def test_a_file_where_its_folder_should_be(path: Path) -> None:
    path.parent.touch()
    with pytest.raises(StoreProblem, match="cannot be opened"):
        Database.open(path)


def test_threads_share_a_database(database: Database) -> None:
    store = ConversationStore(database)
    conversations = [store.create() for _ in range(8)]
    failures: list[BaseException] = []

    def talk(conversation_id: str) -> None:
        try:
            parent = None
            for number in range(25):
                parent = store.add_message(conversation_id, parent, Role.USER, f"{number}").id
                store.list()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=talk, args=(made.id,)) for made in conversations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for made in conversations:
        assert [message.text for message in store.get(made.id).path()] == [*map(str, range(25))]


def test_processes_create_and_write_at_once(path: Path) -> None:
    with child("write", path, "100") as one, child("write", path, "100") as other:
        processes = (one, other)
        assert [printed(process) for process in processes] == ["ready", "ready"]
        for process in processes:
            go_on(process)
        made = [printed(process) for process in processes]
    database = Database.open(path)
    store = ConversationStore(database)
    assert {line.id: line.messages for line in store.list()} == dict.fromkeys(made, 100)
    database.close()


def test_opening_waits_for_a_reader_of_a_database_not_yet_in_wal(path: Path) -> None:
    stored(path, "0001")
    opening = threading.Thread(target=lambda: Database.open(path).close())
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()
        opening.start()
        opening.join(0.1)
        assert opening.is_alive()
    opening.join()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_alembic_and_the_orm_are_not_imported_to_make_or_open_a_database(path: Path) -> None:
    # In a fresh process: this one has long imported it.
    script = (
        "import sys; from pathlib import Path; from chatdesk.store.database import Database\n"
        f"for _ in range(2): Database.open(Path({str(path)!r})).close()\n"
        "sys.exit(bool({'alembic', 'sqlalchemy.orm'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
