"""What an adapter is measured with, and what it is compared with."""

from dataclasses import dataclass, replace
from functools import cached_property

from chatdesk.core.generation import Adapter, PromptMessage
from chatdesk.core.personalization import Figures
from chatdesk.core.training import Sequence as TokenSequence
from chatdesk.services.measure.losses import answer_losses, rendered_answers
from chatdesk.services.measure.probe import Adapters, Messages, Probe, Written
from chatdesk.services.measure.statistics import mean
from chatdesk.services.personalize.gate.base_figures import (
    ANSWERED,
    CANARY_SEED,
    BaseFigures,
    written,
)
from chatdesk.services.personalize.gate.degeneration import degenerate
from chatdesk.services.personalize.gate.general_sets import GeneralSets
from chatdesk.services.personalize.gate.memorization import canaries
from chatdesk.services.personalize.plan import Secret, Taught

_COMPARED = 8  # held-out questions that are answered before and after


@dataclass(frozen=True, slots=True)
class Evidence:
    """The data for measuring every adapter of a run."""

    sets: GeneralSets
    figures: BaseFigures
    heldout: tuple[Taught, ...]
    secrets: tuple[Secret, ...]

    @property
    def questions(self) -> tuple[Messages, ...]:
        """The questions to answer: general ones, then held-out ones."""
        general = [each.question for each in self.sets.items[:ANSWERED]]
        return (*general, *map(asked, self.heldout[:_COMPARED]))

    @property
    def all_secrets(self) -> tuple[Secret, ...]:
        """The user's secrets, and those that were planted."""
        return (*self.secrets, *(each.secret for each in canaries(CANARY_SEED)))


def asked(taught: Taught) -> Messages:
    """Return an example as a conversation to answer."""
    return tuple(PromptMessage(turn.role, turn.content) for turn in taught.turns)


@dataclass(frozen=True, slots=True)
class Active:
    """The active adapter; `figures` are those of its own trial, if it had one.

    `proven` is what it was before it learned its held-out answers too: they are no test of it now.
    """

    name: str
    adapter: Adapter
    figures: Figures | None = None
    proven: Adapter | None = None


class Before:
    """The values to compare an adapter with, each measured when it is first wanted."""

    def __init__(self, probe: Probe, evidence: Evidence, active: Active | None = None) -> None:
        self._probe = probe
        self._evidence = evidence
        self._active = active

    @property
    def adapters(self) -> Adapters:
        """What answered before."""
        return (self._active.adapter,) if self._active else ()

    @property
    def name(self) -> str:
        """The name of the active adapter; "" for the model as it is."""
        return self._active.name if self._active else ""

    @cached_property
    def base_losses(self) -> tuple[float, ...]:
        """The base's losses on the held-out answers."""
        return answer_losses(self._probe, self._own)

    @cached_property
    def losses(self) -> tuple[float, ...]:
        """The same of what is active, as it was before it learned its own held-out answers."""
        active = self._active
        if active is None:
            return self.base_losses
        return answer_losses(self._probe, self._own, (active.proven or active.adapter,))

    @cached_property
    def general(self) -> tuple[TokenSequence, ...]:
        """The general questions with their right answers."""
        items = self._evidence.sets.items
        return rendered_answers(self._probe, (each.answered for each in items))

    @cached_property
    def answers(self) -> tuple[Written, ...]:
        """The answers of what is active to the evidence's questions."""
        if not self.adapters:
            return (*self._evidence.figures.answers, *self._own_answers)
        return written(self._probe, self._evidence.questions, self.adapters)

    @cached_property
    def base_unanswered(self) -> Figures:
        """The figures of the base, without those of its answers."""
        return Figures(
            heldout_loss=mean(self.base_losses),
            general_loss=mean(self._evidence.figures.general),
            secrets=len(self._evidence.all_secrets),
        )

    @cached_property
    def base(self) -> Figures:
        """The figures of the base."""
        figures, own = self._evidence.figures, self._own_answers
        return replace(
            self.base_unanswered,
            degenerate=figures.degenerate + degenerate(self._probe, own),
            answered=len(figures.answers) + len(own),
        )

    @cached_property
    def active(self) -> Figures | None:
        """The figures of the active adapter, if there is one."""
        if self._active is None:
            return None
        known = self._active.figures or Figures(
            0.0, mean(answer_losses(self._probe, self.general, self.adapters))
        )
        return replace(known, heldout_loss=mean(self.losses))

    @property
    def _own(self) -> list[TokenSequence]:
        return [each.example.chosen for each in self._evidence.heldout]

    @cached_property
    def _own_answers(self) -> tuple[Written, ...]:
        """The base's answers to held-out questions."""
        evidence = self._evidence
        return written(self._probe, evidence.questions[len(evidence.figures.answers) :])
