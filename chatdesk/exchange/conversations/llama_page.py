"""The export of llama.cpp's own web page: a conversation with its messages, or an array of them."""

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
from chatdesk.exchange.conversations.data_url import file_of_base64, file_of_url
from chatdesk.exchange.conversations.fields import AnyPart, Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import each_read, first_object, records
from chatdesk.exchange.conversations.trees import Node, tree_of

_CONV = re.compile(rb'"conv"\s*:\s*\{')
_MEDIA = {
    "image": "image/png",
    "audio": "audio/wav",
    "video": "video/mp4",
    "pdf": "application/pdf",
}


class LlamaPage:
    """Recognized by `conv`."""

    id, app = "llama.cpp", "llama.cpp"

    def recognizes(self, files: Files) -> bool:
        """True if a file has such a conversation."""
        return bool(_CONV.search(first_object(files)))

    def read(self, files: Files) -> Iterator[Found]:
        """Read conversation by conversation."""
        for name in files.ending(".json"):
            found = records(files, name, lone=lambda value: "conv" in value)
            yield from each_read(found, _conversation)


def _conversation(found: Json) -> ImportedConversation:
    conv = fields.record(found.get("conv"))
    nodes = [_node(each) for each in fields.records(found.get("messages"))]
    prompts = [
        fields.text(each.get("content"))
        for each in fields.records(found.get("messages"))
        if each.get("role") == "system" and each.get("type") != "root"
    ]
    tree = tree_of(nodes, fields.identity(conv.get("currNode")))
    return ImportedConversation(
        id=fields.identity(conv.get("id")),
        title=fields.name(conv.get("name")),
        messages=tree.messages,
        shown=tree.shown,
        updated=fields.moment(conv.get("lastModified")),
        system_prompt=prompts[0] if prompts else "",
        pinned=conv.get("pinned") is True,
        notes=tree.notes,
    )


def _node(found: Json) -> Node:
    node_id = fields.identity(found.get("id"))
    parent = fields.identity(found.get("parent"))
    children = [fields.identity(each) for each in fields.items(found.get("children"))]
    return Node(node_id, parent or None, children, _message(node_id, found))


def _message(node_id: str, found: Json) -> ImportedMessage | None:
    role = fields.role(found.get("role"))
    if found.get("type") == "root" or role not in {Role.USER, Role.ASSISTANT}:
        return None
    answers = role is Role.ASSISTANT
    thinking = fields.text(found.get("reasoningContent") or found.get("thinking"))
    parts: list[AnyPart] = [Thinking(thinking)] if answers else []
    parts.append(Text(fields.text(found.get("content"))))
    parts += [_extra(each) for each in fields.records(found.get("extra"))]
    if not (arranged := fields.arranged(parts)):
        return None
    return ImportedMessage(
        id=node_id,
        parent=None,
        role=role,
        parts=arranged,
        created=fields.moment(found.get("timestamp")),
        model=fields.name(found.get("model")) if answers else "",
    )


def _extra(found: Json) -> ImportedFile:
    kind = fields.text(found.get("type")).lower()
    name = fields.name(found.get("name")) or kind
    address = fields.text(found.get("base64Url"))
    data = fields.text(found.get("base64Data"))
    said = fields.text(found.get("content"))
    if address:
        return file_of_url(address, name, _MEDIA.get(kind, ""))
    if data:
        return file_of_base64(
            data, name, fields.name(found.get("mimeType")) or _MEDIA.get(kind, "")
        )
    opener = partial(io.BytesIO, said.encode("utf-8", "replace")) if said else None
    return ImportedFile(name, "text/plain", opener)
