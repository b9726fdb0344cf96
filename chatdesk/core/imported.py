"""Conversations as the export of an app holds them, before they are in the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO

from chatdesk.core.chat import AnswerRecord, Mark, MessageState, Rating, Role, TitleSource
from chatdesk.core.parts import Attachment, Audio, Image, Part, Text, Thinking

FilePart = Image | Audio | Attachment


class Unreadable(Exception):
    """Something in an export cannot be read; the text is the reason, a sentence for the user."""


class Arrival(StrEnum):
    """What a conversation of an export is to the database."""

    NEW = "new"
    GROWN = "grown"
    SAME = "same"
    TRASHED = "trashed"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Unread:
    """A line of the report: what could not be read, and why.

    `where` names the file or chat. `conversation` is True where a whole one is left out.
    """

    where: str
    reason: str
    conversation: bool = True


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A picture, sound or other file of a message. `open` is None where the export lacks it.

    `part` is the part that it was, in our own exports.
    """

    name: str
    media_type: str
    open: Callable[[], BinaryIO] | None
    part: FilePart | None = None


@dataclass(frozen=True, slots=True)
class ImportedMessage:
    """A node of the tree. `id` and `parent` are the source's, unique in the conversation.

    `created` is None where the export does not say. `answer`, `state` and what follows are known of
    our own exports only.
    """

    id: str
    parent: str | None
    role: Role
    parts: tuple[Part | ImportedFile, ...]
    created: datetime | None = None
    model: str = ""
    rating: Rating | None = None
    thinking_s: float | None = None
    answer: AnswerRecord | None = None
    state: MessageState = MessageState.COMPLETE
    pinned: bool = False
    mark: Mark | None = None
    corrects: str | None = None
    hidden: datetime | None = None

    @property
    def text(self) -> str:
        """Its words."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def thinking(self) -> str:
        """The thinking before an answer."""
        return "".join(part.text for part in self.parts if isinstance(part, Thinking))

    @property
    def files(self) -> tuple[ImportedFile, ...]:
        """Its pictures, sounds and files."""
        return tuple(part for part in self.parts if isinstance(part, ImportedFile))


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """What only our own exports know of a conversation: with it, the ids are kept.

    `origin` is where it was imported from before (format, its id), `message_origins` likewise by
    the messages' ids.
    """

    title_source: TitleSource
    mark: Mark | None
    adapter: str | None
    deleted: datetime | None
    colour: str
    origin: tuple[str, str] | None
    message_origins: dict[str, str]


@dataclass(frozen=True, slots=True)
class ImportedConversation:
    """A conversation with every branch; a parent comes before its children.

    `shown` is the id of the leaf that the app showed, `folder` the name of its folder or project.
    `notes` are the reasons why parts of it are missing. `title` may be empty.
    """

    id: str
    title: str
    messages: tuple[ImportedMessage, ...]
    shown: str | None
    created: datetime | None = None
    updated: datetime | None = None
    system_prompt: str = ""
    folder: str = ""
    pinned: bool = False
    archived: bool = False
    notes: tuple[str, ...] = ()
    own: OwnRecord | None = None

    @property
    def branches(self) -> int:
        """How many leaves its tree has."""
        parents = {message.parent for message in self.messages}
        return sum(message.id not in parents for message in self.messages)


Found = ImportedConversation | Unread
