"""Claude's export: `conversations.json` in a zip, or a single chat from a browser extension.

A tree by `parent_message_uuid`; older files have none, there the order of the array counts. Of
attached files there is only the text that was taken from them.
"""

import io
import re
from collections.abc import Iterator
from functools import partial

from chatdesk.core.chat import Role
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    ImportedFile,
    ImportedMessage,
)
from chatdesk.core.parts import Text, Thinking
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.fields import AnyPart, Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import each_read, records
from chatdesk.exchange.conversations.trees import Node, tree_of

_MESSAGES = re.compile(rb'"chat_messages"\s*:\s*\[')


class Claude:
    """Recognized by `chat_messages`; files with projects and users beside it are passed over."""

    id, app = "claude", "Claude"

    def recognizes(self, files: Files) -> bool:
        """True if a file has such chats."""
        return any(_MESSAGES.search(files.head(name)) for name in files.ending(".json")[:8])

    def read(self, files: Files) -> Iterator[Found]:
        """Read chat by chat."""
        for name in files.ending(".json"):
            if _MESSAGES.search(files.head(name)):
                lone = records(files, name, "conversations", lone=lambda v: "chat_messages" in v)
                yield from each_read(lone, _conversation)


def _conversation(found: Json) -> ImportedConversation:
    model = fields.name(found.get("model"))
    messages = list(fields.records(found.get("chat_messages")))
    is_tree = any(fields.text(each.get("parent_message_uuid")) for each in messages)
    nodes: list[Node] = []
    for place, each in enumerate(messages):
        node_id = fields.identity(each.get("uuid")) or str(place)
        above = fields.text(each.get("parent_message_uuid")) if is_tree else None
        parent = above if is_tree else (nodes[-1].id if nodes else None)
        nodes.append(Node(node_id, parent, (), _message(each, node_id, model)))
    tree = tree_of(nodes, fields.text(found.get("current_leaf_message_uuid")))
    return ImportedConversation(
        id=fields.identity(found.get("uuid")),
        title=fields.name(found.get("name")),
        messages=tree.messages,
        shown=tree.shown,
        created=fields.moment(found.get("created_at")),
        updated=fields.moment(found.get("updated_at")),
        folder=fields.name(fields.record(found.get("project")).get("name")),
        pinned=bool(found.get("is_starred")),
        notes=tree.notes,
    )


def _message(found: Json, message_id: str, model: str) -> ImportedMessage | None:
    role = fields.role(found.get("sender"))
    parts = list(_said(found))
    parts += map(_attachment, fields.records(found.get("attachments")))
    named = (fields.name(each.get("file_name")) for each in fields.records(found.get("files")))
    parts += (ImportedFile(name, "", None) for name in named if name)
    if role is None or not (arranged := fields.arranged(parts)):
        return None
    return ImportedMessage(
        id=message_id,
        parent=None,
        role=role,
        parts=arranged,
        created=fields.moment(found.get("created_at")),
        model=model if role is Role.ASSISTANT else "",
    )


def _said(found: Json) -> Iterator[AnyPart]:
    """The words of `content`, or else those of `text`."""
    parts: list[AnyPart] = []
    for each in fields.records(found.get("content")):
        match each.get("type"):
            case "text" | "voice_note":
                parts.append(Text(fields.text(each.get("text"))))
            case "thinking":
                parts.append(Thinking(fields.text(each.get("thinking"))))
    if not any(isinstance(part, Text) and part.text.strip() for part in parts):
        parts.append(Text(fields.text(found.get("text"))))
    yield from parts


def _attachment(found: Json) -> ImportedFile:
    """The text of an attached file, as a file."""
    name = fields.name(found.get("file_name")) or "text.txt"
    extracted = fields.text(found.get("extracted_content"))
    opener = partial(io.BytesIO, extracted.encode("utf-8", "replace")) if extracted else None
    return ImportedFile(name, "text/plain", opener)
