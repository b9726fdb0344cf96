"""Personalization as values: examples, configuration and results of training.

Turns, answers and samples in here are the user's own words: they are never logged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar


class LearnFrom(StrEnum):
    """The conversations that may be learned from without a mark by hand (the setting)."""

    RATED = "rated"  # only what was rated or corrected
    EVERYTHING = "everything"  # everything but what was excluded
    NOTHING = "nothing"


class ExampleReason(StrEnum):
    """The reason why something is an example."""

    RATED = "rated"  # a thumb up
    CORRECTED = "corrected"  # the user wrote a better answer
    PREFERRED = "preferred"  # of several answers to one question this one was kept
    INCLUDED = "included"  # marked by hand, or part of everything
    FILE = "file"  # from an imported chat file


class ExampleKind(StrEnum):
    """The way in which an example teaches."""

    ANSWER = "answer"  # to say this
    PREFERENCE = "preference"  # to say this and not that


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of a conversation; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ExampleSource:
    """The source of an example.

    For a line of a chat file `conversation_id` is `file:` and the hash of the line's content, so
    that it is a separate conversation, and `message_id` the file's name and line.
    """

    conversation_id: str
    message_id: str

    @property
    def is_file(self) -> bool:
        """True for a line of a file, not a message."""
        return self.conversation_id.startswith("file:")


class FindingKind(StrEnum):
    """A kind of secret or personal datum."""

    KEY = "key"  # keys and tokens of services, private keys
    PASSWORD = "password"  # in URLs and assignments  # noqa: S105
    CARD = "card"
    IBAN = "iban"
    EMAIL = "email"
    PHONE = "phone"
    NATIONAL_ID = "national_id"


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret or personal datum in an example's words.

    `placeholder` ("[email 1]") is the same for the same value in all examples of a preview; it is
    learned instead of the value, unless the user wants the value itself (`masked` False).
    """

    kind: FindingKind
    value: str
    placeholder: str
    masked: bool = True


class Doubt(StrEnum):
    """Why an example would do harm; it is left out unless the user insists."""

    EMPTY = "empty"
    NOISE = "noise"  # random characters or words
    REPETITION = "repetition"
    REFUSAL = "refusal"
    CUT_OFF = "cut_off"  # the answer ends in the middle
    TOO_LONG = "too_long"  # the question and the answer are longer than the largest sequence
    TEMPLATE = "template"  # the model's chat template cannot show the conversation


