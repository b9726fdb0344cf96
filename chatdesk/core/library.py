"""The model library as values: models on the hub, downloads, and installed models."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chatdesk.core.models import Fit, ModelFile
from chatdesk.core.sampling import SamplingParams


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated memory and speed of a model on this machine, at a context window.

    `memory_bytes` is weights + KV cache + compute buffers + the engine process; `tokens_per_s` is
    the decoding speed, 0 while the machine's memory bandwidth is unknown.
    """

    fit: Fit
    context_window: int
    memory_bytes: int
    tokens_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HubModel:
    """A repository in the results of a search. `gated` ones need an agreement and a token."""

    repo: str
    downloads: int = 0
    likes: int = 0
    updated: datetime | None = None
    gated: bool = False
    license: str = ""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository; `sha256` is the hub's value, "" where it states none."""

    path: str
    bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One model file of a repository, or all parts of one that is split, in order."""

    quantization: str
    files: tuple[HubFile, ...]

    @property
    def bytes(self) -> int:
        """The size of all parts."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class HubRepository:
    """A repository in detail. `revision` is the commit it was read at; `card` plain text."""

    model: HubModel
    revision: str
    variants: tuple[Variant, ...]
    card: str = ""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A recommended model. `purposes` are of chat, code, chinese, small.

    It has everything that an estimate needs, so that nothing is fetched to show the list. `summary`
    is a sentence by language code ("en", "zh_CN").
    """

    name: str
    repo: str
    file: str
    quantization: str
    bytes: int
    parameters: int
    context_length: int
    kv_bytes_per_token: int
    vocabulary: int
    license: str
    purposes: tuple[str, ...]
    summary: dict[str, str]
    active_parameters: int = 0  # of a mixture of experts; 0 means all

    def summary_in(self, language: str) -> str:
        """The sentence about it in a language, in English where there is no other."""
        return self.summary.get(language) or self.summary.get("en", "")


class DownloadState(StrEnum):
    """The state of a download."""

    QUEUED = "queued"
    RUNNING = "running"
    CHECKING = "checking"  # all bytes are there; the hash is being computed
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Download:
    """A download of a model. `files` are all its parts.

    `received` counts the bytes on the disk, of all parts. `problem` is a sentence: why it failed,
    or why it waits to try again. `path` is the place of its first part once it is complete,
    `folder` the folder of the parts from the beginning.
    """

    id: str
    repo: str
    revision: str
    name: str
    files: tuple[HubFile, ...]
    state: DownloadState
    added: datetime
    received: int = 0
    problem: str = ""
    path: str = ""
    folder: str = ""

    @property
    def bytes(self) -> int:
        """The size of all parts."""
        return sum(file.bytes for file in self.files)


class Presence(StrEnum):
    """The state of a model's file compared with the library's record."""

    THERE = "there"
    MISSING = "missing"  # or on a disk that is not connected
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ModelNotes:
    """Data on a model beside its file.

    `title` is the user's name for it, "" for the name in its header. `estimated_bytes` was
    predicted for the last load, `used_bytes` is what the engine then really used, both at
    `used_context` tokens. `system_prompt` and `sampling` are used in new conversations with it;
    None is the general setting. `repo` is its repository on the hub.
    """

    title: str = ""
    favourite: bool = False
    tags: tuple[str, ...] = ()
    last_used: datetime | None = None
    tokens_per_s: float = 0.0
    estimated_bytes: int = 0
    used_bytes: int = 0
    used_context: int = 0
    system_prompt: str | None = None
    sampling: SamplingParams | None = None
    repo: str = ""


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model of the library, as its page shows it."""

    model: ModelFile
    presence: Presence
    estimate: Estimate
    notes: ModelNotes = field(default_factory=ModelNotes)
    is_starter: bool = False

    @property
    def name(self) -> str:
        """Its displayed name."""
        return self.notes.title or self.model.header.name


@dataclass(frozen=True, slots=True)
class FoundElsewhere:
    """A GGUF file of another app; `app` is that app's name, `name` the name it uses."""

    app: str
    name: str
    path: str
    bytes: int
    sha256: str = ""


class QuantizingState(StrEnum):
    """The progress of making a smaller model."""

    WRITING = "writing"
    COMPARING = "comparing"  # the smaller model is complete, and is measured beside the original
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of a model; 0 for a missing one.

    `perplexity` is that of the built-in text: between how many words the model is undecided, on
    average.
    """

    bytes: int
    tokens_per_s: float = 0.0
    perplexity: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model and its smaller one, measured alike; `problem` is why something is missing."""

    original: Measured
    smaller: Measured
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Quantizing:
    """A model that is being made smaller, or was. `fraction` is that of the whole, 0 to 1.

    `result` is set as soon as its file is complete. `problem` is a sentence: why it failed.
    """

    model: ModelFile
    type: str
    state: QuantizingState
    fraction: float = 0.0
    result: ModelFile | None = None
    comparison: Comparison | None = None
    problem: str = ""

    @property
    def is_running(self) -> bool:
        """True until it has ended."""
        return self.state in (QuantizingState.WRITING, QuantizingState.COMPARING)
