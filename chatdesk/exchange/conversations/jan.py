"""Jan's threads: a folder each, with `thread.json` and one message a line in `messages.jsonl`."""

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from chatdesk.core.chat import MessageState, Role
from chatdesk.core.i18n import tr
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    ImportedMessage,
    Unread,
    Unreadable,
)
from chatdesk.core.parts import Text, Thinking
from chatdesk.core.unicode import sound_json
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.data_url import file_of_url
from chatdesk.exchange.conversations.fields import AnyPart, Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import value_in
from chatdesk.exchange.conversations.json_stream import decoded
from chatdesk.exchange.conversations.trees import line_of

_MESSAGES, _THREAD = "messages.jsonl", "thread.json"
_ITS_OWN = re.compile(rb'"thread_id"\s*:|"object"\s*:\s*"thread')
_LARGEST = 128_000_000
_STATES = {"error": MessageState.FAILED, "stopped": MessageState.STOPPED}


class Jan:
    """Recognized by threads, or by lines of messages that name theirs."""

    id, app = "jan", "Jan"

    def recognizes(self, files: Files) -> bool:
        """True if a file is such a thread."""
        named = files.ending(_MESSAGES, _THREAD)[:8]
        return any(_ITS_OWN.search(files.head(name)) for name in named)

    def read(self, files: Files) -> Iterator[Found]:
        """Read thread by thread; a cut line costs that message only."""
        folders: dict[str, None] = {}
        for name in files.ending(_MESSAGES, _THREAD):
            folders[str(PurePosixPath(name).parent)] = None
        names = set(files.names)
        for folder in folders:
            yield from _thread(files, "" if folder == "." else f"{folder}/", names)


def _thread(files: Files, folder: str, names: set[str]) -> Iterator[Found]:
    try:
        thread = _object(files, folder + _THREAD) if folder + _THREAD in names else {}
    except Unreadable as problem:
        thread = {}
        yield Unread(folder + _THREAD, str(problem), conversation=False)
    assistants = list(fields.records(thread.get("assistants")))
    assistant = assistants[0] if assistants else {}
    model = fields.name(value_in(assistant, "model", "id") or assistant.get("assistant_name"))
    messages: list[ImportedMessage] = []
    prompt = fields.text(assistant.get("instructions"))
    try:
        lines = list(_lines(files, folder + _MESSAGES)) if folder + _MESSAGES in names else []
    except Unreadable as problem:
        yield Unread(folder + _MESSAGES, str(problem))
        return
    for place, line in enumerate(lines):
        if isinstance(line, Unread):
            yield line
        elif line.get("role") == "system":
            prompt = _words(line) or prompt
        elif message := _message(line, place, model):
            messages.append(message)
    line_up = line_of(messages)
    own_id = PurePosixPath(folder).name or files.path.name
    yield ImportedConversation(
        id=fields.identity(thread.get("id")) or own_id,
        title=fields.name(thread.get("title") or value_in(thread, "metadata", "title")),
        messages=line_up,
        shown=line_up[-1].id if line_up else None,
        created=fields.moment(thread.get("created")),
        updated=fields.moment(thread.get("updated")),
        system_prompt=prompt,
        pinned=thread.get("isFavorite") is True
        or value_in(thread, "metadata", "is_favorite") is True,
    )


def _object(files: Files, name: str) -> Json:
    return fields.record(decoded(files.read(name, _LARGEST)))


def _lines(files: Files, name: str) -> Iterator[Json | Unread]:
    """The objects of the lines, several of which may be on one."""
    decoder = json.JSONDecoder(strict=False)
    text = files.read(name, _LARGEST).decode("utf-8", "replace").removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n"), 1):
        rest = line.strip().strip("\0")
        while rest:
            try:
                found, end = decoder.raw_decode(rest)
            except (ValueError, RecursionError):
                where = tr("{file}, line {number}", file=name, number=number)
                yield Unread(where, tr("The line is cut off or damaged."), conversation=False)
                break
            yield fields.record(sound_json(found))
            rest = rest[end:].lstrip(", \r\t")


def _message(found: Json, place: int, model: str) -> ImportedMessage | None:
    role = fields.role(found.get("role"))
    answers = role is Role.ASSISTANT
    parts = fields.arranged(list(_parts(found, answers=answers)))
    if role is None or not parts:
        return None
    state = _STATES.get(fields.text(found.get("status")), MessageState.COMPLETE)
    named = value_in(found, "metadata", "modelId") or value_in(found, "metadata", "model")
    return ImportedMessage(
        id=fields.identity(found.get("id")) or str(place),
        parent=None,
        role=role,
        parts=parts,
        created=fields.moment(found.get("created_at")),
        model=(fields.name(named) or model) if answers else "",
        state=state if answers else MessageState.COMPLETE,
    )


def _words(found: Json) -> str:
    return "\n\n".join(part.text for part in _parts(found, answers=False) if isinstance(part, Text))


def _parts(found: Json, *, answers: bool) -> Iterator[AnyPart]:
    content = found.get("content")
    if isinstance(content, str):
        yield Text(fields.text(content))
    for each in fields.records(content if isinstance(content, list) else []):
        said = value_in(each, "text", "value") or each.get("text") or each.get("reasoning")
        match each.get("type"):
            case "text":
                yield Text(fields.text(said))
            case "reasoning" if answers:
                yield Thinking(fields.text(said))
            case "image_url":
                yield file_of_url(fields.text(value_in(each, "image_url", "url")))
