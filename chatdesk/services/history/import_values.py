"""What is known of an import: before it, and after."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.imported import Arrival, ImportedConversation, Unread
from chatdesk.services.facts import Fact
from chatdesk.store.imports import Standing


@dataclass(frozen=True, slots=True)
class ImportProgressed(Fact):
    """An import, or the look before it: the share that was read, 0 to 1, and the messages in it."""

    share: float
    messages: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class ImportChoice:
    """What to import and how.

    `project` is the name of the one for all; None makes one of each folder. `chosen` are the
    source's ids, None for all. Only with `learned` may they be learned from.
    """

    project: str | None = None
    chosen: frozenset[str] | None = None
    learned: bool = False


@dataclass(frozen=True, slots=True)
class PreviewedChat:
    """A line of the preview. `files` are those that the export has, `missing` those it lacks."""

    id: str
    title: str
    folder: str
    messages: int
    branches: int
    files: int
    missing: int
    arrival: Arrival
    new_messages: int
    updated: datetime | None

    @classmethod
    def of(cls, chat: ImportedConversation, standing: Standing) -> "PreviewedChat":
        """Describe a conversation of an export."""
        files = [file.open is not None for message in chat.messages for file in message.files]
        return cls(
            id=chat.id,
            title=chat.title,
            folder=chat.folder,
            messages=len(chat.messages),
            branches=chat.branches if chat.messages else 0,
            files=sum(files),
            missing=len(files) - sum(files),
            arrival=standing.arrival,
            new_messages=len(standing.lacks(chat)),
            updated=chat.updated or chat.created,
        )


@dataclass(slots=True)
class ImportReport:
    """What an export holds, and what became of it.

    `conversations` and `messages` are all that could be read; `skipped` conversations were left
    out for a reason in `warnings`. `problem` ended an import before its end, as `is_stopped` tells
    of the user.
    """

    format: str
    app: str
    conversations: int = 0
    messages: int = 0
    new: int = 0
    grown: int = 0
    skipped: int = 0
    attachments: int = 0
    warnings: list[Unread] = field(default_factory=list)
    newest: str = ""  # the conversation that came in and changed last
    is_stopped: bool = False
    problem: EnvironmentProblem | None = None

    @property
    def reasons(self) -> Sequence[tuple[str, int]]:
        """The reasons of the warnings with their numbers, the most frequent first."""
        return Counter(warning.reason for warning in self.warnings).most_common()


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """An export before its import: what would come in, chat by chat."""

    report: ImportReport
    chats: Sequence[PreviewedChat]
    project: str  # its name unless another is chosen, "" for none
