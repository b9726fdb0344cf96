"""ChatGPT's export: a zip or folder with `conversations.json`, or with numbered shards of it.

A conversation is a tree by `mapping`; what is said to tools and by them is passed over, and the
tree stays joined. Of some files only the pointer is in the export.
"""

import mimetypes
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property, partial
from pathlib import PurePosixPath

from chatdesk.core.chat import Role
from chatdesk.core.i18n import tr
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    ImportedFile,
    ImportedMessage,
    Unreadable,
)
from chatdesk.core.parts import Text
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.fields import AnyPart, Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import each_read, records, value_in
from chatdesk.exchange.conversations.trees import Node, tree_of

_NAME = re.compile(r"conversations(-\d+)?\.json", re.IGNORECASE)
_MAPPING = re.compile(rb'"mapping"\s*:\s*\{')
_SHARD = re.compile(rb'\s*(\[|\{\s*"conversations"\s*:\s*\[)')
_CITATION = re.compile("\ue200[^\ue200\ue201]*\ue201")
_POINTER = re.compile(r"file[-_][A-Za-z0-9]+")


class ChatGpt:
    """Reads every shard, in the order of their names."""

    id, app = "chatgpt", "ChatGPT"

    def recognizes(self, files: Files) -> bool:
        """True if a file has a mapping of nodes."""
        return any(_MAPPING.search(files.head(name)) for name in _shards(files)[:4])

    def read(self, files: Files) -> Iterator[Found]:
        """Read chat by chat."""
        assets = _Assets(files)
        for name in _shards(files):
            if _SHARD.match(files.head(name)):
                found = records(files, name, "conversations")
            else:
                found = records(files, name, "conversations", lone=lambda value: "mapping" in value)
            yield from each_read(found, partial(_conversation, assets=assets))


def _shards(files: Files) -> list[str]:
    """The files with conversations; a single file may have any name."""
    names = files.ending(".json")
    named = [name for name in names if _NAME.fullmatch(PurePosixPath(name).name)]
    return sorted(named) if named else names if len(names) == 1 else []


class _Assets:
    """The pictures and sounds of an export by the pointers that messages have to them."""

    def __init__(self, files: Files) -> None:
        self._files = files

    @cached_property
    def _names(self) -> dict[str, str]:
        found = {}
        for name in self._files.names:
            if match := _POINTER.match(PurePosixPath(name).name):
                found[match[0]] = name
        return found

    def file(self, pointer: str, name: str = "", media_type: str = "") -> ImportedFile:
        """Return the file that a pointer or an id means, also if it is not there."""
        match = _POINTER.match(PurePosixPath(pointer).name)
        there = self._names.get(match[0]) if match else None
        name = name or PurePosixPath(there or pointer).name
        guessed = mimetypes.guess_type(there or name)[0] or "application/octet-stream"
        opener = partial(self._files.open, there) if there else None
        return ImportedFile(name, media_type or guessed, opener)


def _conversation(found: Json, assets: _Assets) -> ImportedConversation:
    mapping = found.get("mapping")
    if not isinstance(mapping, dict):
        raise Unreadable(tr("It has no messages in it."))
    model = fields.name(found.get("default_model_slug") or found.get("model_slug"))
    tree = tree_of(
        (
            _node(key, node, model, assets)
            for key, node in mapping.items()
            if isinstance(node, dict)
        ),
        fields.identity(found.get("current_node")),
    )
    return ImportedConversation(
        id=fields.identity(found.get("conversation_id") or found.get("id")),
        title=fields.name(found.get("title")),
        messages=tree.messages,
        shown=tree.shown,
        created=fields.moment(found.get("create_time")),
        updated=fields.moment(found.get("update_time")),
        pinned=bool(found.get("is_starred") or found.get("pinned_time")),
        archived=bool(found.get("is_archived")),
        notes=tree.notes,
    )


def _node(key: str, found: Json, model: str, assets: _Assets) -> Node:
    parent = found.get("parent")
    children = [each for each in fields.items(found.get("children")) if isinstance(each, str)]
    node = Node(key, parent if isinstance(parent, str) else None, children)
    if isinstance(message := found.get("message"), dict):
        _fill(node, message, model, assets)
    return node


