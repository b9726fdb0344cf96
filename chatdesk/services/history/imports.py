"""The import of other apps' conversations: a look before it, and the import itself.

An export is read as a stream. What was read is added some conversations at a time, each whole, so
that a crash or a full disk in the middle costs what was not added yet, and the same import goes on
from there.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from chatdesk.core.chat import Mark
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.imported import Arrival, ImportedConversation, Unread
from chatdesk.core.units import MB
from chatdesk.exchange.conversations.files import Files, open_files
from chatdesk.exchange.conversations.format import ConversationFormat
from chatdesk.exchange.conversations.formats import format_of
from chatdesk.services.chat.facts import ConversationsChanged
from chatdesk.services.facts import Publish
from chatdesk.services.history.facts import ProjectsChanged
from chatdesk.services.history.import_values import (
    ImportChoice,
    ImportPreview,
    ImportProgressed,
    ImportReport,
    PreviewedChat,
)
from chatdesk.services.history.imported_files import ImportedFiles
from chatdesk.store.attachments import AttachmentFiles
from chatdesk.store.imports import OWN, ImportStore, Standing
from chatdesk.store.projects import ProjectStore

BATCH_S = 0.2  # of reading; others that write wait for a batch no longer than that
BATCH_MESSAGES = 2000
BATCH_BYTES = 4 * MB  # each waits for the disk once
MOST_WARNINGS = 10_000
_TOLD_S = 0.2


class ImportService:
    """One import at a time. Methods may raise `EnvironmentProblem`."""

    def __init__(
        self,
        store: ImportStore,
        projects: ProjectStore,
        files: AttachmentFiles,
        publish: Publish,
    ) -> None:
        self._store = store
        self._projects = projects
        self._files = files
        self._publish = publish
        self._is_stopped = threading.Event()

    def look(self, path: Path) -> ImportPreview:
        """Read an export and say what its import would do; nothing is changed."""
        chats: list[PreviewedChat] = []
        seen: set[str] = set()
        with closing(open_files(path)) as files:
            known = format_of(files)
            report = ImportReport(known.id, known.app)
            for batch in self._batches(known, files, report):
                for chat, standing in zip(
                    batch, self._store.standings(known.id, batch), strict=True
                ):
                    _count(report, chat, standing)
                    if chat.id not in seen:
                        chats.append(PreviewedChat.of(chat, standing))
                    seen.add(chat.id)
        report.attachments = sum(chat.files for chat in chats if chat.new_messages)
        return ImportPreview(report, chats, _project(known))

    def run(self, path: Path, choice: ImportChoice | None = None) -> ImportReport:
        """Import; what ends it early is told in the report, beside all that came in before."""
        choice = choice or ImportChoice()
        with closing(open_files(path)) as files:
            known = format_of(files)
            report = ImportReport(known.id, known.app)
            adding = _Adding(self._store, self._projects, self._files, known, choice, report)
            try:
                for batch in self._batches(known, files, report):
                    adding.add(batch)
            except EnvironmentProblem as problem:
                report.problem = problem
        self._publish(ProjectsChanged())
        self._publish(ConversationsChanged())
        return report

    def stop(self) -> None:
        """End the look or the import that is running; what came in stays."""
        self._is_stopped.set()

    def _batches(
        self, known: ConversationFormat, files: Files, report: ImportReport
    ) -> Iterator[list[ImportedConversation]]:
        """The conversations of an export, some at a time; what is unreadable goes to the report."""
        self._is_stopped.clear()
        began = told = time.monotonic()
        batch: list[ImportedConversation] = []
        since, messages, done, read = began, 0, files.done, 0
        for found in known.read(files):
            moment = time.monotonic()
            if isinstance(found, Unread):
                _warn(report, found)
                report.skipped += found.conversation
            else:
                batch.append(found)
                messages += len(found.messages)
                read += len(found.messages)
            is_large = messages >= BATCH_MESSAGES or files.done - done >= BATCH_BYTES
            if is_large or moment - since > BATCH_S:
                yield batch
                batch, messages, done, since = [], 0, files.done, time.monotonic()
            if moment - told > _TOLD_S:
                told = moment
                self._publish(_progress(files, read, moment - began))
            if self._is_stopped.is_set():
                report.is_stopped = True
                break
        if batch:
            yield batch


class _Adding:
    """The adding of one export."""

    def __init__(
        self,
        store: ImportStore,
        projects: ProjectStore,
        files: AttachmentFiles,
        known: ConversationFormat,
        choice: ImportChoice,
        report: ImportReport,
    ) -> None:
        self._store = store
        self._projects = projects
        self._known = known
        self._choice = choice
        self._report = report
        self._where = ""
        self._newest: datetime | None = None
        self._keeper = ImportedFiles(files, self._miss)
        self._ids = {each.project.name: each.project.id for each in reversed(projects.list())}

    def add(self, batch: Sequence[ImportedConversation]) -> None:
        """Add what is new of these."""
        chosen = self._choice.chosen
        batch = [chat for chat in batch if chosen is None or chat.id in chosen]
        stood = self._store.standings(self._known.id, batch)
        comes = [standing.arrival in {Arrival.NEW, Arrival.GROWN} for standing in stood]
        ready = [
            self._with_files(chat, standing)
            for chat, standing, is_coming in zip(batch, stood, comes, strict=True)
            if is_coming
        ]
        self._report.attachments = self._keeper.kept
        mark = None if self._choice.learned else Mark.EXCLUDE
        folders = {chat.folder: self._project_id(chat) for chat in ready}
        added = iter(self._store.add(self._known.id, ready, folders, mark))
        for chat, standing, is_coming in zip(batch, stood, comes, strict=True):
            now_standing = next(added) if is_coming else standing
            _count(self._report, chat, now_standing)
            if is_coming:
                self._note_newest(chat, now_standing)

    def _note_newest(self, chat: ImportedConversation, standing: Standing) -> None:
        moment = chat.updated or chat.created
        if moment and (self._newest is None or moment > self._newest):
            self._newest = moment
            self._report.newest = standing.conversation_id
        self._report.newest = self._report.newest or standing.conversation_id

    def _with_files(self, chat: ImportedConversation, standing: Standing) -> ImportedConversation:
        """Keep the files of the messages that are new."""
        self._where = _named(chat)
        new = {message.id for message in standing.lacks(chat)}
        messages = tuple(
            self._keeper.keep(message) if message.id in new else message
            for message in chat.messages
        )
        return replace(chat, messages=messages)

    def _project_id(self, chat: ImportedConversation) -> str | None:
        """The project of a conversation, made where there is none of that name."""
        name = self._choice.project
        if name is None:
            name = chat.folder or _project(self._known)
        if not name:
            return None
        if name not in self._ids:
            self._ids[name] = self._projects.create(name, chat.own.colour if chat.own else "").id
        return self._ids[name]

    def _miss(self, reason: str) -> None:
        _warn(self._report, Unread(self._where, reason, conversation=False))


def _project(known: ConversationFormat) -> str:
    return "" if known.id == OWN else tr("Imported from {app}", app=known.app)


def _named(chat: ImportedConversation) -> str:
    return f"“{chat.title}”" if chat.title else tr("a chat without a title")


def _count(report: ImportReport, chat: ImportedConversation, standing: Standing) -> None:
    report.conversations += 1
    report.messages += len(chat.messages)
    report.new += standing.arrival is Arrival.NEW
    report.grown += standing.arrival is Arrival.GROWN
    for note in chat.notes:
        _warn(report, Unread(_named(chat), note, conversation=False))
    reasons = {
        Arrival.EMPTY: tr("The chat is empty."),
        Arrival.TRASHED: tr("The chat is in the trash; restore it there to import what is new."),
    }
    if reason := reasons.get(standing.arrival):
        report.skipped += 1
        _warn(report, Unread(_named(chat), reason))


def _warn(report: ImportReport, unread: Unread) -> None:
    if len(report.warnings) < MOST_WARNINGS:
        report.warnings.append(unread)


def _progress(files: Files, messages: int, seconds: float) -> ImportProgressed:
    share = min(1.0, files.done / max(1, files.size))
    left = seconds * (1 - share) / share if share > 0.01 and seconds > 1 else None
    return ImportProgressed(share, messages, left)
