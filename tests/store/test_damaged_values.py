"""Whatever a damaged file holds in its columns is shown or told as damage, never as a bug."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.errors import NotFound, StoreProblem
from chatdesk.store.column_types import UtcTime
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.schema import REVISION
from chatdesk.store.tables import metadata
from tests.faults.databases import read_all
from tests.store.conftest import stored

NONSENSE: tuple[Any, ...] = (
    "x",
    -1,
    b"\xff",
    "[]",
    "{}",
    "[" * 5000,
    '{"message": "{n}", "many": "{n} or", "values": {"n": "x"}}',
    '{"message": "{x", "values": {"x": [1]}}',
    '{"message": "{x.y} {x:d} {0}", "values": {"x": "1"}}',
)
TYPED = {"conversations", "messages", "answers", "message_parts", "models", "adapters", "downloads"}


def read(path: Path) -> None:
    database = Database.open(path)
    try:
        read_all(database)
    finally:
        database.close()


@pytest.mark.parametrize("table", [*metadata.tables])
def test_nonsense_in_a_column_is_shown_or_told_as_damage(path: Path, table: str) -> None:
    stored(path, REVISION)
    read(path)
    sound, told = path.read_bytes(), 0
    for column in metadata.tables[table].columns:
        for value in NONSENSE:
            path.write_bytes(sound)
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA ignore_check_constraints=ON")
                change = f"UPDATE OR REPLACE {table} SET {column.name} = ?"
                with suppress(sqlite3.IntegrityError):  # SQLite itself sees that it is nonsense
                    connection.execute(change, (value,))
                connection.commit()
            try:
                read(path)
            except (StoreProblem, NotFound) as problem:
                assert isinstance(problem, NotFound) or "damaged" in problem.what
                told += 1
    assert told or table not in TYPED


def test_a_bug_in_reading_a_value_is_not_told_as_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(path, REVISION)
    empty: dict[str, str] = {}
    monkeypatch.setattr(UtcTime, "process_result_value", lambda *_: empty["bug"])
    database = Database.open(path)
    with pytest.raises(KeyError, match="bug"):
        ConversationStore(database).list()
    database.close()
