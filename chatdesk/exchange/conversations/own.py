"""ChatDesk's own JSON: everything of a conversation, so that it comes back equal.

`docs/conversations.schema.json` describes it. Files of messages lie in `attachments` beside it,
named by their SHA-256.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO

import msgspec

from chatdesk.core.chat import AnswerRecord, Mark, MessageState, Rating, Role, TitleSource
from chatdesk.core.i18n import tr
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    ImportedFile,
    ImportedMessage,
    OwnRecord,
    Unreadable,
)
from chatdesk.core.parts import (
    Attachment,
    Audio,
    Image,
    Part,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from chatdesk.exchange.conversations.fields import AnyPart, Json, record
from chatdesk.exchange.conversations.fields import records as objects
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import each_read, records

ATTACHMENTS = "attachments"  # the folder beside the file
VERSION = 1
_ITS_OWN = re.compile(rb'\s*\{\s*"format"\s*:\s*"chatdesk"')
_PARTS: dict[str, type[Part]] = {
    "text": Text,
    "thinking": Thinking,
    "image": Image,
    "audio": Audio,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
    "source": Source,
    "attachment": Attachment,
}
_NAMES = {kind: name for name, kind in _PARTS.items()}


class Own:
    """Recognized by its first words."""

    id, app = "chatdesk", "ChatDesk"

    def recognizes(self, files: Files) -> bool:
        """True if a file begins as ours do."""
        return any(_ITS_OWN.match(files.head(name)) for name in files.ending(".json")[:20])

    def read(self, files: Files) -> Iterator[Found]:
        """Read conversation by conversation."""
        for name in files.ending(".json"):
            if _ITS_OWN.match(files.head(name)):
                folder = name.rpartition("/")[0]
                read = partial(_conversation, files=_Attachments(files, folder))
                yield from each_read(records(files, name, "conversations"), read)


def write(stream: BinaryIO, conversations: Iterable[ImportedConversation]) -> None:
    """Write conversations as they come, one on a line. Raises `OSError`."""
    stream.write(f'{{"format": "chatdesk", "version": {VERSION}, "conversations": ['.encode())
    for number, conversation in enumerate(conversations):
        text = json.dumps(_document(conversation), ensure_ascii=False)
        stream.write(b",\n" if number else b"\n")
        stream.write(text.encode("utf-8", "replace"))
    stream.write(b"\n]}\n")


class _Attachments:
    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._folder = f"{folder}/{ATTACHMENTS}/" if folder else f"{ATTACHMENTS}/"
        self._names = set(files.names)

    def opened(self, sha256: str) -> "partial[BinaryIO] | None":
        """Return what opens a file, None where it is not there."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            return None
        if (name := self._folder + sha256) in self._names:
            return partial(self._files.open, name)
        beside = self._files.path.parent / ATTACHMENTS / sha256
        if self._files.path.is_file() and beside.is_file() and not beside.is_symlink():
            return partial(beside.open, "rb")
        return None


def _document(conversation: ImportedConversation) -> Json:
    own = conversation.own
    assert own is not None
    return {
        "id": conversation.id,
        "title": conversation.title,
        "title_source": own.title_source,
        "system_prompt": conversation.system_prompt,
        "created": _iso(conversation.created),
        "updated": _iso(conversation.updated),
        "deleted": _iso(own.deleted),
        "active_leaf": conversation.shown,
        "mark": own.mark,
        "adapter": own.adapter,
        "project": (conversation.folder and {"name": conversation.folder, "colour": own.colour})
        or None,
        "pinned": conversation.pinned,
        "archived": conversation.archived,
        "origin": own.origin and {"source": own.origin[0], "id": own.origin[1]},
        "messages": [
            _message_document(message, own.message_origins.get(message.id))
            for message in conversation.messages
        ],
    }


def _message_document(message: ImportedMessage, source_id: str | None) -> Json:
    return {
        "id": message.id,
        "parent": message.parent,
        "role": message.role,
        "state": message.state,
        "created": _iso(message.created),
        "parts": [
            {"type": _NAMES[type(part)], **msgspec.to_builtins(part)}
            for part in message.parts
            if not isinstance(part, ImportedFile)
        ],
        "answer": message.answer and msgspec.to_builtins(message.answer),
        "pinned": message.pinned,
        "rating": message.rating,
        "mark": message.mark,
        "corrects": message.corrects,
        "hidden": _iso(message.hidden),
        "source_id": source_id,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _conversation(found: Json, files: _Attachments) -> ImportedConversation:
    read = [(_message(each, files), each.get("source_id")) for each in objects(found["messages"])]
    _check_order([message for message, _ in read])
    project, origin = record(found.get("project")), record(found.get("origin"))
    return ImportedConversation(
        id=str(found["id"]),
        title=str(found["title"]),
        messages=tuple(message for message, _ in read),
        shown=found["active_leaf"],
        created=_moment(found["created"]),
        updated=_moment(found["updated"]),
        system_prompt=str(found["system_prompt"]),
        folder=str(project.get("name", "")),
        pinned=found.get("pinned") is True,
        archived=found.get("archived") is True,
        own=OwnRecord(
            title_source=TitleSource(found["title_source"]),
            mark=_choice(Mark, found.get("mark")),
            adapter=_text(found.get("adapter")),
            deleted=_moment(found.get("deleted")),
            colour=str(project.get("colour", "")),
            origin=(str(origin["source"]), str(origin["id"])) if origin else None,
            message_origins={message.id: str(said) for message, said in read if said is not None},
        ),
    )


def _check_order(messages: Sequence[ImportedMessage]) -> None:
    before: set[str] = set()
    for message in messages:
        if message.id in before or (message.parent and message.parent not in before):
            raise Unreadable(
                tr("Its messages are not in order: a parent comes before its answers.")
            )
        before.add(message.id)


def _message(found: Json, files: _Attachments) -> ImportedMessage:
    answer = found.get("answer")
    state = MessageState(found["state"])
    return ImportedMessage(
        id=str(found["id"]),
        parent=_text(found["parent"]),
        role=Role(found["role"]),
        state=MessageState.INTERRUPTED if state is MessageState.STREAMING else state,
        created=_moment(found["created"]),
        parts=tuple(_part(each, files) for each in objects(found["parts"])),
        answer=None if answer is None else msgspec.convert(answer, AnswerRecord),
        pinned=found.get("pinned") is True,
        rating=_choice(Rating, found.get("rating")),
        mark=_choice(Mark, found.get("mark")),
        corrects=_text(found.get("corrects")),
        hidden=_moment(found.get("hidden")),
    )


def _part(found: Json, files: _Attachments) -> AnyPart:
    kind = _PARTS[found["type"]]
    named = {field.name for field in fields_of(kind)}
    part = msgspec.convert({key: found[key] for key in named & found.keys()}, kind)
    if isinstance(part, Image | Audio | Attachment):
        return ImportedFile(part.name, part.media_type, files.opened(part.sha256), part)
    return part


def _moment(found: object) -> datetime | None:
    if found is None:
        return None
    moment = datetime.fromisoformat(str(found))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(found: object) -> str | None:
    return None if found is None else str(found)


def _choice(kind: Any, found: object) -> Any:
    return None if found is None else kind(found)
