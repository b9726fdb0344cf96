"""LM Studio's conversations: a file each, `*.conversation.json`, in folders that are the user's.

A message has versions, of which one is selected: they are siblings here. Attached files lie in
`user-files` beside `conversations`.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

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

_ENDING = ".conversation.json"
_VERSIONS = re.compile(rb'"versions"\s*:\s*\[')
_PROMPT = "llm.prediction.systemPrompt"
_OUTER = {"conversations", "lmstudio", ".lmstudio"}  # folders that are not the user's


class LmStudio:
    """Recognized by messages with versions."""

    id, app = "lm-studio", "LM Studio"

    def recognizes(self, files: Files) -> bool:
        """True if a file has such messages, or is named as theirs."""
        if files.ending(_ENDING):
            return True
        return any(_VERSIONS.search(files.head(name)) for name in files.ending(".json")[:8])

    def read(self, files: Files) -> Iterator[Found]:
        """Read file by file."""
        for name in files.ending(_ENDING) or files.ending(".json"):
            found = records(files, name, lone=lambda value: "messages" in value)
            yield from each_read(found, partial(_conversation, name, _UserFiles(files)))


class _UserFiles:
    """The files that messages name: those of the export, or on this computer beside it."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def file(self, name: str, media_type: str) -> ImportedFile:
        """Return a file, also if it is not there."""
        inside = [each for each in self._files.names if PurePosixPath(each).name == name]
        if inside:
            return ImportedFile(name, media_type, partial(self._files.open, inside[0]))
        plain = name and PurePosixPath(name).name == name and "\\" not in name
        for folder in (self._files.path, *self._files.path.parents)[:6] if plain else ():
            path = folder / "user-files" / name
            if path.is_file() and not path.is_symlink():
                opener: partial[BinaryIO] = partial(path.open, "rb")
                return ImportedFile(name, media_type, opener)
        return ImportedFile(name, media_type, None)


def _conversation(name: str, files: _UserFiles, found: Json) -> ImportedConversation:
    nodes: list[Node] = []
    above: str | None = None
    model = fields.name(
        fields.record(found.get("lastUsedModel")).get("identifier")
        or fields.record(found.get("lastUsedModel")).get("indexedModelIdentifier")
    )
    for place, each in enumerate(fields.records(found.get("messages"))):
        versions = list(fields.records(each.get("versions")))
        chosen = fields.number(each.get("currentlySelected"))
        selected = int(chosen) if chosen is not None and 0 <= chosen < len(versions) else -1
        siblings = [
            Node(f"{place}.{number}", above, (), _message(f"{place}.{number}", one, files, model))
            for number, one in enumerate(versions)
        ]
        nodes += siblings
        above = siblings[selected].id if siblings else above
    tree = tree_of(nodes, above)
    return ImportedConversation(
        id=PurePosixPath(name).name.removesuffix(_ENDING),
        title=fields.name(found.get("name")),
        messages=tree.messages,
        shown=tree.shown,
        created=fields.moment(found.get("createdAt")),
        updated=_updated(found),
        system_prompt=_system_prompt(found),
        folder=_folder(name),
        pinned=found.get("pinned") is True,
        notes=tree.notes,
    )


def _folder(name: str) -> str:
    """The user's folders of a file: those below `conversations`."""
    folders = list(PurePosixPath(name).parts[:-1])
    if "conversations" in folders:
        folders = folders[folders.index("conversations") + 1 :]
    return " / ".join(each for each in folders if each not in _OUTER)


def _updated(found: Json) -> datetime | None:
    said = ("assistantLastMessagedAt", "userLastMessagedAt")
    moments = [moment for key in said if (moment := fields.moment(found.get(key)))]
    return max(moments, default=None)


def _system_prompt(found: Json) -> str:
    prediction = fields.record(found.get("perChatPredictionConfig"))
    for each in fields.records(prediction.get("fields")):
        if each.get("key") == _PROMPT and (prompt := fields.text(each.get("value"))):
            return prompt
    return fields.text(found.get("systemPrompt"))


def _message(message_id: str, found: Json, files: _UserFiles, model: str) -> ImportedMessage | None:
    role = fields.role(found.get("role"))
    parts = list(_parts(found.get("content"), files))
    seen_model = fields.name(fields.record(found.get("senderInfo")).get("senderName"))
    for step in fields.records(found.get("steps")):
        thinks = fields.record(step.get("style")).get("type") == "thinking"
        for part in _parts(step.get("content"), files):
            is_thought = thinks and isinstance(part, Text)
            parts.append(Thinking(part.text) if is_thought else part)  # type: ignore[union-attr]
        model = fields.name(fields.record(step.get("genInfo")).get("identifier")) or model
    if role is None or not (arranged := fields.arranged(parts)):
        return None
    message = ImportedMessage(message_id, None, role, arranged)
    return replace(message, model=seen_model or model) if role is Role.ASSISTANT else message


def _parts(found: object, files: _UserFiles) -> Iterator[AnyPart]:
    for each in fields.records(found):
        if each.get("type") == "file":
            name = fields.name(each.get("fileIdentifier") or each.get("name"))
            media_type = "image/jpeg" if each.get("fileType") == "image" else ""
            yield files.file(name, media_type)
        elif (said := fields.text(each.get("text"))) and not each.get("isStructural"):
            yield Text(said)
