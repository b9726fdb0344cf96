"""A real database in a temporary folder, and real processes that use it as well."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore

ROOT = Path(__file__).parents[2]
FILES = ROOT / "tests" / "_files"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chatdesk.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database.open(path)
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> ConversationStore:
    return ConversationStore(database)


@pytest.fixture
def models(database: Database) -> ModelStore:
    return ModelStore(database)


def stored(path: Path, revision: str) -> None:
    """Make the stored database of an old revision."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FILES / f"store_{revision}.sql").read_text("utf-8"))


def stored_revisions() -> list[str]:
    """Return the revisions of which there is a stored database."""
    return sorted(file.stem.removeprefix("store_") for file in FILES.glob("store_*.sql"))


def child(task: str, path: Path, *words: str) -> subprocess.Popen[str]:
    """Start a function of `tests.store.child` in its own process; use it in a `with`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.child", task, str(path), *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def printed(process: subprocess.Popen[str]) -> str:
    """Wait for the next line of a child and return it."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def go_on(process: subprocess.Popen[str]) -> None:
    """Let a child that waits for a line go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
