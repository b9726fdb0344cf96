"""Operations on conversations and messages inside a transaction, shared by the store's methods.

They raise `NotFound` for an unknown id.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, text, update

from chatdesk.core.chat import Conversation, Message, MessageState, now
from chatdesk.core.errors import NotFound
from chatdesk.core.i18n import tr
from chatdesk.store.parts import add_parts, read_frames
from chatdesk.store.rows import (
    CONVERSATIONS,
    MESSAGES,
    answer_values,
    as_conversation,
    as_message,
    message_values,
)
from chatdesk.store.search_index import index
from chatdesk.store.tables import answers, conversations, message_parts, messages
from chatdesk.store.writers import this_writer

# The model that answered last on the path that ends at a leaf. As text: it is asked before a chat
# is shown, and compiling the expression took longer than the query.
_LAST_MODEL = text(
    """
    WITH RECURSIVE path (id, parent_id, above) AS (
        SELECT id, parent_id, 0 FROM messages WHERE id = :leaf
        UNION ALL
        SELECT messages.id, messages.parent_id, above + 1
        FROM path JOIN messages ON messages.id = path.parent_id
    )
    SELECT model_id FROM path JOIN answers ON answers.message_id = path.id
    WHERE model_id IS NOT NULL AND path.id NOT IN (SELECT message_id FROM hidden_messages)
    ORDER BY above LIMIT 1
    """
)

_JUST_NOW = timedelta(minutes=1)
_NEXT = timedelta(microseconds=1)


def writer_of(state: MessageState) -> str | None:
    """Return the owner of a message in this state: this process while it streams, else None."""
    return this_writer() if state is MessageState.STREAMING else None


def add_message(connection: Connection, message: Message) -> None:
    """Add a message, and make it the active leaf."""
    home = message.conversation_id
    next_position = (
        select(func.coalesce(func.max(messages.c.position) + 1, 0))
        .where(messages.c.conversation_id == home)
        .scalar_subquery()
    )
    row = {**message_values(message), "position": next_position, "writer": writer_of(message.state)}
    updated = _updated(connection, message)
    change_conversation(connection, home, active_leaf_id=message.id, updated=updated)
    if message.parent_id is not None:
        check_belongs(connection, home, message.parent_id)
    connection.execute(insert(messages).values(row))
    if message.answer is not None:
        connection.execute(insert(answers).values(answer_values(message)))
    elif message.thinking:
        raise ValueError("only an answer was thought about")
    add_parts(connection, message)
    index(connection, message)


def _updated(connection: Connection, message: Message) -> datetime:
    """When a message changes its conversation: after all others, though the clock went back.

    An imported message is of its own time.
    """
    listed = conversations.c.deleted.is_(None)
    newest = connection.scalar(select(func.max(conversations.c.updated)).where(listed))
    is_of_now = now() - message.created < _JUST_NOW
    if newest and newest >= message.created and is_of_now:
        return newest + _NEXT
    return message.created


def get_conversation(connection: Connection, conversation_id: str) -> Conversation:
    """Return a conversation without its messages."""
    row = connection.execute(CONVERSATIONS.where(conversations.c.id == conversation_id)).first()
    if row is None:
        raise no_conversation(conversation_id)
    return as_conversation(row)


def whole_conversation(connection: Connection, conversation_id: str) -> Conversation:
    """Return a conversation with its messages."""
    in_order = MESSAGES.where(messages.c.conversation_id == conversation_id).order_by(
        messages.c.position
    )
    found = get_conversation(connection, conversation_id)
    frames = read_frames(connection, message_parts.c.conversation_id == conversation_id)
    rows = connection.execute(in_order)
    return replace(found, messages=tuple(as_message(row, frames.get(row.id, ())) for row in rows))


def last_model(connection: Connection, conversation_id: str) -> str | None:
    """Return `Conversation.held_with` without reading what was said."""
    leaf = get_conversation(connection, conversation_id).active_leaf_id
    found: str | None = connection.scalar(_LAST_MODEL, {"leaf": leaf})
    return found


def change_conversation(connection: Connection, conversation_id: str, **values: object) -> None:
    """Change these columns of a conversation."""
    this = update(conversations).where(conversations.c.id == conversation_id)
    if connection.execute(this.values(values)).rowcount == 0:
        raise no_conversation(conversation_id)


def get_message(connection: Connection, message_id: str) -> Message:
    """Return a message with its answer."""
    row = connection.execute(MESSAGES.where(messages.c.id == message_id)).first()
    if row is None:
        raise _no_message(message_id)
    frames = read_frames(connection, message_parts.c.message_id == message_id)
    return as_message(row, frames.get(message_id, ()))


def change_message(connection: Connection, message_id: str, **values: object) -> None:
    """Change these columns of a message."""
    this = update(messages).where(messages.c.id == message_id)
    if connection.execute(this.values(values)).rowcount == 0:
        raise _no_message(message_id)


def check_belongs(connection: Connection, conversation_id: str, message_id: str) -> None:
    """Raise `NotFound` when the message is not of this conversation."""
    home = select(messages.c.conversation_id).where(messages.c.id == message_id)
    if connection.scalar(home) != conversation_id:
        raise _no_message(message_id)


def no_conversation(conversation_id: str) -> NotFound:
    """Return the problem to raise."""
    return NotFound(
        tr("There is no conversation {id}.", id=conversation_id),
        tr("`chatdesk conversations list` shows them all."),
    )


def _no_message(message_id: str) -> NotFound:
    return NotFound(tr("There is no message {id} in this conversation.", id=message_id))
