"""Turns the errors of SQLite and the system into sentences for the user, all in this one place."""

import errno
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from chatdesk.core.errors import NotWritable, StoreProblem
from chatdesk.core.i18n import tr

_LACKING = re.compile(r"(?:no such table: |no such column: |has no column named )([\w.]+)")


class DamagedValue(Exception):
    """A stored value that means nothing; the text is the kind of error it caused."""


@contextmanager
def store_problems(path: Path) -> Iterator[None]:
    """Turn a full disk, a read-only or damaged file and the like into a `StoreProblem`.

    Anything else that goes wrong inside is a bug and passes through.
    """
    try:
        yield
    except DBAPIError as error:
        problem = _sqlite_problem(error.orig, path)
        if problem is None:
            raise
        raise problem from error
    except sqlite3.Error as error:
        problem = _sqlite_problem(error, path)
        if problem is None:
            raise
        raise problem from error
    except (UnicodeDecodeError, DamagedValue) as error:
        raise damaged(path) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(path) from error
        raise StoreProblem(
            tr(
                "The database {path} cannot be opened: {reason}.",
                path=path,
                reason=error.strerror or error,
            ),
            tr("Check that the folder exists and that you may write to it."),
        ) from error


def _sqlite_problem(error: BaseException | None, path: Path) -> StoreProblem | None:
    """Return the problem of an error; None for a bug. Codes: https://sqlite.org/rescode.html."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):  # no room for its index
        return _full(path)
    match code & 0xFF:  # the primary code
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return _read_only(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            what = tr("The database {path} is in use by another program.", path=path)
            todo = tr("Wait for that program or close it, then try again.")
        case sqlite3.SQLITE_CORRUPT:
            return damaged(path)
        case sqlite3.SQLITE_ERROR if _lacks_what_is_ours(str(error)):
            return damaged(path)
        case sqlite3.SQLITE_OK if "could not decode" in str(error).lower():  # Python's own
            return damaged(path)
        case sqlite3.SQLITE_NOTADB:
            what = tr("The file {path} is not a database.", path=path)
            todo = tr("Move it away or put a backup in its place; it was not changed.")
        case sqlite3.SQLITE_CANTOPEN if path.is_file() and not os.access(path.parent, os.W_OK):
            return _read_only(path)
        case sqlite3.SQLITE_CANTOPEN:
            return NotWritable(
                tr("The database {path} cannot be opened.", path=path),
                tr("Check that it is a file and that you may write to its folder."),
            )
        case sqlite3.SQLITE_IOERR:
            what = tr("The disk reported an error at the database {path}.", path=path)
            todo = tr("Check that the disk is connected and healthy, then try again.")
        case _:
            return None
    return StoreProblem(what, todo)


def _lacks_what_is_ours(words: str) -> bool:
    """Return True if a table or column of ours is not in the file; another one would be a bug."""
    found = _LACKING.search(words)
    if not found:
        return False
    from chatdesk.store.tables import metadata  # it is imported by then

    names = {column.name for table in metadata.tables.values() for column in table.columns}
    return found[1].split(".")[-1] in names | metadata.tables.keys()


def damaged(path: Path) -> StoreProblem:
    """Return the problem of a damaged database."""
    return StoreProblem(
        tr("The database {path} is damaged.", path=path),
        tr("Keep a copy of the file, and put a backup in its place."),
    )


def _read_only(path: Path) -> NotWritable:
    return NotWritable(
        tr("The database {path} is read-only.", path=path),
        tr("Make the file and its folder writable, then try again."),
    )


def _full(path: Path) -> NotWritable:
    return NotWritable(
        tr("The disk with the database {path} is full.", path=path),
        tr("Free some space, then try again."),
    )
