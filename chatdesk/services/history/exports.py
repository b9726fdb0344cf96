"""Writes conversations to files: all of them for ChatDesk, or as other programs and people read."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from chatdesk.core.chat import Conversation
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import PUBLIC, whole_file
from chatdesk.core.i18n import tr
from chatdesk.core.imported import ImportedConversation
from chatdesk.core.projects import ProjectSummary
from chatdesk.exchange.conversations import own
from chatdesk.exchange.export.file_names import file_name
from chatdesk.exchange.export.markdown_file import markdown_file
from chatdesk.exchange.export.sharegpt import sharegpt_line
from chatdesk.store.attachments import AttachmentFiles
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.imports import ImportStore
from chatdesk.store.projects import ProjectStore


class ExportFormat(StrEnum):
    """What a chat is written as."""

    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    SHAREGPT = "sharegpt"


ENDINGS = {
    ExportFormat.JSON: ".json",
    ExportFormat.MARKDOWN: ".md",
    ExportFormat.HTML: ".html",
    ExportFormat.SHAREGPT: ".jsonl",
}


class ExportProblem(EnvironmentProblem):
    """A file cannot be written."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written; `messages` are those of the files, `path` is a file or a folder."""

    path: Path
    conversations: int
    messages: int


class ExportService:
    """Every method may raise `StoreProblem` and `ExportProblem`."""

    def __init__(
        self,
        conversations: ConversationStore,
        projects: ProjectStore,
        imports: ImportStore,
        attachments: AttachmentFiles,
    ) -> None:
        self._conversations = conversations
        self._projects = projects
        self._imports = imports
        self._attachments = attachments

    def export(
        self, target: Path, kind: str, conversation_ids: Sequence[str] | None = None
    ) -> Exported:
        """Write these conversations, or with None all that are not in the trash.

        One chat is one file. Several are one file as JSON and for ShareGPT, else a folder with a
        file for each. A file that is there is replaced; in a folder nothing is overwritten.
        """
        kind = ExportFormat(kind)
        ids = self._all() if conversation_ids is None else tuple(conversation_ids)
        with _problems(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            match kind:
                case ExportFormat.JSON:
                    return self._write_json(target, ids)
                case ExportFormat.SHAREGPT:
                    return self._write_lines(target, ids)
                case _ if len(ids) == 1 and target.suffix == ENDINGS[kind]:
                    return self._write_one(target, kind, ids[0])
                case _:
                    return self._write_folder(target, kind, ids)

    def _all(self) -> tuple[str, ...]:
        return tuple(each.id for each in self._conversations.list())

    def _write_json(self, target: Path, ids: Sequence[str]) -> Exported:
        messages, files = 0, set[str]()
        projects = {each.project.id: each for each in self._projects.list()}

        def each_one() -> Iterator[ImportedConversation]:
            nonlocal messages
            for conversation_id in ids:
                conversation = self._conversations.get(conversation_id)
                messages += len(conversation.messages)
                files.update(_files_of(conversation))
                yield self._imports.exported(conversation_id, *_home(conversation, projects))

        with whole_file(target, mode=PUBLIC) as unfinished, unfinished.open("wb") as stream:
            own.write(stream, each_one())
        for sha256 in sorted(files):
            if source := self._attachments.path(sha256):
                folder = target.parent / own.ATTACHMENTS
                folder.mkdir(exist_ok=True)
                shutil.copyfile(source, folder / sha256)
        return Exported(target, len(ids), messages)

    def _write_lines(self, target: Path, ids: Sequence[str]) -> Exported:
        messages = 0
        with (
            whole_file(target, mode=PUBLIC) as unfinished,
            unfinished.open("w", encoding="utf-8", errors="replace", newline="\n") as file,
        ):
            for conversation in map(self._conversations.get, ids):
                file.write(sharegpt_line(conversation))
                messages += len(conversation.path())
        return Exported(target, len(ids), messages)

    def _write_one(self, target: Path, kind: ExportFormat, conversation_id: str) -> Exported:
        conversation = self._conversations.get(conversation_id)
        with whole_file(target, mode=PUBLIC) as unfinished:
            unfinished.write_text(_text(conversation, kind), "utf-8", "replace", newline="\n")
        return Exported(target, 1, len(conversation.path()))

    def _write_folder(self, target: Path, kind: ExportFormat, ids: Iterable[str]) -> Exported:
        target.mkdir(exist_ok=True)
        taken = {each.name.lower() for each in target.iterdir()}
        written = messages = 0
        for conversation_id in ids:
            conversation = self._conversations.get(conversation_id)
            name = file_name(conversation.title, ENDINGS[kind], taken, instead=conversation_id)
            taken.add(name.lower())
            messages += self._write_one(target / name, kind, conversation_id).messages
            written += 1
        return Exported(target, written, messages)


def _text(conversation: Conversation, kind: ExportFormat) -> str:
    if kind is ExportFormat.MARKDOWN:
        return markdown_file(conversation)
    from chatdesk.exchange.export.html_file import html_file  # its parser takes a moment to import

    return html_file(conversation)


def _home(conversation: Conversation, projects: dict[str, ProjectSummary]) -> tuple[str, str]:
    found = projects.get(conversation.project_id or "")
    return (found.project.name, found.project.colour) if found else ("", "")


def _files_of(conversation: Conversation) -> Iterator[str]:
    for message in conversation.messages:
        for part in message.parts:
            if sha256 := getattr(part, "sha256", ""):
                yield sha256


@contextmanager
def _problems(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise ExportProblem(
            tr(
                "The file {path} cannot be written: {reason}.",
                path=target,
                reason=problem.strerror or problem,
            ),
            tr("Choose another place, or free some space."),
        ) from problem
