"""Conversations as values: a tree of messages with a pointer at the active leaf.

An edit or a new answer adds a sibling; nothing is overwritten. Identity is the store's concern, so
these values are frozen and can be passed to any thread.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property

from chatdesk.core.parts import Part, Text, Thinking, Words, filled, frame_of, text_of
from chatdesk.core.sampling import SamplingParams


def new_id() -> str:
    """Return a new id for a row: 16 hexadecimal characters (64 random bits)."""
    return secrets.token_hex(8)


_TEMPORARY = "temporary-"


def new_temporary_id() -> str:
    """Return a new id for a conversation that is nowhere but in memory."""
    return _TEMPORARY + new_id()


def is_temporary(conversation_id: str | None) -> bool:
    """Return True for the id of a conversation that is nowhere but in memory."""
    return bool(conversation_id and conversation_id.startswith(_TEMPORARY))


def now() -> datetime:
    """Return the current moment, in UTC, aware."""
    return datetime.now(UTC)


class Role(StrEnum):
    """The author of a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class MessageState(StrEnum):
    """The progress of a message; every state but `STREAMING` is final."""

    COMPLETE = "complete"
    STREAMING = "streaming"
    STOPPED = "stopped"  # by the user; the text so far is kept
    INTERRUPTED = "interrupted"  # by a crash of the engine or the app; the text so far is kept
    FAILED = "failed"  # for a reason from the engine


class StopReason(StrEnum):
    """The reason why an answer ended."""

    END = "end"  # the model's end-of-turn token, or a stop string
    LENGTH = "length"  # max_tokens, or the context window is full
    CANCELLED = "cancelled"


class TitleSource(StrEnum):
    """The author of a title; a title by the user is never replaced."""

    NONE = "none"
    MODEL = "model"
    USER = "user"


class Rating(StrEnum):
    """A thumb: the user's opinion of an answer."""

    UP = "up"
    DOWN = "down"


class Mark(StrEnum):
    """A mark by hand: may a message or conversation be learned from."""

    INCLUDE = "include"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """The record of an assistant message: its model, cost and end.

    `model_id` names a row of the store's models, which holds the file's hash. Counts are tokens,
    times are seconds; a value is None where it was not (yet) measured. `drafted` tokens were
    guessed ahead, `accepted` of them were right.
    """

    model_id: str | None = None
    model_name: str = ""
    adapter_id: str | None = None
    adapter_scale: float | None = None
    sampling: SamplingParams = field(default_factory=SamplingParams)
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    ttft_s: float | None = None
    tokens_per_s: float | None = None
    duration_s: float | None = None
    stop_reason: str | None = None  # a StopReason, or None while streaming or after a crash
    error: str | None = None  # a sentence for the user, when the state is FAILED or INTERRUPTED
    thinking_s: float | None = None
    drafted: int | None = None
    accepted: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One node of a conversation's tree.

    `answer` is set on assistant messages only, and not on a correction: no model wrote it. A
    correction is an assistant message in the user's own words, in place of its sibling `corrects`.
    A `pinned` message stays in the model's view when the context is full. A `hidden` one was
    deleted: nobody reads it, but what was said below it stays.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    parts: tuple[Part, ...]
    state: MessageState
    created: datetime
    answer: AnswerRecord | None = None
    pinned: bool = False
    rating: Rating | None = None
    mark: Mark | None = None
    corrects: str | None = None
    hidden: bool = False

    @property
    def text(self) -> str:
        """Its words."""
        return text_of(self.parts)

    @property
    def thinking(self) -> str:
        """The model's thinking before the answer."""
        return text_of(self.parts, Thinking)

    def with_words(self, *, text: str | None = None, thinking: str | None = None) -> "Message":
        """Return the message with other text or thinking between its other parts."""
        text = self.text if text is None else text
        thinking = self.thinking if thinking is None else thinking
        return replace(self, parts=filled(frame_of(self.parts), text, thinking))

    def with_more(self, words: Words) -> "Message":
        """Return the message with more text, or more thinking, after what there is of it."""
        last = self.parts[-1] if self.parts else None
        if type(last) is type(words):  # nearly always: what is written goes on
            parts = (*self.parts[:-1], type(words)(last.text + words.text))
            return replace(self, parts=parts)
        if isinstance(words, Text):
            return self.with_words(text=self.text + words.text)
        return self.with_words(thinking=self.thinking + words.text)

    def with_content_of(self, other: "Message") -> "Message":
        """Return the message with what is written in another version of it."""
        return replace(self, parts=other.parts, state=other.state, answer=other.answer)


