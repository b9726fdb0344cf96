"""The engine's protocol: requests, and the events that answer them.

The messages are plain values, sent as JSON lines by `workers.codec`. The two lists of them are at
the end.
"""

from dataclasses import dataclass
from enum import StrEnum

from chatdesk.core.chat import StopReason
from chatdesk.core.loading import (
    EngineReady,
    LoadModel,
    LoadProgress,
    ModelLoaded,
    Quantize,
    Quantized,
    QuantizeProgress,
)
from chatdesk.core.protocol import Cancel, Event, Request, Shutdown, Terminal
from chatdesk.core.sampling import SamplingParams


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One turn of a conversation for the chat template; `role` is system, user or assistant.

    `thinking` is the assistant's before its answer, for templates that use it. A `pinned` message
    stays when the oldest turns leave a full context.
    """

    role: str
    content: str
    thinking: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Adapter:
    """A GGUF LoRA adapter and its scale; 1 is as trained."""

    path: str
    scale: float = 1.0


class FailureCode(StrEnum):
    """The kind of a failure in the engine; services turn it into a sentence for the user."""

    NOT_FOUND = "not_found"
    NOT_GGUF = "not_gguf"
    TRUNCATED = "truncated"
    UNSUPPORTED_ARCHITECTURE = "unsupported_architecture"
    LOAD_FAILED = "load_failed"
    OUT_OF_MEMORY = "out_of_memory"
    DEVICE = "device"  # a requested device is missing, or another computer is gone
    PROMPT_TOO_LONG = "prompt_too_long"  # even the last turn alone
    TEMPLATE = "template"
    PARAMETER = "parameter"  # a sampling parameter out of its range
    GRAMMAR = "grammar"  # does not parse
    SCHEMA = "schema"  # a JSON Schema that is not one, or not supported
    ADAPTER = "adapter"  # missing, damaged, or made for another model
    NOT_QUANTIZED = "not_quantized"  # llama.cpp cannot make this model smaller
    NOT_WRITTEN = "not_written"  # the disk is full, or refuses
    NOT_LOADED = "not_loaded"
    PROTOCOL = "protocol"
    INTERNAL = "internal"


# Requests: window -> engine


@dataclass(frozen=True, slots=True)
class Generate(Request):
    """Answer a conversation. A last message by the assistant is continued, not answered.

    With `prompt` set, that text (or its tokens) is continued as it is and `messages` are ignored;
    with `echo` it is the first `TextDelta`, and `max_tokens` may be 0.
    `background` marks work nobody is waiting for (titles): it yields to what the user reads.
    `grammar` (GBNF) or `json_schema` (its JSON text) confine the answer. `logprobs` asks for the
    log-probability of each token and so many alternatives. `session` names the conversation under
    which the KV state may be kept on disk; without one it never is. `speculate` lets the engine
    guess ahead where that measurably helps; it does not change the sampled tokens. `thinks` asks a
    model that thinks aloud to do so before it answers, or not to; without it the template decides.
    """

    messages: tuple[PromptMessage, ...]
    sampling: SamplingParams
    background: bool = False
    prompt: str | tuple[int, ...] | None = None
    grammar: str | None = None
    json_schema: str | None = None
    logprobs: int | None = None
    echo: bool = False
    adapters: tuple[Adapter, ...] = ()
    session: str | None = None
    speculate: bool = True
    thinks: bool | None = None


@dataclass(frozen=True, slots=True)
class CountTokens(Request):
    """Render a conversation with the model's template and count its tokens."""

    messages: tuple[PromptMessage, ...]


@dataclass(frozen=True, slots=True)
class RenderMessages(Request):
    """Render a whole conversation with the model's template; return its token ids."""

    messages: tuple[PromptMessage, ...]


@dataclass(frozen=True, slots=True)
class TokenizeText(Request):
    """Tokenize plain text; special tokens written in it are plain text, too."""

    text: str


@dataclass(frozen=True, slots=True)
class ScoreSequence:
    """Token ids: `continuation` is scored, given `prompt` before it (at least one token)."""

    prompt: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Score(Request):
    """Return the log-probability of every token of some continuations; background work."""

    sequences: tuple[ScoreSequence, ...]
    adapters: tuple[Adapter, ...] = ()


@dataclass(frozen=True, slots=True)
class Embed(Request):
    """Return a vector of length 1 for each text: the mean of the last layer over its tokens."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeepSessions(Request):
    """Keep KV states of idle conversations in `folder`, up to `limit_bytes`; "" keeps none.

    `model_identity` is the hash of the model file's content.
    """

    folder: str
    model_identity: str
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class RestoreSession(Request):
    """Load a conversation's KV state from disk, because its next message is likely to come."""

    session: str
    adapters: tuple[Adapter, ...] = ()


