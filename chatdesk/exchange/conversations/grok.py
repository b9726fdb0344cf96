"""Grok's export, `prod-grok-backend.json`: conversations with their responses in order."""

import re
from collections.abc import Iterator

from chatdesk.core.chat import Role
from chatdesk.core.imported import Found, ImportedConversation, ImportedMessage
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.fields import Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import each_read, first_object, records
from chatdesk.exchange.conversations.trees import Node, tree_of

_CONVERSATION = re.compile(rb'"conversation"\s*:\s*\{')


class Grok:
    """Recognized by conversations with responses."""

    id, app = "grok", "Grok"

    def recognizes(self, files: Files) -> bool:
        """True if a file has such conversations."""
        head = first_object(files)
        return bool(_CONVERSATION.search(head) and b'"responses"' in head)

    def read(self, files: Files) -> Iterator[Found]:
        """Read conversation by conversation."""
        for name in files.ending(".json"):
            if _CONVERSATION.search(files.head(name)):
                found = records(files, name, "conversations")
                yield from each_read(found, _conversation)


def _conversation(found: Json) -> ImportedConversation:
    conversation = fields.record(found.get("conversation"))
    nodes: list[Node] = []
    for place, each in enumerate(fields.records(found.get("responses"))):
        response = fields.record(each.get("response")) or each
        node_id = fields.identity(response.get("_id") or response.get("response_id")) or str(place)
        parent = fields.identity(response.get("parent_response_id"))
        parent = parent or (nodes[-1].id if nodes else "")
        nodes.append(Node(node_id, parent or None, (), _message(node_id, response)))
    tree = tree_of(nodes, None)
    return ImportedConversation(
        id=fields.identity(conversation.get("id")),
        title=fields.name(conversation.get("title")),
        messages=tree.messages,
        shown=tree.shown,
        created=fields.moment(conversation.get("create_time")),
        updated=fields.moment(conversation.get("modify_time")),
        pinned=conversation.get("starred") is True,
        notes=tree.notes,
    )


def _message(node_id: str, found: Json) -> ImportedMessage | None:
    role = fields.role(found.get("sender"))
    answers = role is Role.ASSISTANT
    thoughts = (
        fields.text(each.get("thinking_trace"))
        for each in fields.records(found.get("agent_thinking_traces"))
    )
    thinking = "\n\n".join(filter(None, thoughts)) if answers else ""
    parts = fields.words(fields.text(found.get("message")), thinking)
    if role is None or not parts:
        return None
    return ImportedMessage(
        id=node_id,
        parent=None,
        role=role,
        parts=parts,
        created=fields.moment(found.get("create_time")),
        model=fields.name(found.get("model")) if answers else "",
    )
