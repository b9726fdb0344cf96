"""AnythingLLM's exports: rows of questions and answers, as JSON, CSV or Alpaca's JSON.

There are no threads in them: a workspace becomes one conversation.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import cast

from chatdesk.core.chat import Rating, Role
from chatdesk.core.i18n import tr
from chatdesk.core.imported import (
    Found,
    ImportedConversation,
    ImportedMessage,
    Unread,
    Unreadable,
)
from chatdesk.core.parts import Text
from chatdesk.exchange.conversations import fields
from chatdesk.exchange.conversations.data_url import file_of_url
from chatdesk.exchange.conversations.fields import AnyPart, Json
from chatdesk.exchange.conversations.files import Files
from chatdesk.exchange.conversations.format import Record, each_read, first_object, records
from chatdesk.exchange.conversations.trees import line_of

_ROW = re.compile(rb'"prompt"\s*:.*?"response"\s*:', re.DOTALL)
_HEADER = re.compile(rb'"?id"?,"?(prompt|username|workspace)"?,', re.IGNORECASE)
_ALPACA = re.compile(rb'"instruction"\s*:.*?"output"\s*:', re.DOTALL)
_CONTEXT = re.compile(r"\[CONTEXT (\d+)\]:.*?\[END CONTEXT \1\]\s*", re.DOTALL)
_RATINGS = {"GOOD": Rating.UP, "BAD": Rating.DOWN}


class AnythingLlm:
    """Recognized by rows with a prompt and a response, or an instruction and an output."""

    id, app = "anythingllm", "AnythingLLM"

    def recognizes(self, files: Files) -> bool:
        """True if a file has such rows."""
        head = first_object(files)
        return bool(_ROW.search(head) or _ALPACA.search(head) or self._tables(files))

    def read(self, files: Files) -> Iterator[Found]:
        """Read every file, then give each workspace."""
        workspaces: dict[str, list[ImportedMessage]] = {}
        for name in self._tables(files):
            yield from _collect(_rows_of_table(files, name), workspaces)
        for name in files.ending(".json"):
            head = files.head(name)
            if _ROW.search(head):
                yield from _collect(records(files, name), workspaces)
            elif _ALPACA.search(head):
                yield from each_read(records(files, name), _alpaca)
        for workspace, messages in workspaces.items():
            line = line_of(messages)
            shown = line[-1].id if line else None
            yield ImportedConversation(workspace or "-", workspace, line, shown)

    def _tables(self, files: Files) -> list[str]:
        return [name for name in files.ending(".csv") if _HEADER.match(files.head(name))]


def _collect(
    rows: Iterable[Record | Unread], workspaces: dict[str, list[ImportedMessage]]
) -> Iterator[Unread]:
    for place, row in enumerate(rows):
        if isinstance(row, Unread):
            yield row
        else:
            workspace = fields.name(row.value.get("workspace"))
            workspaces.setdefault(workspace, []).extend(_turn(row.value, place))


def _turn(row: Json, place: int) -> Iterator[ImportedMessage]:
    row_id = fields.identity(row.get("id")) or f"row {place}"
    created = fields.moment(row.get("sent_at"))
    asked: list[AnyPart] = [Text(fields.text(row.get("prompt")))]
    asked += [
        file_of_url(fields.text(each.get("image")), fields.name(each.get("name")))
        for each in fields.records(row.get("attachments"))
    ]
    if parts := fields.arranged(asked):
        yield ImportedMessage(f"{row_id} q", None, Role.USER, parts, created)
    rating = _RATINGS.get(fields.text(row.get("rating")).upper())
    if said := fields.words(fields.text(row.get("response"))):
        yield ImportedMessage(f"{row_id} a", None, Role.ASSISTANT, said, created, rating=rating)


def _rows_of_table(files: Files, name: str) -> Iterator[Record | Unread]:
    csv.field_size_limit(1 << 27)
    try:
        with files.open(name) as file:
            whole = io.BufferedReader(cast(io.RawIOBase, file))
            text = io.TextIOWrapper(whole, "utf-8-sig", "replace", newline="")
            for number, row in enumerate(csv.DictReader(text), 1):
                yield Record(tr("{file}, chat {number}", file=name, number=number), dict(row))
    except (Unreadable, csv.Error) as problem:
        damaged = tr("It is damaged.")
        yield Unread(name, str(problem) if isinstance(problem, Unreadable) else damaged)


def _alpaca(row: Json) -> ImportedConversation:
    asked = _CONTEXT.sub("", fields.text(row.get("instruction"))).strip()
    more = fields.text(row.get("input")).strip()
    question = fields.words(f"{asked}\n\n{more}" if more else asked)
    answer = fields.words(fields.text(row.get("output")))
    line = line_of(
        ImportedMessage(str(place), None, role, parts)
        for place, (role, parts) in enumerate(((Role.USER, question), (Role.ASSISTANT, answer)))
        if parts
    )
    return ImportedConversation("", "", line, line[-1].id if line else None)
