"""Making a model smaller, as values."""

from dataclasses import dataclass
from enum import StrEnum

from chatdesk.core.models import ModelFile


class QuantizingState(StrEnum):
    """The progress of making a smaller model."""

    WRITING = "writing"
    COMPARING = "comparing"  # the smaller model is complete, and is measured beside the original
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ModelFigures:
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

    original: ModelFigures
    smaller: ModelFigures
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Quantizing:
    """A model that is being made smaller, or was. `fraction` is that of the whole, 0 to 1.

    `comparing`: it is compared with the original when it is written. `seconds_left` are those of
    the step it is at, 0 while that is unknown: how long the next one takes is not known before.
    `result` is set as soon as its file is complete. `problem` is a sentence: why it failed.
    """

    model: ModelFile
    type: str
    state: QuantizingState
    fraction: float = 0.0
    seconds_left: float = 0.0
    comparing: bool = True
    result: ModelFile | None = None
    comparison: Comparison | None = None
    problem: str = ""

    @property
    def is_running(self) -> bool:
        """True until it has ended."""
        return self.state in (QuantizingState.WRITING, QuantizingState.COMPARING)
