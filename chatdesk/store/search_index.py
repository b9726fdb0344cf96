"""The full-text index of messages and titles, kept inside the transactions that change these.

Every final message that says something has a row, and every title. The index keeps no texts: a row
is removed by giving its words again, so `unindex` comes before a change, and `index` after it.
While an answer streams it has no row. Letters that a later Unicode adds may fold otherwise then:
such a word stays behind without a row, and search looks into the texts that it finds.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from chatdesk.core.chat import Message, MessageState, now
from chatdesk.core.folding import folded, index_words, tokens
from chatdesk.core.parts import Attachment, Audio, Image, Part, Place, Source, Words
from chatdesk.store.parts import read_frames
from chatdesk.store.rows import MESSAGES, as_message
from chatdesk.store.tables import (
    conversations,
    message_parts,
    messages,
    search_queue,
    search_remains,
    search_rows,
)

TITLE, CODE, ATTACHMENT = "istitle", "hascode", "hasattachment"  # words of the column `facets`
_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
_FENCES = ("```", "~~~")
_ADD = "INSERT INTO search_index (rowid, words, pairs, facets) VALUES (?, ?, ?, ?)"
_REMOVE = (
    "INSERT INTO search_index (search_index, rowid, words, pairs, facets) "
    "VALUES ('delete', ?, ?, ?, ?)"
)
_ADD_ROW = "INSERT INTO search_rows (number, conversation_id, message_id) VALUES (?, ?, ?)"
_HAS_ROW = "SELECT 1 FROM search_rows WHERE number = ?"


def index(connection: Connection, *new: Message) -> None:
    """Add final messages that are not in the index."""
    for each in new:
        if each.state is MessageState.STREAMING or not _says_something(each):
            continue
        number = _free_number(connection, each.created)
        connection.exec_driver_sql(_ADD_ROW, (number, each.conversation_id, each.id))
        connection.exec_driver_sql(_ADD, (number, *_message_words(each)))


def index_title(connection: Connection, conversation_id: str, title: str, at: datetime) -> None:
    """Add the title of a conversation that began then, which is not in the index."""
    if title.strip():
        number = _free_number(connection, at)
        connection.exec_driver_sql(_ADD_ROW, (number, conversation_id, None))
        connection.exec_driver_sql(_ADD, (number, *_title_words(title)))


def unindex(connection: Connection, message_ids: Sequence[str]) -> None:
    """Remove messages, as far as they are in the index."""
    _remove_messages(connection, messages.c.id.in_(message_ids))


def unindex_title(connection: Connection, conversation_id: str) -> None:
    """Remove a title, if it is in the index."""
    mine = _is_title_of(conversation_id)
    number = connection.scalar(select(search_rows.c.number).where(*mine))
    if number is not None:
        title = select(conversations.c.title).where(conversations.c.id == conversation_id)
        words = _title_words(connection.execute(title).scalar_one())
        connection.exec_driver_sql(_REMOVE, (number, *words))
        connection.execute(delete(search_rows).where(*mine))


def unindex_conversations(connection: Connection, conversation_ids: Sequence[str]) -> None:
    """Remove all of these conversations, which are deleted for good."""
    for each in conversation_ids:
        unindex_title(connection, each)
        _remove_messages(connection, messages.c.conversation_id == each)
    if conversation_ids:
        mark_remains(connection)


def mark_remains(connection: Connection) -> None:
    """Note that deleted words are in the index until its parts are merged (see `merge`)."""
    connection.execute(insert(search_remains).values(at=now()).prefix_with("OR IGNORE"))


def index_next(connection: Connection) -> bool:
    """Add what is missing of one conversation in the queue; False when the queue is empty."""
    row = select(search_queue.c.conversation_id, conversations.c.title, conversations.c.created)
    newest = row.join(conversations).order_by(conversations.c.updated.desc()).limit(1)
    if (found := connection.execute(newest).first()) is None:
        return False
    conversation_id, title, created = found
    mine = messages.c.conversation_id == conversation_id
    present = set(connection.scalars(select(search_rows.c.message_id).join(messages).where(mine)))
    if (
        connection.scalar(select(search_rows.c.number).where(*_is_title_of(conversation_id)))
        is None
    ):
        index_title(connection, conversation_id, title, created)
    frames = read_frames(connection, message_parts.c.conversation_id == conversation_id)
    for each in connection.execute(MESSAGES.where(mine).order_by(messages.c.position)):
        if each.id not in present:
            index(connection, as_message(each, frames.get(each.id, ())))
    done = search_queue.c.conversation_id == conversation_id
    connection.execute(delete(search_queue).where(done))
    return True


def _is_title_of(conversation_id: str) -> tuple[ColumnElement[bool], ...]:
    row = search_rows.c
    return row.conversation_id == conversation_id, row.message_id.is_(None)


def _remove_messages(connection: Connection, which: ColumnElement[bool]) -> None:
    row = search_rows.c
    found = connection.execute(select(row.message_id, row.number).join(messages).where(which))
    numbers = {each.message_id: each.number for each in found}
    if not numbers:
        return
    for each in connection.execute(MESSAGES.where(which)).all():
        if each.id in numbers:
            frames = read_frames(connection, message_parts.c.message_id == each.id)
            words = _message_words(as_message(each, frames.get(each.id, ())))
            connection.exec_driver_sql(_REMOVE, (numbers[each.id], *words))
    removed = [(number,) for number in numbers.values()]
    connection.exec_driver_sql("DELETE FROM search_rows WHERE number = ?", removed)


def _says_something(message: Message) -> bool:
    return any(not isinstance(each, Words) or each.text for each in message.parts)


def _message_words(message: Message) -> tuple[str, str, str]:
    names = named_in(message.parts)
    words, pairs = index_words(searched_text(message.text, message.thinking, names))
    return words, pairs, " ".join(_facets(message))


def named_in(parts: Iterable[Part | Place]) -> tuple[str, ...]:
    """Return the names of the files and documents in a message."""
    parts = tuple(parts)
    files = [each.name for each in parts if isinstance(each, Image | Audio | Attachment)]
    return *files, *(each.document for each in parts if isinstance(each, Source))


def searched_text(text: str, thinking: str, names: Iterable[str] = ()) -> str:
    """Return all of a message that is searched."""
    return "\n\n".join(each for each in (text, thinking, *names) if each)


def _title_words(title: str) -> tuple[str, str, str]:
    return *index_words(title), TITLE


def _facets(message: Message) -> list[str]:
    facets = [f"role{message.role.value}"]
    if any(fence in message.text for fence in _FENCES):
        facets.append(CODE)
    if any(isinstance(part, Image | Audio | Attachment) for part in message.parts):
        facets.append(ATTACHMENT)
    if message.answer:
        facets += model_words(message.answer.model_name)
    return facets


def model_words(name: str) -> list[str]:
    """Return a model's name as words of the column `facets`."""
    return [f"model{word}" for word in tokens(folded(name))]


def _free_number(connection: Connection, at: datetime) -> int:
    """Return the moment in milliseconds since 1970, or the next one without a row.

    Imported messages may have thousands at one moment: the end of these is found in a few steps.
    """
    begin = (at - _SINCE) // timedelta(milliseconds=1)
    step = 1
    if not _is_taken(connection, begin):
        return begin
    while _is_taken(connection, begin + step):
        step *= 2
    taken, free = begin + step // 2, begin + step
    while free - taken > 1:
        middle = (taken + free) // 2
        taken, free = (middle, free) if _is_taken(connection, middle) else (taken, middle)
    return free


def _is_taken(connection: Connection, number: int) -> bool:
    return connection.exec_driver_sql(_HAS_ROW, (number,)).first() is not None
