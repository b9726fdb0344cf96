"""How SQLAlchemy connects to SQLite: the settings of each connection, and who shares one.

What survives: WAL with `synchronous=FULL` makes a commit wait for the disk (about a millisecond on
an SSD), so a streaming answer that is written every 250 ms loses at most that much, to a kill of
the app and to a power cut alike. `NORMAL` would keep the file intact, but not the last seconds.
"""

import os
import sqlite3
import time
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

BUSY_TIMEOUT_S = 10.0  # wait for another process that writes
PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",  # purged content is overwritten, not only unlinked
)


def file_engine(path: Path) -> Engine:
    """An engine that reads and writes a file, with a connection for each who asks."""
    engine = create_engine(
        URL.create("sqlite", database=str(path.absolute())),
        connect_args={"timeout": BUSY_TIMEOUT_S},
        hide_parameters=True,  # they are users' texts: never in an error's text
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def memory_engine() -> Engine:
    """An engine with a database in memory."""
    engine = _shared_engine("sqlite://")
    event.listen(engine, "connect", _on_memory_connect)
    return engine


def reading_engine(path: Path) -> Engine:
    """An engine that reads a file which nobody can write to now, with what its journal holds.

    SQLite cannot make its index beside the journal there: who has the file alone needs none. On a
    read-only disk it cannot even lock the file, and nobody could change it.
    """
    journal = path.with_name(f"{path.name}-wal")
    if not journal.exists() or journal.stat().st_size == 0:
        mode = "mode=ro&immutable=1"
    elif os.access(path, os.W_OK):
        mode = "mode=rw"
    else:
        mode = f"mode=ro&vfs={'win32' if os.name == 'nt' else 'unix'}-none"
    engine = _shared_engine(f"sqlite:///{path.absolute().as_uri()}?{mode}&uri=true")
    event.listen(engine, "connect", _on_reading_connect)
    return engine


def _shared_engine(address: str) -> Engine:
    """An engine with one connection for all threads."""
    engine = create_engine(
        address,
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where Python guesses
    cursor = connection.cursor()
    try:
        _use_wal(cursor)
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        cursor.close()
        connection.close()  # SQLAlchemy would leave the file open
        raise
    cursor.close()


def _on_memory_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA temp_store=MEMORY")  # nothing of it in files, also while it sorts
    cursor.close()


def _on_reading_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA locking_mode=EXCLUSIVE")
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _use_wal(cursor: DBAPICursor) -> None:
    """Switch a new file to WAL; SQLite itself does not wait while another process does the same."""
    give_up = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', '')}")