@dataclass(frozen=True, slots=True)
class ForgetSession(Request):
    """Drop a deleted conversation from the KV cache and from the disk."""

    session: str


# Events: engine -> window


@dataclass(frozen=True, slots=True)
class TokensCounted(Terminal):
    """The answer to `CountTokens`: the tokens that the model would read.

    `view_start` is the index of the oldest message it sees apart from system and pinned ones; it is
    0 while everything fits. `view_cut` is the index of the one of which it sees the end only.
    """

    tokens: int
    context_window: int
    view_start: int = 0
    view_cut: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A range of token positions, `end` excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MessagesRendered(Terminal):
    """The answer to `RenderMessages`: token ids, and the span of each message's own words.

    The span of an assistant's message includes the token that ends its turn, if there is one,
    because the model has to generate it.
    """

    tokens: tuple[int, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class TextTokenized(Terminal):
    """The answer to `TokenizeText`; every prompt of this model begins with `bos`."""

    tokens: tuple[int, ...]
    bos: int | None


@dataclass(frozen=True, slots=True)
class Scored(Terminal):
    """The answer to `Score`: natural logarithms, a tuple for each sequence, in its order."""

    logprobs: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Embedded(Terminal):
    """The answer to `Embed`: a vector for each text, and the tokens that were read."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class SessionsKept(Terminal):
    """The answer to `KeepSessions`: the states of this model that are there already."""

    sessions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class SessionRestored(Terminal):
    """The answer to `RestoreSession`: the number of tokens that need not be read again."""

    tokens: int


@dataclass(frozen=True, slots=True)
class SessionForgotten(Terminal):
    """The answer to `ForgetSession`."""


@dataclass(frozen=True, slots=True)
class PromptProgress(Event):
    """Prefill: `done` of `total` prompt tokens are read, `cached` of them were there already."""

    done: int
    total: int
    cached: int


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token, its bytes in the answer, and its natural log-probability before any sampling.

    The first token of a prompt has none.
    """

    token: int
    data: tuple[int, ...]
    logprob: float | None
    top: tuple["TokenLogprob", ...] = ()  # the likeliest at its place, the best first


@dataclass(frozen=True, slots=True)
class TextDelta(Event):
    """A piece of the answer: whole characters, never half of one.

    `logprobs` are those of the tokens sampled since the last delta, when they were asked for;
    `tokens` is the number of all tokens sampled so far, those of the thinking included.
    """

    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class ThinkingDelta(Event):
    """A piece of what the model thinks before its answer; `tokens` as in `TextDelta`."""

    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """The cost of an answer. Counts in tokens, times in seconds from the start in the engine.

    `drafted` tokens were guessed ahead, `accepted` of them were right. `view_start` and
    `view_cut` as in `TokensCounted`. `thinking_s` is the time of thinking before the answer.
    """

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    ttft_s: float | None
    tokens_per_s: float | None
    duration_s: float
    seed: int
    drafted: int = 0
    accepted: int = 0
    view_start: int = 0
    view_cut: int | None = None
    thinking_s: float | None = None


@dataclass(frozen=True, slots=True)
class Finished(Terminal):
    """The answer is complete (or as long as it may be). `stopped_by` is the stop string it met."""

    reason: StopReason
    stats: GenerationStats
    stopped_by: str | None = None


@dataclass(frozen=True, slots=True)
class Cancelled(Terminal):
    """The request was stopped; `stats` is None when it had not begun."""

    stats: GenerationStats | None


@dataclass(frozen=True, slots=True)
class Failed(Terminal):
    """The request could not be done. `tokens` and `limit` go with PROMPT_TOO_LONG."""

    code: FailureCode
    detail: str
    tokens: int | None = None
    limit: int | None = None


# The only list of both. The codec reads and writes these messages, and mypy checks the worker
# against it.

ModelRequest = (
    Generate
    | CountTokens
    | RenderMessages
    | TokenizeText
    | Score
    | Embed
    | KeepSessions
    | RestoreSession
    | ForgetSession
)
"""The requests to the loaded model."""
EngineRequest = LoadModel | Quantize | ModelRequest | Cancel | Shutdown
EngineEvent = (
    EngineReady
    | LoadProgress
    | ModelLoaded
    | QuantizeProgress
    | Quantized
    | TokensCounted
    | MessagesRendered
    | TextTokenized
    | Scored
    | Embedded
    | SessionsKept
    | SessionRestored
    | SessionForgotten
    | PromptProgress
    | TextDelta
    | ThinkingDelta
    | Finished
    | Cancelled
    | Failed
)
