"""What services announce. Facts are plain values, published from any thread."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from chatdesk.core.chat import Message
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.models import ModelFile


class EngineState(Enum):
    """What the engine is doing."""

    OFF = auto()  # no model was chosen or found
    LOADING = auto()
    READY = auto()
    ASLEEP = auto()  # not used for a while, its memory given back; the next request loads it
    FAILED = auto()  # the model could not be loaded, or the engine keeps crashing


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The engine as the window shows it. `fraction` is how much of the model is read, 0 to 1.

    `problem` is why it failed, or what it is recovering from while it is loading.
    """

    state: EngineState
    model: ModelFile | None = None
    loaded: ModelLoaded | None = None
    fraction: float = 0.0
    problem: EnvironmentProblem | None = None


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """The engine's state is another one now."""

    status: EngineStatus


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A message joined the active path of its conversation."""

    message: Message


@dataclass(frozen=True, slots=True)
class AnswerReopened:
    """An answer that had ended is being continued: its state is streaming again."""

    message: Message


@dataclass(frozen=True, slots=True)
class PromptRead:
    """Prefill of an answer: `done` of `total` prompt tokens."""

    conversation_id: str
    message_id: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ThinkingArrived:
    """A piece of what the model thinks before its answer; `start` as in `TextArrived`."""

    conversation_id: str
    message_id: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class TextArrived:
    """A piece of an answer; `start` is how many characters stand before it."""

    conversation_id: str
    message_id: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """An answer is final. `unsaved` says why it is on the screen only, if it could not be saved."""

    message: Message
    unsaved: EnvironmentProblem | None = None


@dataclass(frozen=True, slots=True)
class ConversationsChanged:
    """The list of conversations (titles, order, which there are) is another one now."""


Fact = (
    EngineChanged
    | MessageAdded
    | AnswerReopened
    | PromptRead
    | ThinkingArrived
    | TextArrived
    | AnswerEnded
    | ConversationsChanged
)
Publish = Callable[[Fact], None]