def _fill(node: Node, message: Json, model: str, assets: _Assets) -> None:
    """Give a node its message or its thinking, if it has one for people."""
    content = message.get("content")
    metadata = fields.record(message.get("metadata"))
    if isinstance(content, str):
        content = {"content_type": "text", "parts": [content]}
    content = fields.record(content)
    kind = fields.text(content.get("content_type"))
    author = value_in(message, "author", "role")
    to_all = message.get("recipient") in (None, "", "all")
    if metadata.get("is_visually_hidden_from_conversation"):
        return
    if kind == "thoughts" or (author == "assistant" and message.get("channel") == "analysis"):
        node.thinking = _thinking(content)
        return
    role = fields.role(author)
    if author == "tool" and kind == "multimodal_text":  # a picture that was made
        role = Role.ASSISTANT
    if role not in {Role.USER, Role.ASSISTANT} or not to_all:
        return
    parts = _parts(content, kind, metadata, assets)
    if not parts or (author == "tool" and not any(isinstance(p, ImportedFile) for p in parts)):
        return
    answers = role is Role.ASSISTANT
    node.message = ImportedMessage(
        id=node.id,
        parent=None,
        role=role,
        parts=parts,
        created=_created(message),
        model=(fields.name(metadata.get("model_slug")) or model) if answers else "",
    )


def _created(message: Json) -> datetime | None:
    return fields.moment(message.get("create_time") or message.get("update_time"))


def _thinking(content: Json) -> str:
    thoughts = [
        "\n\n".join(
            filter(None, (fields.text(each.get("summary")), fields.text(each.get("content"))))
        )
        for each in fields.records(content.get("thoughts"))
    ]
    said = [each for each in fields.items(content.get("parts")) if isinstance(each, str)]
    return "\n\n".join(
        each for each in (*thoughts, *said, fields.text(content.get("text"))) if each
    )


_NOT_SAID = {
    "user_editable_context", "model_editable_context", "reasoning_recap", "tether_quote",
    "tether_browsing_display", "sonic_webpage", "system_error", "execution_output",
    "computer_output", "app_pairing_content", "browser_window",
}  # fmt: skip


def _parts(content: Json, kind: str, metadata: Json, assets: _Assets) -> tuple[AnyPart, ...]:
    if kind in _NOT_SAID:
        return ()
    found: list[AnyPart] = []
    if kind == "code" and (code := fields.text(content.get("text"))):
        language = fields.name(content.get("language")).replace("unknown", "")
        found.append(Text(f"```{language}\n{code}\n```"))
    elif said := fields.text(content.get("text")):
        found.append(Text(_without_marks(said)))
    for part in fields.items(content.get("parts")):
        found += _part(part, assets)
    named = {part.name for part in found if isinstance(part, ImportedFile)}
    for each in fields.records(metadata.get("attachments")):
        file = assets.file(
            fields.identity(each.get("id")),
            fields.name(each.get("name")),
            fields.name(each.get("mime_type") or each.get("mimeType")),
        )
        if file.name not in named and not _is_pictured(each, content):
            found.append(file)
    if not found and kind not in {"text", "multimodal_text", "code", ""}:
        found.append(_unknown(kind))
    return fields.arranged(found)


def _is_pictured(attachment: Json, content: Json) -> bool:
    """True if one of the parts already is this attachment."""
    its_id = fields.identity(attachment.get("id"))
    pointers = (
        fields.text(each.get("asset_pointer")) for each in fields.records(content.get("parts"))
    )
    return bool(its_id) and any(its_id in pointer for pointer in pointers)


def _part(part: object, assets: _Assets) -> list[AnyPart]:
    if isinstance(part, str):
        return [Text(_without_marks(fields.text(part)))]
    if not isinstance(part, dict):
        return []
    kind = fields.text(part.get("content_type"))
    if said := fields.text(part.get("text")):  # an audio_transcription, or a text as an object
        return [Text(_without_marks(said))]
    pointers = [part, *(fields.record(part.get(key)) for key in _NESTED)]
    files = [
        assets.file(pointer, media_type="" if "." in pointer else _MEDIA.get(kind, ""))
        for pointer in (fields.text(each.get("asset_pointer")) for each in pointers)
        if pointer
    ]
    if files or kind == "audio_transcription":
        return list(files)
    return [_unknown(kind or "?")]


_NESTED = ("audio_asset_pointer", "video_container_asset_pointer")
_MEDIA = {
    "image_asset_pointer": "image/png",
    "audio_asset_pointer": "audio/wav",
    "real_time_user_audio_video_asset_pointer": "audio/wav",
    "video_container_asset_pointer": "video/mp4",
}


def _unknown(kind: str) -> Text:
    return Text(tr("[Not shown: {kind}]", kind=kind))


def _without_marks(said: str) -> str:
    """Leave out marks of citations that only ChatGPT's page can show."""
    return _CITATION.sub("", said) if "\ue200" in said else said
