"""Damaged databases, and journals cut off: what can be read is read, the rest is told."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from chatdesk.core.chat import Role
from chatdesk.core.errors import NotFound, StoreProblem
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from chatdesk.store.models import ModelStore
from chatdesk.store.schema import REVISION
from tests.faults.damage import damaged
from tests.faults.tried import Tried
from tests.store.conftest import stored

_CHATS, _TURNS = 12, 8
_WAL_HEADER, _FRAME = 32, 24 + 4096  # bytes: https://www.sqlite.org/fileformat2.html#walformat


def sound_database(path: Path) -> list[str]:
    """Write a database of some chats; the texts in it, in the order in which they were stored."""
    database = Database.open(path)
    store = ConversationStore(database)
    texts = []
    for chat in range(_CHATS):
        conversation, parent = store.create(), None
        for turn in range(_TURNS):
            role = Role.ASSISTANT if turn % 2 else Role.USER
            texts.append(f"chat {chat} turn {turn} " + "word " * 40)
            parent = store.add_message(conversation.id, parent, role, texts[-1]).id
    database.close()
    return texts


def try_databases(folder: Path, count: int, seed: int = 5) -> Tried:
    """Read everything in damaged databases and write to them: one of chats, and one of all else."""
    chats, others = folder / "chats.db", folder / "others.db"
    sound_database(chats)
    stored(others, REVISION)
    sound, tried = (chats.read_bytes(), others.read_bytes()), Tried()
    for number in range(count):
        file = folder / f"damaged-{number}.db"
        file.write_bytes(damaged(sound[number % 2], random.Random(seed + number)))
        tried.attempt(f"database {number}", partial(_is_read, file), (StoreProblem, NotFound))
        for left in folder.glob(f"{file.name}*"):
            left.unlink()
    return tried


def _is_read(file: Path) -> bool:
    return bool(_use(file))


def read_all(database: Database) -> set[str]:
    """Read all that there is; the texts of chats."""
    store, models = ConversationStore(database), ModelStore(database)
    listed = (*store.list(), *store.list(deleted=True))
    found = {message.text for each in listed for message in store.get(each.id).messages}
    list(store.learnable(everything=True))
    AdapterStore(database).list()
    DownloadStore(database).list()
    models.list()
    models.known()
    return found


def _use(file: Path) -> set[str]:
    """Read everything, and write one chat more; the texts that were read."""
    database = Database.open(file)
    try:
        store = ConversationStore(database)
        store.recover()
        found = read_all(database)
        store.add_message(store.create().id, None, Role.USER, "one more")
        return found
    finally:
        database.close()


def try_cut_journals(folder: Path, every: int = 1) -> Tried:
    """Cut the write-ahead log after each `every`-th page, and in the middle of it.

    What was stored before stays readable, in order: the texts are the first so many of all.
    """
    made = folder / "whole.db"
    journal = made.with_name("whole.db-wal")
    tried = Tried()
    Database.open(made).close()
    with closing(sqlite3.connect(made)) as reader:  # or the last to close empties the journal
        reader.execute("SELECT count(*) FROM messages").fetchall()
        texts = sound_database(made)
        pages, log = made.read_bytes(), journal.read_bytes()
    for end in _cuts(len(log), every):
        file = folder / "cut.db"
        file.write_bytes(pages)
        file.with_name("cut.db-wal").write_bytes(log[:end])
        tried.attempt(f"journal of {end} bytes", partial(_is_prefix, file, texts))
        for left in folder.glob("cut.db*"):
            left.unlink()
    return tried


def _cuts(size: int, every: int) -> Iterator[int]:
    for start in range(_WAL_HEADER, size + 1, every * _FRAME):
        yield start
        yield min(size, start + _FRAME // 2)


def _is_prefix(file: Path, texts: list[str]) -> bool:
    found = _use(file) - {"one more"}
    assert found == set(texts[: len(found)]), "a text is lost before others"
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return True
