"""Messages that were deleted from a conversation: hidden at first, and later emptied.

The tree stays as it is, for other messages hang below them.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from chatdesk.core.chat import now
from chatdesk.store.search_index import mark_remains, unindex
from chatdesk.store.tables import (
    answers,
    hidden_messages,
    message_parts,
    messages,
    search_rows,
)
from chatdesk.store.trash_clock import keep_up


def hide(connection: Connection, message_ids: Sequence[str]) -> None:
    """Hide messages that are not hidden."""
    keep_up(connection)
    moment = now()
    rows = [{"message_id": each, "at": moment} for each in message_ids]
    connection.execute(insert(hidden_messages), rows)


def unhide(connection: Connection, message_ids: Sequence[str]) -> None:
    """Show messages again."""
    connection.execute(delete(hidden_messages).where(hidden_messages.c.message_id.in_(message_ids)))


def empty(connection: Connection, older_than: datetime) -> None:
    """Overwrite the words of what was hidden before that moment."""
    old = select(hidden_messages.c.message_id).where(hidden_messages.c.at < older_than)
    indexed = select(search_rows.c.message_id).where(search_rows.c.message_id.in_(old))
    if found := connection.scalars(indexed).all():
        unindex(connection, [each for each in found if each])
        mark_remains(connection)
    connection.execute(
        update(messages).where(messages.c.id.in_(old), messages.c.text != "").values(text="")
    )
    connection.execute(
        update(answers)
        .where(answers.c.message_id.in_(old), answers.c.thinking != "")
        .values(thinking="")
    )
    connection.execute(delete(message_parts).where(message_parts.c.message_id.in_(old)))