def new_message(
    conversation_id: str,
    parent_id: str | None,
    role: Role,
    parts: tuple[Part, ...],
    state: MessageState = MessageState.COMPLETE,
    answer: AnswerRecord | None = None,
) -> Message:
    """A message of this moment, not stored yet."""
    return Message(new_id(), conversation_id, parent_id, role, parts, state, now(), answer)


_THINKING_IN_TEXT = re.compile(r"\s*<think>\s*(.*?)\s*(?:</think>\s*|\Z)", re.DOTALL)


def with_thinking_apart(message: Message) -> Message:
    """Return the message with thinking moved out of its text, where version 0.1 stored it."""
    found = _THINKING_IN_TEXT.match(message.text) if message.answer else None
    if found is None or message.thinking:
        return message
    return message.with_words(text=message.text[found.end() :], thinking=found[1])


@dataclass(frozen=True, slots=True)
class ContextUse:
    """The use of the model's context, in tokens.

    The model's view begins after the message `view_after`, or with the end of that one where it
    `cuts` it; None when it sees everything.
    """

    tokens: int
    window: int
    view_after: str | None = None
    cuts: bool = False


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A line of the sidebar, or of the trash. `messages` counts every node of the tree."""

    id: str
    title: str
    title_source: TitleSource
    created: datetime
    updated: datetime
    messages: int
    mark: Mark | None = None
    deleted: datetime | None = None
    project_id: str | None = None
    pinned: bool = False
    archived: bool = False


@dataclass(frozen=True)
class Conversation:
    """A whole conversation: every branch, and the leaf that is shown.

    `messages` are in order of creation, so a parent comes before its children. `adapter` is the id
    of the one that answers here, "" for none; with None it is the one active for the model.
    """

    id: str
    title: str
    title_source: TitleSource
    system_prompt: str
    created: datetime
    updated: datetime
    deleted: datetime | None
    active_leaf_id: str | None
    messages: tuple[Message, ...]
    mark: Mark | None = None
    adapter: str | None = None
    project_id: str | None = None
    pinned: bool = False
    archived: bool = False

    @cached_property
    def by_id(self) -> Mapping[str, Message]:
        """Every message by its id."""
        return {message.id: message for message in self.messages}

    @cached_property
    def _children(self) -> Mapping[str | None, tuple[Message, ...]]:
        children: dict[str | None, list[Message]] = {}
        for message in self.messages:
            children.setdefault(message.parent_id, []).append(message)
        return {parent: tuple(found) for parent, found in children.items()}

    def path(self, leaf_id: str | None = None) -> tuple[Message, ...]:
        """Return the messages from the root to `leaf_id`, oldest first; None is the active leaf.

        Hidden ones are left out.
        """
        path: list[Message] = []
        at = leaf_id or self.active_leaf_id
        while at is not None:
            message = self.by_id[at]
            if not message.hidden:
                path.append(message)
            at = message.parent_id
        return tuple(reversed(path))

    @property
    def held_with(self) -> str | None:
        """Return the id of the model that answered last, None without an answer by a model."""
        answers = (each.answer for each in reversed(self.path()) if each.answer)
        return next((answer.model_id for answer in answers if answer.model_id), None)

    def siblings(self, message_id: str) -> tuple[Message, ...]:
        """Return the message and its alternatives, in order of creation."""
        found = self._children[self.by_id[message_id].parent_id]
        return tuple(each for each in found if not each.hidden or each.id == message_id)

    def children(self, message_id: str) -> tuple[Message, ...]:
        """Return the messages right below one that are not hidden."""
        return tuple(each for each in self._children.get(message_id, ()) if not each.hidden)

    def leaf_below(self, message_id: str) -> Message:
        """Return the newest leaf, following the last child from `message_id`."""
        message = self.by_id[message_id]
        while below := self.children(message.id) or self._children.get(message.id):
            message = below[-1]
        return message


def new_conversation(
    title: str,
    title_source: TitleSource,
    system_prompt: str,
    adapter: str | None,
    project_id: str | None = None,
) -> Conversation:
    """An empty conversation of this moment, not stored yet."""
    moment = now()
    return Conversation(
        id=new_id(),
        title=title,
        title_source=title_source,
        system_prompt=system_prompt,
        created=moment,
        updated=moment,
        deleted=None,
        active_leaf_id=None,
        messages=(),
        adapter=adapter,
        project_id=project_id,
    )
