"""The data to resume a run after any event: a file in its folder, deleted at its end."""

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
class HeldOut:
    """An example that is kept aside: as tokens for its loss, as words for the answers compared."""

    example: TokenExample
    turns: tuple[Turn, ...]
    expected: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A masked value of what is trained on, and the words before it, masked, where it stood."""

    turns: tuple[Turn, ...]
    before: str  # the answer up to the value; "" when it stood in the turns
    value: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of a run but the base's own answers, which the engine writes."""

    config: TrainingConfig
    train: tuple[TokenExample, ...]
    validation: tuple[TokenExample, ...]
    heldout: tuple[HeldOut, ...]
    secrets: tuple[Secret, ...] = ()

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
