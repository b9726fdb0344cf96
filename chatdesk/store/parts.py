"""Parts of messages other than text, in their own rows; a message of text alone has none.

Text and thinking stay in their columns, where they are searched and streamed into. In a message
with other parts, a row of text or thinking has only its number of characters.
"""

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select

from chatdesk.core.chat import Message
from chatdesk.core.parts import (
    Attachment,
    Audio,
    Frame,
    Image,
    Part,
    Place,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    frame_of,
)
from chatdesk.store.column_types import from_json
from chatdesk.store.problems import DamagedValue
from chatdesk.store.tables import message_parts

_WORDS: dict[str, type[Text] | type[Thinking]] = {"text": Text, "thinking": Thinking}
_OTHERS: dict[str, type[Part]] = {
    "image": Image,
    "audio": Audio,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
    "source": Source,
    "attachment": Attachment,
}
_NAMES = {kind: name for name, kind in (_WORDS | _OTHERS).items()}


def add_parts(connection: Connection, *new: Message) -> None:
    """Save the parts of new messages."""
    rows = [
        {
            "message_id": message.id,
            "position": position,
            "conversation_id": message.conversation_id,
            **_row(each),
        }
        for message in new
        for position, each in enumerate(frame_of(message.parts))
    ]
    if rows:
        connection.execute(insert(message_parts), rows)


def replace_parts(connection: Connection, message: Message) -> None:
    """Replace the saved parts of a message by its present ones."""
    connection.execute(delete(message_parts).where(message_parts.c.message_id == message.id))
    add_parts(connection, message)


def read_frames(connection: Connection, which: ColumnElement[bool]) -> dict[str, Frame]:
    """Return the parts of messages by their ids, for messages that have such parts."""
    row = message_parts.c
    query = select(row.message_id, row.kind, row.content).where(which)
    frames: dict[str, Frame] = {}
    for each in connection.execute(query.order_by(row.message_id, row.position)):
        frames[each.message_id] = (*frames.get(each.message_id, ()), _part(each.kind, each.content))
    return frames


def _row(part: Part | Place) -> dict[str, str | None]:
    if isinstance(part, Place):
        return {"kind": _NAMES[part.kind], "content": str(part.length), "sha256": None}
    file = part.sha256 if isinstance(part, Image | Audio | Attachment) else None
    content = msgspec.json.encode(part).decode()
    return {"kind": _NAMES[type(part)], "content": content, "sha256": file}


def _part(kind: str, content: str) -> Part | Place:
    if words := _WORDS.get(kind):
        return Place(words, from_json(content, int))
    if kind not in _OTHERS:
        raise DamagedValue(LookupError.__name__)
    return from_json(content, _OTHERS[kind])
