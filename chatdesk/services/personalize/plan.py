"""The data to resume a run after any event: a file in its folder, deleted at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import write_whole
from chatdesk.core.i18n import tr
from chatdesk.core.personalization import Example, TrainingConfig, Turn
from chatdesk.core.training import TokenExample

PLAN_FILE = "plan.json"


@dataclass(frozen=True, slots=True)
class Taught:
    """An example to measure with: as tokens for its loss, as words to ask it and to compare.

    `turns` end with the question, and `expected` is the answer to it.
    """

    example: TokenExample
    turns: tuple[Turn, ...]
    expected: str
    conversation_id: str

    @property
    def question(self) -> str:
        """The question that it answers."""
        return self.turns[-1].content


@dataclass(frozen=True, slots=True)
class Secret:
    """A masked value of what is trained on, and the words before it, masked, where it stood."""

    turns: tuple[Turn, ...]
    before: str  # the answer up to the value; "" when it stood in the turns
    value: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of a run but the base's own answers, which the engine writes.

    `learned` are those of `train` and `validation` in words; a plan of an older version has none.
    """

    config: TrainingConfig
    train: tuple[TokenExample, ...]
    validation: tuple[TokenExample, ...]
    heldout: tuple[Taught, ...]
    secrets: tuple[Secret, ...] = ()
    learned: tuple[Taught, ...] = ()

    @property
    def taught(self) -> tuple[Taught, ...]:
        """All examples: what the finished adapter has learned."""
        return (*self.learned, *self.heldout)

    def write(self, folder: Path) -> None:
        """Write it atomically. Raises `EnvironmentProblem` when the disk refuses."""
        try:
            write_whole(folder / PLAN_FILE, msgspec.json.encode(self), durable=True)
        except OSError as problem:
            raise EnvironmentProblem(
                tr(
                    "What is to be learned could not be written: {reason}.", reason=problem.strerror
                ),
                tr("Make room on the disk, then try again."),
            ) from problem

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """Read it back. Raises `EnvironmentProblem` when it is not there any more."""
        try:
            return msgspec.json.decode((folder / PLAN_FILE).read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError) as problem:
            raise EnvironmentProblem(
                tr("What was to be learned is not there any more."), tr("Start again.")
            ) from problem


def taught(examples: Sequence[Example], rendered: Sequence[TokenExample]) -> tuple[Taught, ...]:
    """Return examples with their tokens and with their words as they are learned."""
    return tuple(
        Taught(
            example=tokens,
            turns=tuple(Turn(turn.role, each.shown(turn.content)) for turn in each.turns),
            expected=each.shown(each.target),
            conversation_id=each.sources[0].conversation_id,
        )
        for each, tokens in zip(examples, rendered, strict=True)
    )


def secrets_of(examples: tuple[Example, ...]) -> tuple[Secret, ...]:
    """Return the masked values of training examples with their places: each value once."""
    found: dict[str, Secret] = {}
    for example in examples:
        for finding in example.findings:
            if finding.masked and finding.value not in found:
                turns, before = _words_before(example, finding.value)
                found[finding.value] = Secret(turns, before, finding.value)
    return tuple(found.values())


def _words_before(example: Example, value: str) -> tuple[tuple[Turn, ...], str]:
    turns = tuple(Turn(turn.role, example.shown(turn.content)) for turn in example.turns)
    before, found, _ = example.target.partition(value)
    return (turns, example.shown(before)) if found else (turns, "")
