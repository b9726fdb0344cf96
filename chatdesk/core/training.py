"""The trainer's protocol: requests, events, and the file of examples.

The messages of the engine are in `core.generation`. The trainer never sees a word: `dataset.json`
in the run's folder holds token ids.
"""

from dataclasses import dataclass
from enum import StrEnum

from chatdesk.core.generation import Span
from chatdesk.core.personalization import LossPoint, TrainingConfig
from chatdesk.core.protocol import Cancel, Event, Request, Shutdown, Terminal

DATASET_FILE = "dataset.json"  # a `TrainingData`; deleted when the run has ended
CHECKPOINT_FILE = "checkpoint.pt"  # likewise
ADAPTER_FILE = "adapter.gguf"
PROVEN_FILE = "proven.gguf"  # as it was before it was finished: it never saw what is held out
FINISHING_FOLDER = "finishing"  # of the second training, in the run's; deleted likewise
PEFT_FOLDER = "peft"  # adapter_model.safetensors and adapter_config.json
TENSORBOARD_FOLDER = "tensorboard"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Token ids, with the spans that count in the loss (their first token follows another)."""

    tokens: tuple[int, ...]
    targets: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class TokenExample:
    """An example as token ids; with `rejected` a preference pair that shares its beginning.

    With `keep` no words are learned: the base's next-token distribution at each target is to stay.
    """

    chosen: Sequence
    rejected: Sequence | None = None
    weight: float = 1.0
    keep: bool = False


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The data of a run.

    `replay` are general prompts with the base's own answers, of which each epoch takes others.
    """

    train: tuple[TokenExample, ...]
    validation: tuple[TokenExample, ...]
    replay: tuple[TokenExample, ...] = ()
    replay_validation: tuple[TokenExample, ...] = ()


class TrainingFailure(StrEnum):
    """The kind of a failure in the trainer; services turn it into a sentence."""

    MISSING = "missing"  # torch, transformers or peft is not installed
    PROGRAM = "program"  # a file of the program itself is missing; `detail` names it
    ARCHITECTURE = "architecture"  # torch cannot train it; `detail` names it
    MODEL = "model"  # the file is gone, damaged, or not what it was
    DATA = "data"
    OUT_OF_MEMORY = "out_of_memory"
    DISK = "disk"
    NOT_A_NUMBER = "not_a_number"  # losses became NaN or infinite
    INTERNAL = "internal"


# Requests: window -> trainer


@dataclass(frozen=True, slots=True)
class Train(Request):
    """Train on the data in `folder`; resume from a checkpoint if there is one.

    The model file must still have `model_bytes` and `model_mtime_ns`. `config` has no zeros left:
    everything is chosen.
    """

    folder: str
    model_path: str
    model_bytes: int
    model_mtime_ns: int
    config: TrainingConfig
    begin_with: str = ""  # a folder in peft's format, whose weights it begins with
    threads: int = 0  # 0: as many as there are cores
    tensorboard: bool = False


@dataclass(frozen=True, slots=True)
class PauseTraining:
    """Pause within some milliseconds, until `ResumeTraining`."""

    request_id: str


@dataclass(frozen=True, slots=True)
class ResumeTraining:
    """Resume."""

    request_id: str


# Events: trainer -> window


@dataclass(frozen=True, slots=True)
class TrainerReady:
    """The process is up and torch is imported."""

    protocol: int
    torch: str


@dataclass(frozen=True, slots=True)
class TrainingProgress(Event):
    """The progress, about every second. `step` is 0 while the model is being read.

    `seconds_left` is an estimate without pauses; `point` is set when losses are new.
    """

    step: int
    steps: int
    tokens: int
    tokens_per_s: float
    seconds: float  # computing, without pauses; over all sessions of a resumed run
    seconds_left: float
    rss_bytes: int
    point: LossPoint | None = None


@dataclass(frozen=True, slots=True)
class Trained(Terminal):
    """The adapter of the best epoch is in the folder."""

    steps: int  # completed ones
    best_step: int
    tokens: int
    tokens_per_s: float
    seconds: float
    peak_bytes: int
    losses: tuple[LossPoint, ...]


@dataclass(frozen=True, slots=True)
class TrainingStopped(Terminal):
    """It was cancelled; the last checkpoint stays."""


@dataclass(frozen=True, slots=True)
class TrainingFailed(Terminal):
    """The run failed. `detail` is for the log and for some sentences."""

    code: TrainingFailure
    detail: str


TrainerRequest = Train | PauseTraining | ResumeTraining | Cancel | Shutdown
TrainerEvent = TrainerReady | TrainingProgress | Trained | TrainingStopped | TrainingFailed
