"""ShareGPT's and OpenAI's chats, one on each line or in an array: what models are trained with.

`{"conversations": [{"from": "human", "value": "…"}]}` or
`{"messages": [{"role": "user", "content": "…"}]}`.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from chatdesk.core.chat import Role
from chatdesk.core.i18n import tr
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    ImportedMessage,
    Unread,
    Unreadable,
)
from chatdesk.core.parts import Text
from chatdesk.core.units import MB
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.data_url import file_of_url
from chatdesk.exchange.conversations.fields import AnyPart, Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import Record, each_read, records, value_in
from chatdesk.exchange.conversations.json_stream import decoded
from chatdesk.exchange.conversations.trees import line_of

_CHAT = re.compile(
    rb'"(?:conversations|conversation|messages)"\s*:\s*\[\s*(?:\]|\{\s*"(?:from|value|role|content|weight|name)"\s*:)'
)
_LARGEST_LINE = 128 * MB


class ChatLines:
    """Recognized by lists of messages with a role and content, or a name and a value."""

    id, app = "chat-jsonl", "ShareGPT, JSONL"

    def recognizes(self, files: Files) -> bool:
        """True if a file has such a chat."""
        return bool(_chat_files(files))

    def read(self, files: Files) -> Iterator[Found]:
        """Read line by line, or item by item."""
        for name in _chat_files(files):
            begins = files.head(name).lstrip()[:1]
            found = records(files, name) if begins == b"[" else _lines(files, name)
            yield from each_read(found, _conversation)


def _chat_files(files: Files) -> list[str]:
    names = files.ending(".jsonl", ".json", ".ndjson")
    return [name for name in names[:100] if _CHAT.search(files.head(name))]


def _lines(files: Files, name: str) -> Iterator[Record | Unread]:
    if not name.lower().endswith((".jsonl", ".ndjson")):
        head = files.head(name)
        if b"\n" in head.strip() and not _is_object(head.split(b"\n")[0]):  # one, written out
            yield from records(files, name, lone=lambda value: bool(_said(value)))
            return
    try:
        with files.open(name) as file:
            for number, line in enumerate(_cut(file), 1):
                if line.strip(b" \t\r\0\xef\xbb\xbf"):
                    yield _record(line, tr("{file}, line {number}", file=name, number=number))
    except Unreadable as problem:
        yield Unread(name, str(problem))


def _is_object(line: bytes) -> bool:
    return line.strip()[-1:] == b"}"


def _record(line: bytes, where: str) -> Record | Unread:
    try:
        value = decoded(line.strip(b" \t\r\0\xef\xbb\xbf"))
    except Unreadable as problem:
        return Unread(where, str(problem))
    if isinstance(value, dict) and _said(value):
        return Record(where, value)
    return Unread(where, tr("This is no chat."))


def _cut(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, none longer than memory allows."""
    waiting = b""
    while piece := file.read(1 << 20):
        *lines, rest = piece.split(b"\n")
        if lines:
            yield waiting + lines[0]
            yield from lines[1:]
            waiting = rest
        else:
            waiting += rest
        if len(waiting) > _LARGEST_LINE:
            raise Unreadable(tr("A line is too long; from there on the file was not read."))
    yield waiting


def _said(found: Json) -> list[Json]:
    for key in ("messages", "conversations", "conversation"):
        if isinstance(found.get(key), list):
            return list(fields.records(found[key]))
    return []


def _conversation(found: Json) -> ImportedConversation:
    messages: list[ImportedMessage] = []
    prompts: list[str] = []
    for place, each in enumerate(_said(found)):
        role = fields.role(each.get("role") or each.get("from"))
        parts = fields.arranged(list(_parts(each, role)))
        if role is Role.SYSTEM:
            prompts += [part.text for part in parts if isinstance(part, Text)]
        elif role and parts:
            message_id = fields.identity(each.get("id")) or str(place)
            created = fields.moment(each.get("timestamp") or each.get("created"))
            messages.append(ImportedMessage(message_id, None, role, parts, created))
    line = line_of(messages)
    return ImportedConversation(
        id=fields.identity(found.get("id")),
        title=fields.name(found.get("title")),
        messages=line,
        shown=line[-1].id if line else None,
        created=fields.moment(found.get("created")),
        system_prompt="\n\n".join(prompts),
    )


def _parts(found: Json, role: Role | None) -> Iterator[AnyPart]:
    content = found.get("content", found.get("value"))
    thinking = fields.text(found.get("reasoning_content") or found.get("thinking"))
    if role is Role.ASSISTANT:
        yield from fields.words("", thinking)
    if isinstance(content, str):
        yield Text(fields.text(content))
    for each in fields.records(content if isinstance(content, list) else []):
        address = value_in(each, "image_url", "url") or each.get("image")
        if isinstance(address, str) and address:
            yield file_of_url(address)
        else:
            yield Text(fields.text(each.get("text")))
