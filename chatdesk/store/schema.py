"""The revision of a database file: read it, make a new file, migrate an old one.

The tables of `tables.py` are the truth. A new database is made from them directly, without Alembic
(its import takes a fifth of a second); a test proves that the migrations give exactly the same
schema.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from chatdesk.core.errors import StoreProblem, StoreTooNew
from chatdesk.core.files import whole_file
from chatdesk.core.i18n import tr
from chatdesk.store.tables import metadata

REVISION = "0009"  # the newest of migrations/versions; they sort as text
MIGRATIONS = Path(__file__).parent / "migrations"  # also right in a frozen app
BACKUPS_KEPT = 3


def check(path: Path) -> str | None:
    """Return the revision of the database file, None without a file. Never writes.

    Raises `StoreTooNew` or `StoreProblem` for a file that we must not open, and `sqlite3.Error`.
    """
    if path.exists() and not path.is_file():
        raise StoreProblem(
            tr("The database {path} is not a file.", path=path),
            tr("Move what is there away and start again."),
        )
    if not path.exists() or path.stat().st_size == 0:
        return None
    # A reader of a WAL database makes a -wal and a -shm beside it, unless it is opened as
    # immutable. Where a -wal exists, a process writes or was killed: then it must be read as well.
    wal = path.with_name(path.name + "-wal")
    mode = "mode=ro" if wal.exists() else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not tables:
            return None
        row = None
        if "alembic_version" in tables:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise StoreProblem(
            tr("The database {path} belongs to another program.", path=path),
            tr("Move it away and start again; it was not changed."),
        )
    revision = str(row[0])
    if revision > REVISION:
        raise StoreTooNew(
            tr("The database {path} was written by a newer version of ChatDesk.", path=path),
            tr("Install the newest version; the database was not changed."),
        )
    return revision


def create(connection: Connection) -> None:
    """Make the tables in an empty database, inside the caller's transaction.

    Another process may have been faster: then nothing is left to do.
    """
    if inspect(connection).has_table("alembic_version"):
        return
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(
        text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION}
    )


def migrate(connection: Connection, path: Path) -> None:
    """Back the file up, then migrate it to `REVISION`, inside the caller's transaction.

    That transaction must hold the write lock and have foreign keys off, because tables are dropped
    and made again; they are checked at the end.
    """
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    if revision == REVISION:  # another process was faster
        return
    back_up(path, revision)

    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, REVISION)
    if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
        raise RuntimeError(f"the migration from {revision} broke a reference between tables")


def back_up(path: Path, revision: str) -> Path:
    """Copy the database to a file beside it and drop the oldest copies; return the copy's path.

    The copy is complete or absent. Raises `sqlite3.Error` or `OSError`.
    """
    backup = path.with_name(f"{path.name}.backup-{revision}")
    unfinished = backup.with_name(backup.name + ".part")
    _remove_beside(unfinished)  # what a killed process left
    try:
        with (
            whole_file(backup, durable=True, partial=unfinished),
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(unfinished)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, to be moved as one
    finally:
        _remove_beside(unfinished)
    others = {*path.parent.glob(f"{path.name}.backup-{'[0-9]' * len(revision)}")} - {backup}
    for old in sorted(others)[: 1 - BACKUPS_KEPT]:  # by revision: clocks may go back
        old.unlink()
    return backup


def _remove_beside(path: Path) -> None:
    """Remove what SQLite keeps beside a database file that is not used."""
    for end in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)
