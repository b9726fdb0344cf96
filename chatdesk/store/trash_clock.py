"""Time in the trash, whatever becomes of the computer's clock.

What is in the trash goes by its age, and a clock that jumps would make it old at once or keep it
for years. So the database notes the day on which the trash was last touched (its `user_version`).
Where the clock went back since, or forward by more than `AWAY_DAYS`, the moments in the trash move
along: time in which nobody used the app counts as a week at most.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, Connection, select, update

from chatdesk.core.chat import now
from chatdesk.store.tables import conversations, hidden_messages

AWAY_DAYS = 7


def keep_up(connection: Connection) -> None:
    """Bring the moments in the trash up to the clock, before one is added or an age is asked."""
    today = now().date().toordinal()
    seen = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if seen == today:
        return
    if seen:  # not in a database of before
        passed = today - seen
        _move(connection, timedelta(days=passed - min(max(passed, 0), AWAY_DAYS)))
    connection.exec_driver_sql(f"PRAGMA user_version = {today}")


def _move(connection: Connection, by: timedelta) -> None:
    deleted, hidden = conversations.c, hidden_messages.c
    moments: tuple[tuple[Column[str], Column[Any]], ...] = (
        (deleted.id, deleted.deleted),
        (hidden.message_id, hidden.at),
    )
    for key, at in moments if by else ():
        for row_key, moment in connection.execute(select(key, at).where(at.is_not(None))).all():
            with suppress(OverflowError):  # a moment that no clock has said
                changed = update(key.table).where(key == row_key)
                connection.execute(changed.values({at: moment + by}))
