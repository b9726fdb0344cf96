"""Open WebUI's export: a JSON array of chats, each a tree of messages.

Thinking is HTML inside the content, or an item of `output`, which then has the words too.
"""

import html
import re
from collections.abc import Iterator

from chatdesk.core.chat import Rating, Role
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    ImportedFile,
    ImportedMessage,
)
from chatdesk.core.parts import Text, Thinking
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.data_url import file_of_url
from chatdesk.exchange.conversations.fields import AnyPart, Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import each_read, first_object, records, value_in
from chatdesk.exchange.conversations.trees import Node, tree_of

_CHAT = re.compile(rb'"chat"\s*:\s*\{')
_INSIDE = re.compile(rb'"(history|messages|childrenIds|parentId)"\s*:')
_DETAILS = re.compile(
    r"<details\b(?P<attributes>[^>]*)>\s*(?:<summary>.*?</summary>)?(?P<inside>.*?)</details>\s*",
    re.DOTALL,
)
_DURATION = re.compile(r'duration="([\d.]+)"')
_QUOTED = re.compile(r"^> ?", re.MULTILINE)


class OpenWebUi:
    """Recognized by an object `chat` with a history or messages."""

    id, app = "open-webui", "Open WebUI"

    def recognizes(self, files: Files) -> bool:
        """True if a file has such chats."""
        head = first_object(files)
        return bool(_CHAT.search(head) and _INSIDE.search(head))

    def read(self, files: Files) -> Iterator[Found]:
        """Read chat by chat."""
        for name in files.ending(".json"):
            found = records(files, name, "chats", lone=lambda value: "chat" in value)
            yield from each_read(found, _conversation)


def _conversation(found: Json) -> ImportedConversation:
    chat = fields.record(found.get("chat"))
    history = fields.record(chat.get("history"))
    messages = history.get("messages")
    if isinstance(messages, dict) and messages:
        nodes = [_node(key, each) for key, each in messages.items() if isinstance(each, dict)]
    else:
        nodes = _listed(chat)
    current = fields.identity(history.get("currentId") or chat.get("currentId"))
    if current not in {node.id for node in nodes}:
        last = list(fields.records(chat.get("messages")))[-1:]
        fallback = chat.get("branchPointMessageId") or (last[0].get("id") if last else None)
        current = fields.identity(fallback)
    tree = tree_of(nodes, current)
    return ImportedConversation(
        id=fields.identity(found.get("id") or chat.get("id")),
        title=fields.name(found.get("title") or chat.get("title")),
        messages=tree.messages,
        shown=tree.shown,
        created=fields.moment(found.get("created_at") or chat.get("timestamp")),
        updated=fields.moment(found.get("updated_at")),
        system_prompt=fields.text(value_in(chat, "params", "system") or chat.get("system")),
        folder=fields.name(value_in(found, "folder", "name")),
        pinned=found.get("pinned") is True,
        archived=found.get("archived") is True,
        notes=tree.notes,
    )


def _listed(chat: Json) -> list[Node]:
    """The nodes of a chat that has only the branch that was shown."""
    nodes: list[Node] = []
    for place, each in enumerate(fields.records(chat.get("messages"))):
        node = _node(fields.identity(each.get("id")) or str(place), each)
        node.parent = node.parent or (nodes[-1].id if nodes else None)
        nodes.append(node)
    return nodes


def _node(key: str, found: Json) -> Node:
    parent = fields.identity(found.get("parentId")) or None
    children = [each for each in fields.items(found.get("childrenIds")) if isinstance(each, str)]
    return Node(key, parent, children, _message(key, found))


def _message(key: str, found: Json) -> ImportedMessage | None:
    role = fields.role(found.get("role"))
    parts, seconds = _parts(found)
    if role is None or not parts:
        return None
    answers = role is Role.ASSISTANT
    if not answers:
        parts = tuple(part for part in parts if not isinstance(part, Thinking))
    thumb = fields.number(value_in(found, "annotation", "rating"))
    ratings = {1.0: Rating.UP, -1.0: Rating.DOWN}
    return ImportedMessage(
        id=key,
        parent=None,
        role=role,
        parts=parts,
        created=fields.moment(found.get("timestamp")),
        model=fields.name(found.get("model") or found.get("modelName")) if answers else "",
        rating=ratings.get(thumb) if answers and thumb else None,
        thinking_s=seconds if answers else None,
    )


def _parts(found: Json) -> tuple[tuple[AnyPart, ...], float | None]:
    """The parts of a message and the seconds of its thinking."""
    parts, seconds = list(_output(found)), None
    if not any(isinstance(part, Text) for part in parts):
        thought = bool(parts)
        for part in _content(found.get("content")):
            if isinstance(part, Text):
                said, thinking, seconds = _apart(part.text)
                parts += [] if thought else [Thinking(thinking)]
                parts.append(Text(said))
            else:
                parts.append(part)
    for each in fields.records(found.get("files")):
        parts.append(_file(each))
    return fields.arranged(parts), seconds


def _output(found: Json) -> Iterator[AnyPart]:
    """What newer versions write: items of thinking and words, and of tools, which are left out."""
    for each in fields.records(found.get("output")):
        match each.get("type"):
            case "reasoning":
                inside = fields.items(each.get("content")) or fields.items(each.get("summary"))
                yield Thinking("\n\n".join(fields.text(value_in(one, "text")) for one in inside))
            case "message":
                for one in fields.records(each.get("content")):
                    yield Text(fields.text(one.get("text")))


def _content(found: object) -> Iterator[AnyPart]:
    if isinstance(found, str):
        yield Text(fields.text(found))
    for each in fields.records(found if isinstance(found, list) else []):
        address = value_in(each, "image_url", "url")
        if isinstance(address, str):
            yield file_of_url(address)
        else:
            yield Text(fields.text(each.get("text") or each.get("content")))


def _apart(content: str) -> tuple[str, str, float | None]:
    """Words, thinking and its seconds; other folds of tools are left out of the words."""
    if "<details" not in content:
        return content, "", None
    thoughts: list[str] = []
    seconds: float | None = None

    def take(fold: re.Match[str]) -> str:
        nonlocal seconds
        attributes = fold["attributes"]
        if 'type="reasoning"' in attributes:
            thoughts.append(_QUOTED.sub("", html.unescape(fold["inside"].strip())))
            if duration := _DURATION.search(attributes):
                seconds = fields.number(duration[1])
            return ""
        return "" if 'type="tool_calls"' in attributes else fold[0]

    said = _DETAILS.sub(take, content)
    return said, "\n\n".join(thoughts), seconds


def _file(found: Json) -> ImportedFile:
    address = fields.text(found.get("url"))
    name = fields.name(found.get("name") or value_in(found, "file", "filename"))
    return file_of_url(address, name or fields.name(found.get("type")))
