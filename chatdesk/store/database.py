"""The SQLite file: opening, transactions, closing."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from chatdesk.core.errors import NotFound, NotWritable, StoreProblem
from chatdesk.core.i18n import tr
from chatdesk.store import schema
from chatdesk.store.engines import file_engine, memory_engine, reading_engine
from chatdesk.store.problems import damaged, store_problems

ALONE_WITHIN_S = 5.0  # wait for one that has an older database open to close it


class Database:
    """An open database. May be used from any thread, and by several processes at once."""

    def __init__(self, path: Path, engine: Engine | None = None) -> None:
        self.path = path
        self._engine = engine or file_engine(path)
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


class _SharedConnection(Database):
    """One connection for all threads, which take turns."""

    def __init__(self, path: Path, engine: Engine) -> None:
        super().__init__(path, engine)
        self._lock = threading.RLock()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """A thread's turn."""
        with self._lock:
            yield

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection, in its turn. Raises `StoreProblem`."""
        with self._turn(), super().reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The connection, in its turn. Raises `StoreProblem`."""
        with self._turn(), super().writing() as connection:
            yield connection


class _MemoryDatabase(_SharedConnection):
    """Who asks after it was closed gets a `NotFound`.

    Keys of rows that are in the user's database only, as a model's, are not checked.
    """

    def __init__(self) -> None:
        super().__init__(Path(":memory:"), memory_engine())
        self._is_closed = False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with super()._turn():
            if self._is_closed:
                raise NotFound(tr("This temporary chat is gone."))
            yield

    def close(self) -> None:
        """Drop everything; nobody may be using the connection just then."""
        with self._lock:
            self._is_closed = True
            super().close()


class _ReadableDatabase(_SharedConnection):
    """One that can only be read, for now: each writer looks if that has changed.

    Raises the `NotWritable` that is given where the file cannot be read as it is either.
    """

    def __init__(self, path: Path, problem: NotWritable) -> None:
        super().__init__(path, reading_engine(path))
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
    def _turn(self) -> Iterator[None]:
        with nullcontext() if self._is_writable else super()._turn():
            yield

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection with the write lock, once there can be one. Raises `StoreProblem`."""
        with self._lock:
            if not self._is_writable:
                self._become_writable()
        with super().writing() as connection:
            yield connection

    def _become_writable(self) -> None:
        self._engine.dispose()  # it may hold the file alone
        whole = file_engine(self.path)
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
