"""Finds a row by the beginning of its id, as people type it."""

from collections.abc import Callable

from sqlalchemy import Column, Connection, select

from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr

SHORTEST_PREFIX = 4  # characters of an id


def resolve(
    connection: Connection,
    ids: Column[str],
    prefix: str,
    nothing_found: Callable[[str], NotFound],
) -> str:
    """Return the one of `ids` that begins with these characters, at least `SHORTEST_PREFIX`.

    Raises `NotFound` when none or more than one does; `nothing_found` makes the former.
    """
    if len(prefix) < SHORTEST_PREFIX:
        raise NotFound(
            tr("“{id}” is too short for an id.", id=prefix),
            tr("Give at least {n} characters.", n=SHORTEST_PREFIX),
        )
    begins = ids.startswith(prefix, autoescape=True)
    found = connection.scalars(select(ids).where(begins).limit(2)).all()
    if not found:
        raise nothing_found(prefix)
    if len(found) > 1:
        raise NotFound(
            tr("{id} is the beginning of several ids.", id=prefix),
            tr("Give more characters of the id."),
        )
    return found[0]
