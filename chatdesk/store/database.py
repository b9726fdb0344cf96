"""The SQLite file: opening, transactions, closing.

What survives: WAL with `synchronous=FULL` makes a commit wait for the disk (about a millisecond on
an SSD), so a streaming answer that is written every 250 ms loses at most that much, to a kill of
the app and to a power cut alike. `NORMAL` would keep the file intact, but not the last seconds.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from chatdesk.core.errors import NotFound, NotWritable, StoreProblem
from chatdesk.core.i18n import tr
from chatdesk.store import schema
from chatdesk.store.problems import damaged, store_problems

BUSY_TIMEOUT_S = 10.0  # wait for another process that writes
ALONE_WITHIN_S = 5.0  # wait for one that has an older database open to close it
PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",  # purged content is overwritten, not only unlinked
)


class Database:
    """An open database. May be used from any thread, and by several processes at once."""

    def __init__(self, path: Path, engine: Engine | None = None) -> None:
        self.path = path
        self._engine = engine or _engine(path)
        self._on_written: Callable[[], None] = lambda: None

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open the database at `path`: made when missing, migrated (after a backup) when older.

        Where nothing can be written, on a full or read-only disk, a present one can be read. Raises
        `StoreTooNew` for a newer one and `StoreProblem` for a file that is not a database or cannot
        be opened; both leave the file as it is.
        """
        try:
            return cls._open(path)
        except NotWritable as problem:
            return _ReadableDatabase(path, problem)

    @classmethod
    def _open(cls, path: Path) -> "Database":
        with store_problems(path):
            revision = schema.check(path)
            if revision is None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(mode=0o600)
        database = cls(path)
        try:
            if revision is None:
                with database.writing() as connection:
                    schema.create(connection)
            elif revision != schema.REVISION:
                database._migrate()
            with database.reading():  # find unusable files now, not later
                pass
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def in_memory(cls) -> "Database":
        """A database that is in memory only, and gone when it is closed."""
        database = _MemoryDatabase()
        with database.writing() as connection:
            schema.create(connection)
        return database

    def _migrate(self) -> None:
        with store_problems(self.path):
            _wait_until_alone(self.path)
            with self._writers().connect() as connection:
                connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
                with connection.begin():
                    schema.migrate(connection, self.path)
                connection.invalidate()  # the next one has its foreign keys on again

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database. Raises `StoreProblem`."""
        with store_problems(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection with the write lock, committed at the end. Raises `StoreProblem`.

        It takes the lock at the start: a reader that turns writer would fail, not wait.
        """
        with store_problems(self.path), self._writers().begin() as connection:
            yield connection
        self._on_written()

    def _writers(self) -> Engine:
        return self._engine.execution_options(begin="IMMEDIATE")

    def call_when_written(self, on_written: Callable[[], None]) -> None:
        """Call `on_written` after every write that went well, on the thread that wrote."""
        self._on_written = on_written

    def check(self) -> None:
        """Read through the file. Raises `StoreProblem` when it is damaged."""
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if found != "ok":
            raise damaged(self.path)

    def close(self) -> None:
        """Close the file; it must not be in use."""
        self._engine.dispose()


class _MemoryDatabase(Database):
    """One connection for all threads, which take turns.

    Keys of rows that are in the user's database only, as a model's, are not checked.
    """

    def __init__(self) -> None:
        super().__init__(Path(":memory:"), _memory_engine())
        self._turn = threading.RLock()
        self._is_closed = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection, in its turn. Raises `NotFound` after it was closed."""
        with self._turn:
            self._check_open()
            with super().reading() as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The connection, in its turn. Raises `NotFound` after it was closed."""
        with self._turn:
            self._check_open()
            with super().writing() as connection:
                yield connection

    def close(self) -> None:
        """Drop everything; nobody may be using the connection just then."""
        with self._turn:
            self._is_closed = True
            super().close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise NotFound(tr("This temporary chat is gone."))


class _ReadableDatabase(Database):
    """One that can only be read, for now: each writer looks if that has changed.

    One connection serves all threads in turn. Raises the `NotWritable` that is given where the file
    cannot be read as it is either.
    """

    def __init__(self, path: Path, problem: NotWritable) -> None:
        super().__init__(path, _reading_engine(path))
        self._turn = threading.RLock()
        self._is_writable = False
        try:
            with self.reading() as connection:
                revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
                if revision.scalar() != schema.REVISION:
                    raise problem
        except (StoreProblem, DBAPIError):  # not even that, or there is nothing of ours in it
            self.close()
            raise problem from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection, in its turn. Raises `StoreProblem`."""
        with nullcontext() if self._is_writable else self._turn, super().reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection with the write lock, once there can be one. Raises `StoreProblem`."""
        with self._turn:
            if not self._is_writable:
                self._become_writable()
        with super().writing() as connection:
            yield connection

    def _become_writable(self) -> None:
        self._engine.dispose()  # it may hold the file alone
        whole = _engine(self.path)
        try:
            with store_problems(self.path), whole.connect():
                pass
        except StoreProblem:
            whole.dispose()
            raise
        self._engine, self._is_writable = whole, True


def _wait_until_alone(path: Path) -> None:
    """Wait until no process has the older database open, or another one migrated it.

    A running older ChatDesk would still write in its own way while its tables change. Raises
    `StoreProblem` when it does not end.
    """
    give_up = time.monotonic() + ALONE_WITHIN_S
    while schema.check(path) != schema.REVISION:
        with closing(sqlite3.connect(path)) as connection:
            try:  # only a single process can leave WAL: https://sqlite.org/wal.html
                connection.execute("PRAGMA journal_mode=DELETE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return
        if time.monotonic() > give_up:
            raise StoreProblem(
                tr("An older ChatDesk is running and has the database {path} open.", path=path),
                tr("Close it, then try again: its database is to be brought up to date."),
            )
        time.sleep(0.05)


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path.absolute())),
        connect_args={"timeout": BUSY_TIMEOUT_S},
        hide_parameters=True,  # they are users' texts: never in an error's text
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _memory_engine() -> Engine:
    engine = _shared_engine("sqlite://")
    event.listen(engine, "connect", _on_memory_connect)
    return engine


def _reading_engine(path: Path) -> Engine:
    """Read a file that nobody can write to as it is, and a full disk's with its journal.

    SQLite cannot make its index beside the journal there: who has the file alone needs none.
    """
    journal = path.with_name(f"{path.name}-wal")
    has_journal = journal.exists() and journal.stat().st_size > 0
    mode = "mode=rw" if has_journal else "mode=ro&immutable=1"
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
