"""Copies of a database file: made while it is in use, and checked."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.errors import StoreProblem
from chatdesk.core.i18n import tr
from chatdesk.store import schema
from chatdesk.store.problems import damaged, store_problems


@dataclass(frozen=True, slots=True)
class CheckedCopy:
    """What a copy holds: its `revision`, and what is not in the trash."""

    revision: str
    conversations: int
    messages: int


def copy_database(path: Path, target: Path) -> None:
    """Copy a database, also one that is being written, to a new file. Raises `StoreProblem`."""
    with store_problems(path), closing(sqlite3.connect(path)) as source:
        target.touch(mode=0o600)
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, to be moved as one


def check_copy(path: Path) -> CheckedCopy:
    """Open a copy and read through it. Raises `StoreProblem`, also for a newer ChatDesk's."""
    with store_problems(path):
        revision = schema.check(path)
        if revision is None:
            raise damaged(path)
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise damaged(path)
            counts = copy.execute(
                "SELECT count(DISTINCT conversations.id), count(messages.id) FROM conversations "
                "LEFT JOIN messages ON messages.conversation_id = conversations.id "
                "WHERE conversations.deleted IS NULL"
            ).fetchone()
    return CheckedCopy(revision, *counts)


def check_alone(path: Path) -> None:
    """Raise `StoreProblem` while another process has the database open."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            # Only a single process can leave WAL: https://sqlite.org/wal.html
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise StoreProblem(
                tr("ChatDesk is open and uses the database."), tr("Close it, then try again.")
            ) from error
    except sqlite3.DatabaseError:
        return  # it is damaged: that is why a backup takes its place