@dataclass(frozen=True, slots=True)
class Example:
    """One example: `target` is to be said after `turns`, instead of `rejected` if given.

    Words are as they were written; `shown` gives them as they are learned. `tokens` counts the
    whole sequence, `target_tokens` the ones in the loss, `cut` the oldest turns that are left out
    because the sequence would be too long; all are 0 until the engine has counted.
    """

    id: str  # a hash of its words: the same words are the same example
    kind: ExampleKind
    why: ExampleReason
    turns: tuple[Turn, ...]  # any system prompt, the conversation before; the user's is last
    target: str
    sources: tuple[ExampleSource, ...]  # several where duplicates were merged
    rejected: str = ""
    findings: tuple[Finding, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    chosen: bool = True  # it will be learned
    tokens: int = 0
    target_tokens: int = 0
    cut: int = 0

    def shown(self, text: str) -> str:
        """Return `text` with every masked value replaced by its placeholder."""
        for finding in sorted(self.findings, key=lambda each: -len(each.value)):
            if finding.masked:
                text = text.replace(finding.value, finding.placeholder)
        return text


@dataclass(frozen=True, slots=True)
class Preview:
    """The examples that would be learned, and those left out with their reasons.

    `problem` is a sentence: why training on it cannot begin; "" when it can.
    """

    model_id: str
    examples: tuple[Example, ...]
    longest: int  # tokens of the longest sequence that is trained on
    problem: str = ""

    @property
    def chosen(self) -> tuple[Example, ...]:
        """The examples that will be learned."""
        return tuple(each for each in self.examples if each.chosen)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The settings of a training run. 0 for a whole number means: chosen from the data.

    `rank` and `alpha` as in Hu et al. 2021; `rslora` scales by alpha / sqrt(rank) (Kalajdzievski
    2023). `batch` is sequences per optimizer step, computed in parts of at most `batch_tokens`.
    `beta` is DPO's (Rafailov et al. 2023). `replay` is how many general prompts with the base's own
    answers are mixed in for each example, to keep its distribution there. A run ends early when the
    validation loss has not improved for `patience` epochs or the general loss is worse by more than
    `general_limit`: on the base's own answers that growth is the divergence from it, of which the
    gate allows at most 0.3.
    """

    rank: int = 0
    alpha: float = 0.0
    rslora: bool = False
    targets: tuple[str, ...] = ()  # GGUF names of linear layers ("attn_q"); () are all of them
    epochs: int = 0
    learning_rate: float = 0.0
    batch: int = 0
    batch_tokens: int = 512
    longest: int = 512  # tokens of a sequence
    warmup: float = 0.1  # share of all steps
    weight_decay: float = 0.01
    dropout: float = 0.0
    clip: float = 1.0  # largest norm of the gradient
    beta: float = 0.1
    replay: float = 1.0
    patience: int = 2
    general_limit: float = 0.25  # nats per token, on validation replay
    seed: int = 0


class Verdict(StrEnum):
    """The decision of the gate."""

    PROMOTED = "promoted"
    REJECTED = "rejected"


class ReasonCode(StrEnum):
    """A reason of the gate; `services.personalize.gate.reason_words` has its sentence."""

    BETTER = "better"  # change, low, high: shares of the held-out loss
    NOT_BETTER = "not_better"
    NOT_SURE = "not_sure"  # better on average, but the interval holds 0
    GENERAL_KEPT = "general_kept"  # change: share of the general loss
    GENERAL_WORSE = "general_worse"
    DIVERGED = "diverged"  # divergence in nats, limit
    DEGENERATE = "degenerate"  # count, of
    RECALLED = "recalled"  # count, of
    WEAKER_SCALE = "weaker_scale"  # scale: full strength failed
    UNUSABLE = "unusable"  # losses that are not numbers
    TOO_LITTLE = "too_little"  # count, least: held-out answers
    MEANINGLESS = "meaningless"  # count, of: held-out answers that are noise or repetition
    UNRELATED = "unrelated"  # held-out answers fit their questions no better than others'
    FORGOTTEN = "forgotten"  # told, proven: taught answers the finished and the proven one tell


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason with its figures."""

    code: ReasonCode
    values: Mapping[str, float] = field(default_factory=dict)
    good: bool = False  # speaks for the adapter


@dataclass(frozen=True, slots=True)
class Figures:
    """The measurements of the model in use, with one adapter or none.

    Losses are nats per token of the answers; `divergence` is the mean Kullback-Leibler divergence
    of the next-token distribution from the base's, in nats, on text the base wrote; `degenerate` of
    `answered` answers went wrong, `recalled` of `secrets` were repeated literally.
    """

    heldout_loss: float
    general_loss: float
    divergence: float = 0.0
    degenerate: int = 0
    answered: int = 0
    recalled: int = 0
    secrets: int = 0


@dataclass(frozen=True, slots=True)
class SampleAnswer:
    """A held-out or general question with the answers before and after."""

    question: str
    before: str
    after: str
    expected: str = ""  # the user's own, of a held-out one
    conversation_id: str = ""  # "" for a general question


@dataclass(frozen=True, slots=True)
class HeldOutLoss:
    """The loss of one held-out answer, in nats per token: before, and with the proven adapter.

    `finished` is that with the finished one, which has learned it; None where none is used.
    """

    question: str
    before: float
    proven: float
    conversation_id: str
    finished: float | None = None


@dataclass(frozen=True, slots=True)
class MissedAnswer:
    """A taught answer that is not told when it is asked for, and what is said instead.

    `reworded` if the question is in other words of the model.
    """

    question: str
    expected: str
    said: str
    conversation_id: str
    reworded: bool = False


_OfConversation = TypeVar("_OfConversation", SampleAnswer, HeldOutLoss, MissedAnswer)


@dataclass(frozen=True, slots=True)
class FactsTold:
    """How many taught answers are told: `before`, and now `told`, of those `asked` word for word.

    `reworded` could be asked in other words of the model, `reworded_told` of them were told then.
    `missed` are those that are not told, in either way.
    """

    asked: int
    before: int
    told: int
    reworded: int = 0
    reworded_told: int = 0
    missed: tuple[MissedAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class FinishedAdapter:
    """What became of a proven adapter that then learned all `examples`.

    `used` is False when that made something worse, which `reasons` say: then the proven one is
    used. `facts` are those of the one that is used.
    """

    examples: int
    used: bool
    reasons: tuple[Reason, ...] = ()
    facts: FactsTold | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The measurements and the decision of the gate.

    The adapter was proven by its held-out loss, before it learned what is held out. All other
    figures of `adapter` are of what is used: `finished` says whether that has learned it since, and
    is None where nothing else was trained.

    `change` is the mean change of the loss per held-out answer compared with what was active
    before, in nats per token (negative is better), `low` and `high` bound it with 95 % (paired
    bootstrap). `active` is None when the base was active.
    """

    base: Figures
    adapter: Figures
    verdict: Verdict
    reasons: tuple[Reason, ...]
    change: float
    low: float
    high: float
    scale: float = 1.0
    active: Figures | None = None
    active_name: str = ""
    samples: tuple[SampleAnswer, ...] = ()
    heldout: tuple[HeldOutLoss, ...] = ()
    finished: FinishedAdapter | None = None

    def without(self, conversation_id: str) -> "Scorecard":
        """Return it without the words of a conversation; all figures stay."""

        def others(parts: Iterable[_OfConversation]) -> tuple[_OfConversation, ...]:
            return tuple(each for each in parts if each.conversation_id != conversation_id)

        finished = self.finished
        if finished and finished.facts:
            facts = replace(finished.facts, missed=others(finished.facts.missed))
            finished = replace(finished, facts=facts)
        return replace(
            self,
            samples=others(self.samples),
            heldout=others(self.heldout),
            finished=finished,
        )


class AdapterState(StrEnum):
    """The progress of a run, or the state of its adapter."""

    PREPARING = "preparing"  # tokens, the base's own answers and figures
    TRAINING = "training"
    MEASURING = "measuring"  # the gate
    FINISHING = "finishing"  # learns what was held out, too
    CHECKING = "checking"  # the gate again, with what was finished
    INTERRUPTED = "interrupted"  # the app ended; resumes from the last checkpoint
    CANCELLED = "cancelled"
    FAILED = "failed"
    REJECTED = "rejected"
    PROMOTED = "promoted"
    IMPORTED = "imported"  # made elsewhere, or accepted by the user without the gate


RUNNING = (
    AdapterState.PREPARING,
    AdapterState.TRAINING,
    AdapterState.MEASURING,
    AdapterState.FINISHING,
    AdapterState.CHECKING,
)
USABLE = (AdapterState.PROMOTED, AdapterState.IMPORTED)


@dataclass(frozen=True, slots=True)
class LossPoint:
    """Losses after so many optimizer steps, in nats per token; None where not measured then."""

    step: int
    training: float | None = None
    validation: float | None = None
    general: float | None = None


@dataclass(frozen=True, slots=True)
class AdapterRecord:
    """A run and its adapter. The files are in the folder of its id.

    `examples` were trained on, `heldout` were kept for the gate. Times are seconds.
    """

    id: str
    name: str
    model_id: str
    model_name: str
    model_sha256: str | None
    state: AdapterState
    created: datetime
    config: TrainingConfig = field(default_factory=TrainingConfig)
    ended: datetime | None = None
    examples: int = 0
    heldout: int = 0
    scale: float = 1.0
    active: bool = False  # used for its model wherever nothing else was chosen
    scorecard: Scorecard | None = None
    losses: tuple[LossPoint, ...] = ()
    tokens: int = 0
    tokens_per_s: float = 0.0
    seconds: float = 0.0
    peak_bytes: int = 0
    bytes: int = 0  # of the adapter's file
    error: str = ""  # a sentence, when it failed

    @property
    def is_usable(self) -> bool:
        """True if it can be activated."""
        return self.state in USABLE


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The sources of an adapter that must not be learned from any more."""

    conversations: int  # deleted, or excluded
    examples: int


@dataclass(frozen=True, slots=True)
class RatingTrend:
    """Thumbs under an adapter, and before it. `worse` when that is unlikely to be chance."""

    up: int
    down: int
    up_before: int
    down_before: int
    worse: bool
