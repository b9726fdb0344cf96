"""Exports for tests: written as files, read as the import reads them."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.imported import ImportedConversation, ImportedMessage, Unread
from chatdesk.exchange.conversations.files import open_files
from chatdesk.exchange.conversations.formats import format_of

PICTURE = b"\x89PNG\r\n\x1a\n of a cat"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an export gave."""

    format: str
    chats: Sequence[ImportedConversation]
    unread: Sequence[Unread]


def read(path: Path) -> Reading:
    """Read an export, its files too."""
    with closing(open_files(path)) as files:
        known = format_of(files)
        found = list(known.read(files))
    chats = [each for each in found if isinstance(each, ImportedConversation)]
    return Reading(known.id, chats, [each for each in found if isinstance(each, Unread)])


def written(folder: Path, value: object, name: str = "export.json") -> Path:
    """Write JSON, or text as it is."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def zipped(path: Path, files: Mapping[str, object]) -> Path:
    """Write a zip; texts and bytes as they are, and other values as JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            archive.writestr(name, value if isinstance(value, str | bytes) else json.dumps(value))
    return path


def said(chat: ImportedConversation) -> dict[str, str]:
    """The texts by the ids of their messages."""
    return {message.id: message.text for message in chat.messages}


def parents(chat: ImportedConversation) -> dict[str, str | None]:
    """The tree: each message's parent."""
    return {message.id: message.parent for message in chat.messages}


def shown(chat: ImportedConversation) -> list[str]:
    """The ids of the branch that is shown."""
    by_id: Mapping[str, ImportedMessage] = {message.id: message for message in chat.messages}
    path: list[str] = []
    at = chat.shown
    while at is not None:
        path.append(at)
        at = by_id[at].parent
    return path[::-1]
