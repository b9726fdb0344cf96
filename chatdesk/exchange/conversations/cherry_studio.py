"""Cherry Studio's backups: a zip with one large JSON, or that JSON alone, at times gzipped.

Titles are in texts of JSON inside of its JSON, beside keys of providers, which are not looked at.
The words of messages are in blocks; several answers to a question are siblings.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from chatdesk.core.chat import Role
from chatdesk.core.i18n import tr
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    ImportedFile,
    ImportedMessage,
    Unread,
    Unreadable,
)
from chatdesk.core.parts import Text, Thinking
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.data_url import file_of_url
from chatdesk.exchange.conversations.fields import AnyPart, Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import each_read, records
from chatdesk.exchange.conversations.json_stream import JsonStream, decoded
from chatdesk.exchange.conversations.trees import Node, tree_of

_ITS_OWN = re.compile(rb'"(localStorage|indexedDB)"\s*:\s*\{')
_STORE = "persist:cherry-studio"


class CherryStudio:
    """Recognized by the two stores of a browser in one JSON."""

    id, app = "cherry-studio", "Cherry Studio"

    def recognizes(self, files: Files) -> bool:
        """True if a file has them."""
        return bool(_backup(files))

    def read(self, files: Files) -> Iterator[Found]:
        """Read the blocks first, as bytes, then topic by topic."""
        name = _backup(files)
        backup = _Backup(files)
        try:
            with files.open(name) as file:
                backup.learn(JsonStream(file))
        except Unreadable as problem:
            yield Unread(name, str(problem), conversation=False)
        topics = records(files, name, "indexedDB", "topics")
        yield from each_read(topics, backup.conversation)


def _backup(files: Files) -> str:
    names = [name for name in files.names if not _is_picture(name)][:20]
    return next((name for name in names if _ITS_OWN.search(files.head(name)[:4096])), "")


def _is_picture(name: str) -> bool:
    return name.lower().endswith((".png", ".jpg", ".jpeg", ".webp", ".gif", ".pdf"))


class _Backup:
    """What a topic needs from elsewhere in the backup."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._topics: dict[str, tuple[str, str, str]] = {}  # title, assistant's name and prompt
        self._blocks: dict[str, bytes] = {}
        self._names = {PurePosixPath(name).stem: name for name in files.names}

    def learn(self, stream: JsonStream) -> None:
        """Read titles and blocks."""
        for key in stream.members():
            if key == "localStorage":
                self._learn_titles(decoded(stream.value()))
            elif key == "indexedDB" and stream.begins_with() == b"{":
                for table in stream.members():
                    if table == "message_blocks" and stream.begins_with() == b"[":
                        self._learn_blocks(stream)
                    else:
                        stream.value()
            else:
                stream.value()

    def _learn_titles(self, found: object) -> None:
        store = _inner(fields.record(found).get(_STORE))
        assistants = fields.record(_inner(store.get("assistants")))
        for assistant in fields.records(assistants.get("assistants")):
            about = fields.name(assistant.get("name")), fields.text(assistant.get("prompt"))
            for topic in fields.records(assistant.get("topics")):
                title = fields.name(topic.get("name"))
                self._topics[fields.identity(topic.get("id"))] = (title, *about)

    def _learn_blocks(self, stream: JsonStream) -> None:
        for data in stream.items():
            try:
                block_id = fields.record(decoded(data)).get("id")
            except Unreadable:
                continue
            if isinstance(block_id, str):
                self._blocks[block_id] = data

    def conversation(self, found: Json) -> ImportedConversation:
        """A topic with its messages."""
        topic_id = fields.identity(found.get("id"))
        title, assistant, prompt = self._topics.get(topic_id, ("", "", ""))
        tree = tree_of(*_nodes(list(fields.records(found.get("messages"))), self._message))
        return ImportedConversation(
            id=topic_id,
            title=title or fields.name(found.get("name")),
            messages=tree.messages,
            shown=tree.shown,
            created=fields.moment(found.get("createdAt")),
            updated=fields.moment(found.get("updatedAt")),
            system_prompt=prompt,
            folder=assistant,
            pinned=found.get("pinned") is True,
            notes=tree.notes,
        )

    def _message(self, message_id: str, found: Json) -> ImportedMessage | None:
        role = fields.role(found.get("role"))
        answers = role is Role.ASSISTANT
        parts: list[AnyPart] = []
        seconds: float | None = None
        for block in self._blocks_of(found):
            parts += self._part(block, answers=answers)
            if block.get("type") == "thinking":
                seconds = (fields.number(block.get("thinking_millsec")) or 0) / 1000 or None
        if not parts:  # of older versions
            parts.append(Text(fields.text(found.get("content"))))
        arranged = fields.arranged(parts)
        if role is None or found.get("type") == "clear" or not arranged:
            return None
        model = fields.record(found.get("model"))
        named = fields.name(model.get("name") or model.get("id") or found.get("modelId"))
        return ImportedMessage(
            id=message_id,
            parent=None,
            role=role,
            parts=arranged,
            created=fields.moment(found.get("createdAt")),
            model=named if answers else "",
            thinking_s=seconds if answers else None,
        )

    def _blocks_of(self, found: Json) -> Iterator[Json]:
        for block_id in fields.items(found.get("blocks")):
            if isinstance(block_id, str) and (data := self._blocks.get(block_id)):
                yield fields.record(decoded(data))

    def _part(self, block: Json, *, answers: bool) -> list[AnyPart]:
        said = fields.text(block.get("content"))
        match block.get("type"):
            case "main_text" | "translation" | "code":
                return [Text(said)]
            case "thinking" if answers:
                return [Thinking(said)]
            case "image" | "file" | "video":
                return [self._file(block)]
            case "error" if message := fields.text(
                fields.record(block.get("error")).get("message")
            ):
                return [Text(tr("[Error: {message}]", message=message))]
        return []

    def _file(self, block: Json) -> ImportedFile:
        file = fields.record(block.get("file"))
        name = fields.name(file.get("origin_name") or file.get("name")) or "?"
        there = self._names.get(fields.identity(file.get("id")))
        if there:
            return ImportedFile(name, "", partial(self._files.open, there))
        return file_of_url(fields.text(block.get("url")), name if file else "")


def _inner(found: object) -> Any:
    """JSON that is a text in JSON."""
    try:
        return decoded(found.encode()) if isinstance(found, str) else fields.record(found)
    except Unreadable:
        return {}


def _nodes(
    messages: list[Json], read: Callable[[str, Json], ImportedMessage | None]
) -> tuple[list[Node], str | None]:
    """The nodes of a topic: answers below the question that they name, the chosen one shown."""
    nodes: list[Node] = []
    known: set[str] = set()
    current: str | None = None
    answered: str | None = None  # the question whose answer was chosen already
    for place, each in enumerate(messages):
        node_id = fields.identity(each.get("id")) or str(place)
        asked = fields.identity(each.get("askId"))
        is_answer = each.get("role") == "assistant" and asked in known
        nodes.append(Node(node_id, asked if is_answer else current, (), read(node_id, each)))
        known.add(node_id)
        if not is_answer or answered != asked or each.get("foldSelected") is True:
            current = node_id
        answered = asked if is_answer else None
    return nodes, current
