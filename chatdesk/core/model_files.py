"""Installed models as values: estimates, notes, and what other apps have."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chatdesk.core.models import Fit, ModelFile, ModelRole, with_quantization
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
    role: ModelRole = ModelRole.CHAT

    @property
    def answers(self) -> bool:
        """True if it can be asked in a chat now."""
        return self.presence is Presence.THERE and self.role.answers

    @property
    def name(self) -> str:
        """Its displayed name."""
        return self.notes.title or self.model.header.name

    @property
    def full_name(self) -> str:
        """The same with its quantization, where nothing else says it."""
        return with_quantization(self.name, self.model.header.quantization)


@dataclass(frozen=True, slots=True)
class FoundElsewhere:
    """A GGUF file of another app; `app` is that app's name, `name` the name it uses."""

    app: str
    name: str
    path: str
    bytes: int
    sha256: str = ""
