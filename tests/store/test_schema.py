"""Migrations: one truth with the tables, a backup before, all or nothing."""

import os
import re
import shutil
import sqlite3
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from chatdesk.core.chat import Mark, MessageState, Rating, Role, TitleSource
from chatdesk.core.downloads import DownloadState
from chatdesk.core.errors import StoreProblem
from chatdesk.core.model_files import ModelNotes
from chatdesk.core.personalization import AdapterState, Withdrawn
from chatdesk.core.sampling import SamplingParams
from chatdesk.store import schema
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from chatdesk.store.models import ModelStore
from chatdesk.store.projects import ProjectStore
from chatdesk.store.schema import REVISION
from chatdesk.store.tables import metadata
from tests.small_disk import fill, small_disk
from tests.store.conftest import child, go_on, printed, stored, stored_revisions

MODEL = "smollm2-135m-instruct-q4_1"
NEXT_REVISION = "9999"
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade():
    with op.batch_alter_table("conversations", recreate="always") as table:
        table.add_column(sa.Column("colour", sa.Boolean, nullable=False, server_default="0"))
    {more}
"""


def pretend_next(monkeypatch: pytest.MonkeyPatch, folder: Path, more: str = "pass") -> None:
    """Make this program one revision newer than it is."""
    scripts = folder / "100% newer"  # a folder's name is not a format
    shutil.copytree(schema.MIGRATIONS, scripts)
    text = NEXT.format(revision=NEXT_REVISION, before=schema.REVISION, more=more)
    (scripts / "versions" / f"{NEXT_REVISION}_next.py").write_text(text)
    monkeypatch.setattr(schema, "MIGRATIONS", scripts)
    monkeypatch.setattr(schema, "REVISION", NEXT_REVISION)


def definitions(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: normal(sql) for name, sql in rows}


def normal(sql: str) -> str:
    """Return the columns in their order, then the constraints, whose order has no meaning."""
    head, _, rest = re.sub(r"\s*\)$", "", sql).replace('"', "").partition("(")
    parts = ["".join(part.split()) for part in re.split(r",\s*\n", rest)]
    in_order = sorted(parts, key=lambda part: part if part.startswith("CONSTRAINT") else "")
    return f"{head.strip()}({','.join(in_order)})"


def is_declared(name: str | None, *_: object) -> bool:
    """False for the tables that SQLite makes for the search index."""
    return not (name or "").startswith("search_index")


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def version(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found)


def test_migrations_end_at_exactly_the_tables(tmp_path: Path) -> None:
    migrated = tmp_path / "migrated.db"
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS).replace("%", "%%"))
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        context = MigrationContext.configure(connection, opts={"include_name": is_declared})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    assert ScriptDirectory.from_config(config).get_heads() == [schema.REVISION]
    made = tmp_path / "made.db"
    Database.open(made).close()
    assert definitions(made) == definitions(migrated)


def test_a_database_of_the_first_version_is_read(path: Path) -> None:
    stored(path, "0001")
    database = Database.open(path)
    store = ConversationStore(database)
    assert store.recover() == 1
    (line,) = store.list()
    assert (line.title, line.title_source, line.messages) == ("About tea", TitleSource.MODEL, 3)
    conversation = store.get(line.id)
    question, answer = conversation.path()
    assert (question.role, question.text) == (Role.USER, "What is tea? 茶是什么？")
    assert (answer.text, answer.state) == ("A leaf, and", MessageState.INTERRUPTED)
    record = conversation.siblings(answer.id)[0].answer
    assert record is not None
    assert (record.sampling.seed, record.sampling.stop, record.ttft_s) == (7, ("END",), 0.125)
    (model,) = ModelStore(database).list()
    assert (record.model_id, model.header.layers) == (model.id, 30)
    assert [line.title for line in store.list(deleted=True)] == ["Thrown away"]
    assert (answer.thinking, record.thinking_s, question.pinned) == ("", None, False)
    store.set_pinned(question.id, True)
    store.write_text(answer.id, "A leaf", MessageState.STOPPED, thinking="Hm.")
    changed = store.get(line.id)
    assert changed.by_id[question.id].pinned
    assert changed.by_id[answer.id].thinking == "Hm."
    database.close()


def test_a_database_of_the_second_version_is_read(path: Path) -> None:
    stored(path, "0002")
    database = Database.open(path)
    question, answer = ConversationStore(database).get("c000000000000001").path()
    database.close()
    assert (question.pinned, answer.pinned) == (True, False)
    assert answer.answer is not None
    assert (answer.thinking, answer.answer.thinking_s) == ("A drink, or a meal? 茶", 1.5)
    assert (answer.rating, answer.mark, answer.corrects) == (None, None, None)
    assert (answer.answer.drafted, answer.answer.accepted) == (None, None)


def test_a_database_of_the_third_version_is_read(path: Path) -> None:
    stored(path, "0003")
    database = Database.open(path)
    conversation = ConversationStore(database).get("c000000000000001")
    trashed = ConversationStore(database).get("c000000000000002")
    store = AdapterStore(database)
    assert store.interrupt_dead() == 1
    unfinished, adapter = store.list()
    sources = store.sources(adapter.id)
    active = store.active(MODEL)
    withdrawn = store.withdrawn(adapter.id)
    database.close()
    _, correction = conversation.path()
    assert (correction.text, correction.answer) == ("A leaf, and what is drawn from it. 茶", None)
    rated, corrected, _ = conversation.siblings(correction.id)
    assert (rated.rating, correction.corrects) == (Rating.UP, corrected.id)
    assert rated.answer is not None
    assert (rated.answer.drafted, rated.answer.accepted) == (12, 9)
    assert (conversation.mark, conversation.adapter) == (Mark.INCLUDE, adapter.id)
    assert trashed.messages[0].mark is Mark.EXCLUDE
    assert unfinished.state is AdapterState.INTERRUPTED
    assert (adapter.state, adapter.config.targets) == (
        AdapterState.PROMOTED,
        ("attn_q", "attn_v"),
    )
    assert adapter.scorecard is not None
    assert adapter.scorecard.reasons[0].values["high"] == -0.8
    assert adapter.scorecard.samples[0].after == "A leaf. 茶"
    assert (adapter.scorecard.heldout, adapter.scorecard.finished) == ((), None)
    assert (adapter.losses[-1].validation, active) == (2.0, adapter)
    assert [source.is_file for source in sources] == [False, True]
    assert withdrawn == Withdrawn(0, 0)


def test_a_database_of_the_fourth_version_is_read(path: Path) -> None:
    stored(path, "0004")
    database = Database.open(path)
    store = DownloadStore(database)
    unfinished, done = store.list()
    taken = store.take_over()
    notes = ModelStore(database).notes(MODEL)
    database.close()
    assert (unfinished.repo, len(unfinished.files)) == ("owner/tea-GGUF", 2)
    assert (unfinished.received, unfinished.bytes) == (1500, 2000)
    assert (done.state, done.path, done.files[0].sha256) == (
        DownloadState.DONE,
        "/models/茶.gguf",
        "ef" * 32,
    )
    assert [each.id for each in taken] == [unfinished.id]  # its owner was killed
    assert notes == ModelNotes()


def test_a_database_of_the_fifth_version_is_read(path: Path) -> None:
    stored(path, "0005")
    database = Database.open(path)
    notes = ModelStore(database).notes(MODEL)
    database.close()
    assert (notes.title, notes.favourite, notes.tags) == ("Little one", True, ("small", "茶"))
    assert (notes.used_bytes, notes.used_context) == (290_000_000, 8192)
    assert notes.sampling == SamplingParams(temperature=0.5, seed=7)


def test_a_database_of_the_ninth_version_is_read(path: Path) -> None:
    stored(path, "0009")
    database = Database.open(path)
    (found,) = ProjectStore(database).list()
    conversation = ConversationStore(database).get("c000000000000001")
    database.close()
    assert (found.project.name, found.project.colour, found.conversations) == ("Tea 茶", "green", 1)
    assert conversation.project_id == found.project.id
    assert (conversation.pinned, conversation.archived) == (True, True)


def test_there_is_a_database_of_every_revision() -> None:
    scripts = (schema.MIGRATIONS / "versions").glob("*.py")
    assert stored_revisions() == sorted(script.name[:4] for script in scripts)


@pytest.mark.parametrize("revision", [each for each in stored_revisions() if each < REVISION])
def test_an_update_keeps_a_backup_of_the_very_same_content(path: Path, revision: str) -> None:
    stored(path, revision)
    before = dump(path)
    Database.open(path).close()
    backup = path.with_name(f"chatdesk.db.backup-{revision}")
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, backup.name]
    assert (version(backup), version(path)) == (revision, schema.REVISION)
    assert dump(backup) == before
    made = path.with_name("made.db")
    Database.open(made).close()
    assert definitions(path) == definitions(made)
    Database.open(path).close()  # the next start finds nothing to do
    assert dump(backup) == before


def test_an_older_database_is_backed_up_and_migrated(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(path, "0003")
    old, revision = Database.open(path), schema.REVISION
    before = ConversationStore(old).get("c000000000000001")
    old.close()
    path.with_name("chatdesk.db.backup-0003").unlink(missing_ok=True)  # of this opening
    pretend_next(monkeypatch, tmp_path)
    database = Database.open(path)
    assert ConversationStore(database).get(before.id) == before  # its messages too
    with database.reading() as connection:
        (foreign_keys,) = connection.exec_driver_sql("PRAGMA foreign_keys").one()
    assert foreign_keys == 1
    database.close()
    assert version(path) == NEXT_REVISION
    assert "colour" in definitions(path)["conversations"]

    backup = path.with_name(f"chatdesk.db.backup-{revision}")
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, backup.name]
    if sys.platform != "win32":
        assert backup.stat().st_mode & 0o777 == 0o600
    assert version(backup) == revision
    monkeypatch.undo()
    restored = Database.open(backup)
    assert ConversationStore(restored).get(before.id) == before
    restored.close()


def test_an_older_one_that_runs_keeps_its_tables(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.store.database.ALONE_WITHIN_S", 0.2)
    stored(path, "0004")
    with closing(sqlite3.connect(path)) as older:
        older.execute("PRAGMA journal_mode=WAL")
        older.execute("UPDATE conversations SET title = 'of now'")
        older.commit()
        before = dump(path)
        with pytest.raises(StoreProblem, match="An older ChatDesk is running") as refused:
            Database.open(path)
        assert refused.value.todo.startswith("Close it")
        assert dump(path) == before
        older.execute("UPDATE conversations SET title = 'of later'")  # it is not disturbed
        older.commit()
    database = Database.open(path)
    assert {line.title for line in ConversationStore(database).list()} == {"of later"}
    database.close()


def test_two_that_start_at_once_migrate_once(path: Path) -> None:
    stored(path, "0001")
    with ExitStack() as running:
        children = [running.enter_context(child("write", path, "3")) for _ in range(3)]
        assert [printed(each) for each in children] == ["ready"] * 3
        for each in children:
            go_on(each)
        assert all(map(printed, children))  # the new conversation's id
    assert len(list(path.parent.glob("*.backup-*"))) == 1
    database = Database.open(path)
    assert sum(line.messages == 3 for line in ConversationStore(database).list()) == 4
    database.close()


@pytest.mark.parametrize(
    ("more", "failure"),
    [
        ("op.execute('DROP TABLE answers'); op.execute('nonsense')", Exception),
        ("op.execute('DELETE FROM models')", RuntimeError),  # answers refer to them
    ],
)
def test_a_failed_migration_changes_nothing(
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: str,
    failure: type[Exception],
) -> None:
    stored(path, "0001")
    before = definitions(path)
    pretend_next(monkeypatch, tmp_path, more)
    with pytest.raises(failure):
        Database.open(path)
    assert definitions(path) == before
    assert version(path) == "0001"
    monkeypatch.undo()
    database = Database.open(path)
    assert len(ConversationStore(database).list()) == 1
    database.close()


def test_no_backup_no_migration(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(path, "0001")
    path.with_name("chatdesk.db.backup-0001").mkdir()  # in the way
    pretend_next(monkeypatch, tmp_path)
    with pytest.raises(StoreProblem):
        Database.open(path)
    assert version(path) == "0001"
    assert not list(path.parent.glob("*.part"))


@pytest.mark.parametrize("delay_s", [0.03, 0.1, 0.2, 0.3])
def test_one_that_is_killed_while_it_migrates_loses_nothing(path: Path, delay_s: float) -> None:
    stored(path, "0001")
    words = "SELECT id, text FROM messages ORDER BY id"
    with closing(sqlite3.connect(path)) as connection:
        expected = connection.execute(words).fetchall()
    with child("migrate", path) as process:
        assert printed(process) == "ready"
        time.sleep(delay_s)
        process.kill()
    Database.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute(words).fetchall() == expected
    assert version(path) == REVISION
    left = {each.name for each in path.parent.iterdir()}
    assert left <= {path.name, f"{path.name}.backup-0001"}


def test_a_disk_that_fills_while_it_migrates_changes_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2) as disk:
        path, refused = disk / "chatdesk.db", 0
        stored(path, "0001")
        before = dump(path)
        for room in range(0, 800_000, 40_000):
            ballast = fill(disk)
            os.truncate(ballast, max(0, ballast.stat().st_size - room))
            try:
                Database.open(path).close()
            except StoreProblem as problem:
                refused += 1
                assert problem.what == f"The disk with the database {path} is full."
                assert dump(path) == before
                left = {each.name for each in disk.iterdir()} - {ballast.name}
                assert left <= {path.name, f"{path.name}.backup-0001"}
                ballast.unlink()
            else:
                break
        assert refused > 3
        assert version(path) == REVISION
        assert dump(path.with_name("chatdesk.db.backup-0001")) == before


def test_the_last_three_backups_are_kept(path: Path) -> None:
    stored(path, "0001")
    for revision in ("0003", "0004", "0005", "0006", "0002"):  # 0002: an old one was put back
        schema.back_up(path, revision)
    kept = sorted(file.name.rpartition("-")[2] for file in path.parent.glob("*.backup-*"))
    assert kept == ["0002", "0005", "0006"]
