"""What a format of conversations is, and the reading that formats share."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from chatdesk.core.i18n import tr
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    Unread,
    Unreadable,
)
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.json_stream import JsonStream, decoded


class ConversationFormat(Protocol):
    """The export of one app. `id` is stored with what is imported, `app` is the app's name."""

    @property
    def id(self) -> str:
        """The format's name in the database, which never changes."""
        ...

    @property
    def app(self) -> str:
        """The app's name, for people."""
        ...

    def recognizes(self, files: Files) -> bool:
        """True if these are in this format, by what is in them."""
        ...

    def read(self, files: Files) -> Iterator[Found]:
        """Read the conversations one by one, and say what cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """An object of a file, and its place for the report."""

    where: str
    value: fields.Json


def records(
    files: Files, name: str, *path: str, lone: Callable[[fields.Json], bool] | None = None
) -> Iterator[Record | Unread]:
    """Read the objects of an array: the file's own, or the one below these keys.

    A file that is an object for which `lone` holds is read as one; it is then small.
    """
    try:
        with files.open(name) as file:
            stream = JsonStream(file)
            if stream.begins_with() == b"{" and lone:
                yield from _lone(name, stream.value(), lone, path)
            elif stream.begins_with() == b"[" or (path and stream.find(*path)):
                yield from _listed(name, stream)
    except Unreadable as problem:
        yield Unread(name, str(problem))


def _listed(name: str, stream: JsonStream) -> Iterator[Record | Unread]:
    if stream.begins_with() == b"{":  # by their ids
        items: Iterator[bytes] = (stream.value() for _ in stream.members())
    else:
        items = stream.items()
    for number, data in enumerate(items, 1):
        where = tr("{file}, chat {number}", file=name, number=number)
        try:
            value = decoded(data)
        except Unreadable as problem:
            yield Unread(where, str(problem))
            continue
        if isinstance(value, dict):
            yield Record(where, value)
        elif value is not None:
            yield Unread(where, tr("This is no chat."))


def _lone(
    name: str, data: bytes, lone: Callable[[fields.Json], bool], path: tuple[str, ...]
) -> Iterator[Record | Unread]:
    value = decoded(data)
    if isinstance(value, dict) and lone(value):
        yield Record(name, value)
        return
    for key in path:
        value = fields.record(value).get(key)
    for number, each in enumerate(fields.records(value), 1):
        yield Record(tr("{file}, chat {number}", file=name, number=number), each)


def each_read(
    found: Iterator[Record | Unread], read: Callable[[fields.Json], ImportedConversation]
) -> Iterator[Found]:
    """Read each object; one that is not as expected is a line of the report and nothing more."""
    for each in found:
        if isinstance(each, Unread):
            yield each
            continue
        try:
            conversation = read(each.value)
            yield conversation if conversation.id else _with_id(conversation)
        except Unreadable as problem:
            yield Unread(_title(each), str(problem))
        except _NOT_AS_EXPECTED:
            yield Unread(_title(each), tr("This is not as its app writes it."))


_NOT_AS_EXPECTED = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    msgspec.MsgspecError,
)


def _with_id(conversation: ImportedConversation) -> ImportedConversation:
    """Name a conversation that has no id by all that is said in it."""
    digest = hashlib.sha256(conversation.title.encode())
    for message in conversation.messages:
        digest.update(f"\0{message.role}\0{message.text}".encode("utf-8", "replace"))
    return replace(conversation, id=digest.hexdigest()[:32])


def _title(found: Record) -> str:
    inside = fields.record(found.value.get("conv") or found.value.get("conversation"))
    titles = (
        fields.name(place.get(key)) for place in (found.value, inside) for key in ("title", "name")
    )
    return next((f"“{title}”" for title in titles if title), found.where)


def first_object(files: Files, endings: tuple[str, ...] = (".json",)) -> bytes:
    """The beginnings of the first few files together, to look for a format's words in."""
    return b"\n".join(files.head(name) for name in files.ending(*endings)[:8])


def value_in(found: Any, *path: str) -> Any:
    """The value below these keys, None where there is none."""
    for key in path:
        found = fields.record(found).get(key)
    return found
