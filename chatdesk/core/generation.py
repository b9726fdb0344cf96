"""What is asked of the engine, and the events it answers with.

These are the messages of the engine's protocol: plain values, sent as JSON lines by
`workers.codec`. Every request carries a `request_id` and ends in exactly one event of
`TERMINAL_EVENTS` with that id; the end of the stream without one is a crash.
"""

from dataclasses import dataclass
from enum import StrEnum

from chatdesk.core.loading import (
    EngineReady,
    LoadModel,
    LoadProgress,
    ModelLoaded,
    Quantize,
    Quantized,
    QuantizeProgress,
)
from chatdesk.core.sampling import SamplingParams

ANSWER_ROOM = 16  # tokens: a prompt that leaves less than this has no room for an answer


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One turn as the chat template sees it; `role` is system, user or assistant.

    `thinking` is what an assistant thought before it spoke, for templates that ask for it. A
    `pinned` message stays when the oldest turns leave a full context.
    """

    role: str
    content: str
    thinking: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Adapter:
    """A GGUF LoRA adapter and how strongly it is applied; 1 is as it was trained."""

    path: str
    scale: float = 1.0


class StopReason(StrEnum):
    """Why an answer ended."""

    END = "end"  # the model's end-of-turn token, or a stop string
    LENGTH = "length"  # max_tokens, or the context window is full
    CANCELLED = "cancelled"


class FailureCode(StrEnum):
    """What went wrong in the engine; services turn it into a sentence for the person."""

    NOT_FOUND = "not_found"
    NOT_GGUF = "not_gguf"
    TRUNCATED = "truncated"
    UNSUPPORTED_ARCHITECTURE = "unsupported_architecture"
    LOAD_FAILED = "load_failed"
    OUT_OF_MEMORY = "out_of_memory"
    DEVICE = "device"  # a device that was asked for is not there, or another computer is gone
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
class Generate:
    """Answer a conversation. A last message by the assistant is continued, not answered.

    With `prompt` set, that text is continued as it is and `messages` are not looked at.
    `background` marks work nobody is waiting for (titles): it gives way to what the user reads.
    `grammar` (GBNF) or `json_schema` (its JSON text) confine the answer. `logprobs` asks for the
    log-probability of each token and so many alternatives. `session` names the conversation under
    which the KV state may be kept on disk; without one it never is. `speculate` lets the engine
    guess ahead where that measurably helps; it does not change what is chosen.
    """

    request_id: str
    messages: tuple[PromptMessage, ...]
    sampling: SamplingParams
    background: bool = False
    prompt: str | None = None
    grammar: str | None = None
    json_schema: str | None = None
    logprobs: int | None = None
    adapters: tuple[Adapter, ...] = ()
    session: str | None = None
    speculate: bool = True


@dataclass(frozen=True, slots=True)
class CountTokens:
    """Render a conversation with the model's template and count its tokens."""

    request_id: str
    messages: tuple[PromptMessage, ...]


@dataclass(frozen=True, slots=True)
class RenderMessages:
    """Render a conversation with the model's template, whole, and tell its token ids."""

    request_id: str
    messages: tuple[PromptMessage, ...]


@dataclass(frozen=True, slots=True)
class TokenizeText:
    """Tokenize plain text; what looks like a special token in it is not taken for one."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ScoreSequence:
    """Token ids: `continuation` is scored, given `prompt` before it (at least one token)."""

    prompt: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Tell the log-probability of every token of some continuations; work in the background."""

    request_id: str
    sequences: tuple[ScoreSequence, ...]
    adapters: tuple[Adapter, ...] = ()


@dataclass(frozen=True, slots=True)
class Embed:
    """Tell a vector of length 1 for each text: the mean of the last layer over its tokens."""

    request_id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeepSessions:
    """Keep KV states of idle conversations in `folder`, up to `limit_bytes`; "" keeps none.

    `model_identity` is the hash of the model file's content.
    """

    request_id: str
    folder: str
    model_identity: str
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class RestoreSession:
    """Bring a conversation's KV state back from disk, as its next message is likely to come."""

    request_id: str
    session: str
    adapters: tuple[Adapter, ...] = ()


@dataclass(frozen=True, slots=True)
class ForgetSession:
    """Drop a conversation from the KV cache and from the disk: it was deleted."""

    request_id: str
    session: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the request with this id, also while its prompt is still being read. No own answer."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End the engine process in good order: what is worth it is kept on disk first."""


# Events: engine -> window


@dataclass(frozen=True, slots=True)
class TokensCounted:
    """The answer to `CountTokens`: what the model would read of it.

    `view_start` is the index of the oldest message it sees beside system and pinned ones; it is 0
    while everything fits.
    """

    request_id: str
    tokens: int
    context_window: int
    view_start: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A range of token positions, `end` excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MessagesRendered:
    """The answer to `RenderMessages`: token ids, and where each message's own words are.

    The span of an assistant's message also holds the token that ends its turn, if there is one:
    it is what the model has to say.
    """

    request_id: str
    tokens: tuple[int, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class TextTokenized:
    """The answer to `TokenizeText`; `bos` is what every prompt of this model begins with."""

    request_id: str
    tokens: tuple[int, ...]
    bos: int | None


@dataclass(frozen=True, slots=True)
class Scored:
    """The answer to `Score`: natural logarithms, a tuple for each sequence, in its order."""

    request_id: str
    logprobs: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Embedded:
    """The answer to `Embed`: a vector for each text, and the tokens that were read."""

    request_id: str
    vectors: tuple[tuple[float, ...], ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class SessionsKept:
    """The answer to `KeepSessions`: what is there already for this model."""

    request_id: str
    sessions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class SessionRestored:
    """The answer to `RestoreSession`: so many tokens need not be read again."""

    request_id: str
    tokens: int


@dataclass(frozen=True, slots=True)
class SessionForgotten:
    """The answer to `ForgetSession`."""

    request_id: str


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """Prefill: `done` of `total` prompt tokens are read, `cached` of them were there already."""

    request_id: str
    done: int
    total: int
    cached: int


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token, its bytes in the answer, and its natural log-probability before any sampling."""

    token: int
    data: tuple[int, ...]
    logprob: float
    top: tuple["TokenLogprob", ...] = ()  # the likeliest at its place, the best first


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer: whole characters, never half of one.

    `logprobs` are those of the tokens sampled since the last delta, when they were asked for.
    """

    request_id: str
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A piece of what the model thinks before its answer."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """What an answer cost. Counts in tokens, times in seconds from the engine taking it up.

    `drafted` tokens were guessed ahead, `accepted` of them were right. `view_start` as in
    `TokensCounted`. `thinking_s` is how long the model thought before it spoke, if it did.
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
    thinking_s: float | None = None


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


IdentifiedRequest = (
    LoadModel
    | Quantize
    | Generate
    | CountTokens
    | RenderMessages
    | TokenizeText
    | Score
    | Embed
    | KeepSessions
    | RestoreSession
    | ForgetSession
)
"""What is answered, under its `request_id`, and ends in one of `TERMINAL_EVENTS`."""
EngineRequest = IdentifiedRequest | Cancel | Shutdown
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
TERMINAL_EVENTS = (
    ModelLoaded,
    Quantized,
    TokensCounted,
    MessagesRendered,
    TextTokenized,
    Scored,
    Embedded,
    SessionsKept,
    SessionRestored,
    SessionForgotten,
    Finished,
    Cancelled,
    Failed,
)
