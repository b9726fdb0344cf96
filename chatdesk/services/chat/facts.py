"""Facts of the chat: messages, the pieces of answers, the list of conversations."""

from dataclasses import dataclass

from chatdesk.core.chat import Message
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.models import ModelFile
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class MessageAdded(Fact):
    """A message joined the active path of its conversation."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageChanged(Fact):
    """A message was pinned, rated or marked; its words are the same."""

    message: Message


@dataclass(frozen=True, slots=True)
class AnswerReopened(Fact):
    """A finished answer is being continued: its state is streaming again."""

    message: Message


@dataclass(frozen=True, slots=True)
class PromptRead(Fact):
    """Prefill of an answer: `done` of `total` prompt tokens, of which `cached` were there."""

    conversation_id: str
    message_id: str
    done: int
    total: int
    cached: int = 0


@dataclass(frozen=True, slots=True)
class ThinkingArrived(Fact):
    """A piece of the model's thinking before its answer; its fields as in `TextArrived`."""

    conversation_id: str
    message_id: str
    start: int
    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class TextArrived(Fact):
    """A piece of an answer; `start` is the number of characters before it.

    `tokens` is the number of all tokens that were written so far, since the answer was asked for
    or continued.
    """

    conversation_id: str
    message_id: str
    start: int
    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class AnswerEnded(Fact):
    """An answer is final. `unsaved` is why it could not be saved and is only on the screen.

    `view_start` and `view_cut` are where the model's view of its prompt began, as in
    `TokensCounted`.
    """

    message: Message
    unsaved: EnvironmentProblem | None = None
    view_start: int = 0
    view_cut: int | None = None


@dataclass(frozen=True, slots=True)
class AnswersUnsaved(Fact):
    """The list of answers that are not saved yet changed; `problem` is the newest reason.

    Those of `message_ids` may still be written.
    """

    message_ids: frozenset[str]
    problem: EnvironmentProblem | None = None


@dataclass(frozen=True, slots=True)
class ConversationsGone(Fact):
    """Conversations were deleted for good."""

    conversation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuestLeft(Fact):
    """A model that was loaded for one answer has given it; the one before is in use again."""

    guest: ModelFile
    host: ModelFile


@dataclass(frozen=True, slots=True)
class ConversationsChanged(Fact):
    """The list of conversations changed: a title, the order, or the conversations themselves."""
