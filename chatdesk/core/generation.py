"""What is asked of the engine, and the events an answer is made of.

These are the messages of the engine's protocol: plain values, sent as JSON lines by
`workers.protocol`. Every request carries a `request_id` and ends in exactly one event of
`TERMINAL_EVENTS` with that id; the end of the stream without one is a crash.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is chosen.

    `temperature` 0 is greedy; `top_k` 0, `top_p` 1 and `min_p` 0 switch that filter off;
    `repeat_penalty` 1 is off and looks back `repeat_last_n` tokens; `seed` None draws a fresh one;
    `max_tokens` None goes on to the end of the context window; `stop` strings end the answer and
    are not part of it.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.1
    repeat_last_n: int = 64
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One turn as the chat template sees it; `role` is system, user or assistant."""

    role: str
    content: str


class StopReason(StrEnum):
    """Why an answer ended."""

    END = "end"  # the model's end-of-turn token, or a stop string
    LENGTH = "length"  # max_tokens, or the context window is full
    CANCELLED = "cancelled"


ANSWER_ROOM = 16  # tokens: a prompt that leaves less than this has no room for an answer


class FailureCode(StrEnum):
    """What went wrong in the engine; services turn it into a sentence for the person."""

    NOT_FOUND = "not_found"
    NOT_GGUF = "not_gguf"
    TRUNCATED = "truncated"
    UNSUPPORTED_ARCHITECTURE = "unsupported_architecture"
    LOAD_FAILED = "load_failed"
    OUT_OF_MEMORY = "out_of_memory"
    PROMPT_TOO_LONG = "prompt_too_long"
    TEMPLATE = "template"
    NOT_LOADED = "not_loaded"
    PROTOCOL = "protocol"
    INTERNAL = "internal"


# Requests: window -> engine


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Load a GGUF file. `context_window` is in tokens, capped by what the model was trained for.

    `threads` None and `gpu_layers` None let the engine choose (all useful cores, all layers).
    """

    request_id: str
    path: str
    context_window: int = 8192
    threads: int | None = None
    gpu_layers: int | None = None


@dataclass(frozen=True, slots=True)
class Generate:
    """Answer a conversation. A last message by the assistant is continued, not answered.

    `background` marks work nobody is waiting for (titles): it gives way to what the user reads.
    """

    request_id: str
    messages: tuple[PromptMessage, ...]
    sampling: SamplingParams
    background: bool = False


@dataclass(frozen=True, slots=True)
class CountTokens:
    """Render a conversation with the model's template and count its tokens."""

    request_id: str
    messages: tuple[PromptMessage, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the request with this id, also while its prompt is still being read. No own answer."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End the engine process in good order."""


# Events: engine -> window


@dataclass(frozen=True, slots=True)
class Device:
    """A device of ggml's list; memory in bytes. `kind` is one of cpu, gpu, igpu, accel."""

    name: str
    description: str
    kind: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The first event of every engine process."""

    protocol: int
    llama_cpp: str
    gpu_offload: bool
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How much of the model is read, 0 to 1."""

    request_id: str
    fraction: float


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """The model answers. `device` is what runs it; sizes in bytes, windows in tokens."""

    request_id: str
    name: str
    architecture: str
    parameters: int
    bytes: int
    context_window: int
    trained_context: int
    layers: int
    gpu_layers: int
    device: str
    threads: int
    flash_attention: bool
    template_notice: str | None  # why a fallback chat template is in use: "missing" or "broken"
    seconds: float


@dataclass(frozen=True, slots=True)
class TokensCounted:
    """The answer to `CountTokens`."""

    request_id: str
    tokens: int
    context_window: int


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """Prefill: `done` of `total` prompt tokens are read, `cached` of them were there already."""

    request_id: str
    done: int
    total: int
    cached: int


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer: whole characters, never half of one."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """What an answer cost. Counts in tokens, times in seconds from the engine taking it up."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    ttft_s: float | None
    tokens_per_s: float | None
    duration_s: float
    seed: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole (or as long as it may be)."""

    request_id: str
    reason: StopReason
    stats: GenerationStats


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The request was stopped; `stats` is None when it had not begun."""

    request_id: str
    stats: GenerationStats | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The request could not be done. `tokens` and `limit` go with PROMPT_TOO_LONG."""

    request_id: str
    code: FailureCode
    detail: str
    tokens: int | None = None
    limit: int | None = None


EngineRequest = LoadModel | Generate | CountTokens | Cancel | Shutdown
EngineEvent = (
    EngineReady
    | LoadProgress
    | ModelLoaded
    | TokensCounted
    | PromptProgress
    | TextDelta
    | Finished
    | Cancelled
    | Failed
)
TERMINAL_EVENTS = (ModelLoaded, TokensCounted, Finished, Cancelled, Failed)
