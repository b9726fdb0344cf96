"""What services announce. Facts are plain values, published from any thread."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from chatdesk.core.chat import Message
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.library import Quantizing
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import AdapterState, LossPoint


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
class MessageChanged:
    """A message was rated, or marked; its words are the same."""

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


@dataclass(frozen=True, slots=True)
class AdaptersChanged:
    """Which adapters there are, what they are called, or which is active is another thing now."""


@dataclass(frozen=True, slots=True)
class AdapterLeftOut:
    """The adapter that was chosen cannot be used: the model answers as it is."""

    conversation_id: str
    problem: EnvironmentProblem


@dataclass(frozen=True, slots=True)
class LearningProgress:
    """How far a run is. `share` is of the whole run, 0 to 1; `waiting` says why it holds still.

    Times are seconds without pauses, `rss_bytes` is the trainer's memory; 0 where not known yet.
    """

    adapter_id: str
    state: AdapterState
    share: float = 0.0
    seconds_left: float = 0.0
    tokens_per_s: float = 0.0
    rss_bytes: int = 0
    waiting: str = ""
    paused: bool = False  # by the person
    losses: tuple[LossPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningChanged:
    """A run has come further, or ended; `problem` is why it failed."""

    progress: LearningProgress
    problem: EnvironmentProblem | None = None


@dataclass(frozen=True, slots=True)
class ModelsChanged:
    """Which models there are, what they are called, or what is known of them is another thing."""


@dataclass(frozen=True, slots=True)
class DownloadsChanged:
    """Which downloads there are, or the state of one, is another thing now."""


@dataclass(frozen=True, slots=True)
class DownloadProgressed:
    """A download has come further; 0 seconds left where that is not known yet."""

    download_id: str
    received: int
    bytes_per_s: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class QuantizingChanged:
    """The making of a smaller model has come further, or to its end."""

    progress: Quantizing


Fact = (
    EngineChanged
    | MessageAdded
    | MessageChanged
    | AnswerReopened
    | PromptRead
    | ThinkingArrived
    | TextArrived
    | AnswerEnded
    | ConversationsChanged
    | AdaptersChanged
    | AdapterLeftOut
    | LearningChanged
    | ModelsChanged
    | DownloadsChanged
    | DownloadProgressed
    | QuantizingChanged
)
Publish = Callable[[Fact], None]
