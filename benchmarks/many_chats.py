"""Fills a database with thousands of short chats, as years of use leave them.

`python -m benchmarks.many_chats COUNT` adds them to the database that `CHATDESK_HOME` names.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from chatdesk.core.chat import MessageState, Role, TitleSource
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.system.locations import find_paths
from chatdesk.store.database import Database
from chatdesk.store.tables import answers, conversations, messages

_APART = timedelta(hours=4)
_TEXTS = ((Role.USER, "How do I sort a list?"), (Role.ASSISTANT, "With `sorted`. " * 40))
Row = dict[str, Any]


def add(count: int) -> None:
    """Add chats of one question and its answer, the newest of this moment."""
    newest = datetime.now(UTC)
    ids = [f"many{number}" for number in range(count)]
    database = Database.open(find_paths().database)
    with database.writing() as connection:
        moments = [newest - _APART * number for number in range(count)]
        connection.execute(insert(conversations), [*map(_chat, ids, moments)])
        rows = [row for each in zip(ids, moments, strict=True) for row in _messages(*each)]
        connection.execute(insert(messages), rows)
        connection.execute(insert(answers), [*map(_answer, ids)])
    database.close()


def _chat(chat_id: str, moment: datetime) -> Row:
    return {
        "id": chat_id,
        "title": f"How do I sort list {chat_id} quickly?",
        "title_source": TitleSource.MODEL,
        "system_prompt": "",
        "active_leaf_id": f"{chat_id}.1",
        "created": moment,
        "updated": moment,
    }


def _messages(chat_id: str, moment: datetime) -> list[Row]:
    return [
        {
            "id": f"{chat_id}.{position}",
            "conversation_id": chat_id,
            "parent_id": f"{chat_id}.{position - 1}" if position else None,
            "position": position,
            "role": role,
            "state": MessageState.COMPLETE,
            "created": moment,
            "text": text,
        }
        for position, (role, text) in enumerate(_TEXTS)
    ]


def _answer(chat_id: str) -> Row:
    return {"message_id": f"{chat_id}.1", "model_name": "", "sampling": SamplingParams()}


if __name__ == "__main__":
    add(int(sys.argv[1]))
    print(json.dumps({}))
