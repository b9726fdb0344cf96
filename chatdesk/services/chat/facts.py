"""What the chat announces: messages, the pieces of answers, the list of conversations."""

from dataclasses import dataclass

from chatdesk.core.chat import Message
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class MessageAdded(Fact):
    """A message joined the active path of its conversation."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageChanged(Fact):
    """A message was rated, or marked; its words are the same."""

    message: Message


@dataclass(frozen=True, slots=True)
class AnswerReopened(Fact):
    """An answer that had ended is being continued: its state is streaming again."""

    message: Message


@dataclass(frozen=True, slots=True)
class PromptRead(Fact):
    """Prefill of an answer: `done` of `total` prompt tokens."""

    conversation_id: str
    message_id: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ThinkingArrived(Fact):
    """A piece of what the model thinks before its answer; `start` as in `TextArrived`."""

    conversation_id: str
    message_id: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class TextArrived(Fact):
    """A piece of an answer; `start` is how many characters stand before it."""

    conversation_id: str
    message_id: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class AnswerEnded(Fact):
    """An answer is final. `unsaved` says why it is on the screen only, if it could not be saved."""

    message: Message
    unsaved: EnvironmentProblem | None = None


@dataclass(frozen=True, slots=True)
class ConversationsChanged(Fact):
    """The list of conversations changed: their titles, their order, or which there are."""
