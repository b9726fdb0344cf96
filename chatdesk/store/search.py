"""Searches the index: rows that may match, the newest first, and the texts to look into."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy import Connection, delete, func, select

from chatdesk.core.chat import Role
from chatdesk.core.folding import folded, is_joined, pairs_of, tokens
from chatdesk.core.search import Filters, Query, Term
from chatdesk.store.database import Database
from chatdesk.store.parts import read_frames
from chatdesk.store.search_index import (
    ATTACHMENT,
    CODE,
    TITLE,
    index_next,
    named_in,
    searched_text,
)
from chatdesk.store.tables import message_parts, projects, search_queue, search_remains

MAX_TOKENS = 32  # of one term; the texts that are found are looked into
MERGED_PAGES = 200  # at a time: a writer waits no longer
LOOK_EVERY = 5_000  # steps of SQLite's machine between two looks at the clock

_FROM_INDEX = """
SELECT r.number, r.conversation_id, r.message_id, c.title, c.project_id, c.archived
FROM search_index CROSS JOIN search_rows r ON r.number = search_index.rowid
CROSS JOIN conversations c ON c.id = r.conversation_id
WHERE search_index MATCH :words AND search_index.rowid BETWEEN :first AND :last
"""
_FROM_ALL = """
SELECT r.number, r.conversation_id, r.message_id, c.title, c.project_id, c.archived
FROM search_rows r CROSS JOIN conversations c ON c.id = r.conversation_id
WHERE r.number BETWEEN :first AND :last
"""
_SHOWN = """ AND c.deleted IS NULL AND NOT EXISTS (
SELECT 1 FROM hidden_messages h WHERE h.message_id = r.message_id)"""
_TEXTS = """
SELECT m.id, m.role, m.text, a.thinking, a.model_name FROM messages m
LEFT JOIN answers a ON a.message_id = m.id WHERE m.id IN """
_EARLIEST, _LATEST = -(2**62), 2**62
_MERGE = "INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may match; its text is read with `SearchSession.texts`."""

    number: int
    conversation_id: str
    message_id: str | None
    title: str
    project_id: str | None
    is_archived: bool

    @property
    def created(self) -> datetime:
        """When it was written, to a millisecond."""
        seconds, milliseconds = divmod(self.number, 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)


@dataclass(frozen=True, slots=True)
class SearchedText:
    """What a message says; a title is a text without a role."""

    text: str
    thinking: str = ""
    names: tuple[str, ...] = ()
    role: Role | None = None
    model: str = ""

    @property
    def whole(self) -> str:
        """All of it that is searched."""
        return searched_text(self.text, self.thinking, self.names)


class SearchStore:
    """Reads the index and brings it up to date. Every method may raise `StoreProblem`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def session(self, stop: Callable[[], bool]) -> Iterator["SearchSession"]:
        """Search in one moment of the database, until `stop` says True."""
        with self._database.reading() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            session = SearchSession(connection, stop)
            raw.set_progress_handler(session.is_over, LOOK_EVERY)
            try:
                yield session
            finally:
                raw.set_progress_handler(None, 0)

    def index_next(self) -> bool:
        """Index one conversation of an older database; False when all are."""
        if not self.waiting():
            return False  # without taking the write lock
        with self._database.writing() as connection:
            return index_next(connection)

    def waiting(self) -> int:
        """Return how many conversations are not indexed yet."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(search_queue)) or 0

    def merge_some(self, *, first: bool) -> bool:
        """Merge some of the index, so that words deleted for good leave it; False when none are.

        The `first` of several steps decides what all is merged.
        """
        with self._database.reading() as connection:
            if connection.scalar(select(func.count()).select_from(search_remains)) == 0:
                return False
        with self._database.writing() as connection:
            before = _changes(connection)
            connection.exec_driver_sql(_MERGE, (-MERGED_PAGES if first else MERGED_PAGES,))
            if _changes(connection) - before < 2 and not first:  # as SQLite's manual says
                connection.execute(delete(search_remains))
        return True


class SearchSession:
    """One search: its candidates are read while they are wanted."""

    def __init__(self, connection: Connection, stop: Callable[[], bool]) -> None:
        self._connection = connection
        self._stop = stop
        self.was_stopped = False

    def is_over(self) -> bool:
        """True when the search is to end; it notes that it was not finished."""
        self.was_stopped = self.was_stopped or self._stop()
        return self.was_stopped

    def project_ids(self, name: str) -> list[str]:
        """Return the projects whose name has this in it; those of exactly this name if any."""
        wanted = folded(name).strip()
        rows = self._connection.execute(select(projects.c.id, projects.c.name)).all()
        exact = [each.id for each in rows if folded(each.name).strip() == wanted]
        return exact or [each.id for each in rows if wanted in folded(each.name)]

    def candidates(
        self, words: str, filters: Filters, *, titles: bool, limit: int | None = None
    ) -> Iterator[Candidate]:
        """Yield the rows of messages, or `titles`, that the index has for these words."""
        sql = (_FROM_INDEX if words else _FROM_ALL) + _SHOWN
        values: dict[str, object] = {
            "first": _number(filters.after) if filters.after else _EARLIEST,
            "last": _number(filters.before) - 1 if filters.before else _LATEST,
        }
        if words:
            values["words"] = words
        sql += f" AND r.message_id IS {'' if titles else 'NOT '}NULL"
        if filters.project is not None:
            ids = self.project_ids(filters.project)
            names = {f"project{at}": each for at, each in enumerate(ids)}
            sql += f" AND c.project_id IN ({', '.join(f':{name}' for name in names)})"
            values |= names
        sql += f" ORDER BY {'search_index.rowid' if words else 'r.number'} DESC"
        raw = self._connection.connection.driver_connection
        assert raw is not None
        try:
            for row in islice(raw.execute(sql, values), limit):
                number, conversation_id, message_id, title, project_id, archived = row
                is_archived = bool(archived)
                yield Candidate(number, conversation_id, message_id, title, project_id, is_archived)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise

    def texts(self, rows: Sequence[Candidate]) -> dict[str, SearchedText]:
        """Return what these messages say, by their ids."""
        ids = [each.message_id for each in rows if each.message_id]
        marks = ", ".join("?" * len(ids))
        frames = read_frames(self._connection, message_parts.c.message_id.in_(ids))
        raw = self._connection.connection.driver_connection
        assert raw is not None
        try:
            found = raw.execute(f"{_TEXTS} ({marks})", ids).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            return {}
        return {
            message_id: SearchedText(
                text, thinking or "", named_in(frames.get(message_id, ())), Role(role), model or ""
            )
            for message_id, role, text, thinking, model in found
        }


def expression(query: Query, *, titles: bool, whole: bool = False) -> str:
    """Return the query as FTS5 reads it; "" where the index cannot help.

    `whole`: also a term that may go on is meant as whole words.
    """
    parts = [part for term in query.terms if (part := _term(term, whole))]
    if titles:
        parts.append(f"facets : {TITLE}")
    filters = query.filters
    if filters.role:
        parts.append(f"facets : role{filters.role.value}")
    if filters.has_code:
        parts.append(f"facets : {CODE}")
    if filters.has_attachment:
        parts.append(f"facets : {ATTACHMENT}")
    if filters.model and (named := tokens(folded(filters.model))):
        parts.append(f"facets : {_phrase([f'model{each}' for each in named])} *")
    wanted = " AND ".join(parts)
    unwanted = [each for each in query.excluded if each.tokens == [each.text]]
    if not wanted or not unwanted:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(_term(each) for each in unwanted)})"


def _term(term: Term, whole: bool = False) -> str:
    words = [each for each in term.tokens if not is_joined(each)]
    parts = []
    if words:
        ends = term.tokens[-1] == words[-1] and len(words) <= MAX_TOKENS
        star = " *" if term.is_prefix and ends and not whole else ""
        parts.append(f"words : {_phrase(words[:MAX_TOKENS])}{star}")
    for run in filter(is_joined, term.tokens):
        pairs = pairs_of(run)[:-1][:MAX_TOKENS]
        parts.append(f"pairs : {_phrase(pairs)}" if pairs else f"pairs : {_phrase([run])} *")
    return f"({' AND '.join(parts)})" if len(parts) > 1 else "".join(parts)


def _phrase(words: Sequence[str]) -> str:
    return f'"{" ".join(words)}"'


def _number(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _changes(connection: Connection) -> int:
    raw = connection.connection.driver_connection
    assert raw is not None
    return int(raw.total_changes)
