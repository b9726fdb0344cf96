"""The trial of an adapter: measured at full strength, then weaker, and accepted or not.

The engine measures everything, on the model in use.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chatdesk.core.generation import Adapter, PromptMessage
from chatdesk.core.personalization import (
    Figures,
    Reason,
    ReasonCode,
    SampleAnswer,
    Scorecard,
    Verdict,
)
from chatdesk.core.training import Sequence as TokenSequence
from chatdesk.services.measure.divergence import divergence
from chatdesk.services.measure.losses import answer_losses, rendered_answers
from chatdesk.services.measure.probe import Messages, Probe, Written
from chatdesk.services.measure.statistics import Interval, mean
from chatdesk.services.personalize.gate import verdict
from chatdesk.services.personalize.gate.base_figures import (
    ANSWERED,
    CANARY_SEED,
    BaseFigures,
    written,
)
from chatdesk.services.personalize.gate.degeneration import degenerate, is_senseless
from chatdesk.services.personalize.gate.general_sets import GeneralSets
from chatdesk.services.personalize.gate.memorization import canaries, recalled
from chatdesk.services.personalize.gate.relations import relations
from chatdesk.services.personalize.plan import HeldOut, Secret

_COMPARED = 8  # held-out questions that are answered before and after
_RELATED = 12  # held-out answers that are tried with other questions
_SHOWN = 8  # general questions on the scorecard
_HOPELESS = {  # no weaker scale helps
    ReasonCode.TOO_LITTLE,
    ReasonCode.MEANINGLESS,
    ReasonCode.UNRELATED,
    ReasonCode.UNUSABLE,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The data for measuring every adapter of a run."""

    sets: GeneralSets
    figures: BaseFigures
    heldout: tuple[HeldOut, ...]
    secrets: tuple[Secret, ...]

    @property
    def questions(self) -> tuple[Messages, ...]:
        """The questions to answer: general ones, then held-out ones."""
        general = [each.question for each in self.sets.items[:ANSWERED]]
        own = [
            tuple(PromptMessage(turn.role, turn.content) for turn in each.turns)
            for each in self.heldout[:_COMPARED]
        ]
        return (*general, *own)


@dataclass(frozen=True, slots=True)
class Active:
    """The active adapter; `figures` are those of its own trial, if it had one."""

    name: str
    adapter: Adapter
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class _Before:
    """The values to compare an adapter with; losses and answers are those of the active one."""

    general: tuple[TokenSequence, ...]
    base: Figures
    active: Figures | None
    base_losses: tuple[float, ...]  # held out
    losses: tuple[float, ...]
    answers: tuple[Written, ...]


def run_trial(
    probe: Probe, evidence: Evidence, adapter: Path, active: Active | None = None
) -> Scorecard:
    """Try an adapter at decreasing strengths until one does no harm.

    When none does, the scorecard is that of full strength, with all measurements. Raises
    `EnvironmentProblem`.
    """
    before = _measure_before(probe, evidence, active)
    trials = []
    for scale in verdict.SCALES:
        trial = _Trial(probe, evidence, before, (Adapter(str(adapter), scale),))
        trials.append(trial)
        if trial.passes() or trial.is_hopeless:
            break
    chosen = trials[-1] if trials[-1].passes() else trials[0]
    if not chosen.is_broken:
        chosen.finish()
    return chosen.scorecard(active.name if active else "")


def _measure_before(probe: Probe, evidence: Evidence, active: Active | None) -> _Before:
    own = [each.example.chosen for each in evidence.heldout]
    figures = evidence.figures
    items = rendered_answers(probe, (each.answered for each in evidence.sets.items))
    base_losses = answer_losses(probe, own)
    answers = written(probe, evidence.questions[len(figures.answers) :])
    base = Figures(
        heldout_loss=mean(base_losses),
        general_loss=mean(figures.general),
        degenerate=figures.degenerate + degenerate(probe, answers),
        answered=len(figures.answers) + len(answers),
        secrets=len(_secrets(evidence)),
    )
    if active is None:
        answers = (*figures.answers, *answers)
        return _Before(items, base, None, base_losses, base_losses, answers)
    adapters = (active.adapter,)
    losses = answer_losses(probe, own, adapters)
    known = active.figures or Figures(0.0, mean(answer_losses(probe, items, adapters)))
    return _Before(
        items,
        base,
        replace(known, heldout_loss=mean(losses)),
        base_losses,
        losses,
        written(probe, evidence.questions, adapters),
    )


class _Trial:
    """An adapter at one scale.

    Its measurements run one after the other, the cheapest first, and only as far as needed.
    """

    def __init__(
        self, probe: Probe, evidence: Evidence, before: _Before, adapters: tuple[Adapter]
    ) -> None:
        self._probe = probe
        self._evidence = evidence
        self._before = before
        self._adapters = adapters
        self._figures = Figures(0.0, 0.0, secrets=before.base.secrets)
        self._interval = Interval(0.0, 0.0, 0.0)
        self._answers: tuple[Written, ...] = ()
        self._reasons: list[Reason] = []
        self._steps = iter(
            (
                self._measure_heldout,
                self._measure_relation,
                self._measure_divergence,
                self._measure_recall,
                self._measure_general,
                self._measure_answers,
            )
        )

    def passes(self) -> bool:
        """Return True if nothing speaks against it; stops at the first reason that does."""
        while self._is_good() and self._go_on():
            pass
        return self._is_good()

    def finish(self) -> None:
        """Do the remaining measurements."""
        while self._go_on():
            pass

    @property
    def is_hopeless(self) -> bool:
        """True if the reason against it holds at every scale."""
        return any(each.code in _HOPELESS for each in self._reasons)

    @property
    def is_broken(self) -> bool:
        """True if its numbers are not finite, so that nothing more can be measured."""
        return any(each.code is ReasonCode.UNUSABLE for each in self._reasons)

    def scorecard(self, active_name: str) -> Scorecard:
        """Return all measurements, and the verdict."""
        scale = self._adapters[0].scale
        if scale < 1:
            self._reasons.append(Reason(ReasonCode.WEAKER_SCALE, {"scale": scale}, good=True))
        return Scorecard(
            base=self._before.base,
            adapter=self._figures,
            verdict=Verdict.PROMOTED if self._is_good() else Verdict.REJECTED,
            reasons=tuple(self._reasons),
            change=self._interval.mean,
            low=self._interval.low,
            high=self._interval.high,
            scale=scale,
            active=self._before.active,
            active_name=active_name,
            samples=tuple(self._samples()),
        )

    def _is_good(self) -> bool:
        return all(each.good for each in self._reasons)

    def _go_on(self) -> bool:
        step = next(self._steps, None)
        if step:
            step()
        return step is not None

    def _note(self, reason: Reason | None, **figures: Any) -> None:
        self._figures = replace(self._figures, **figures)
        if reason:
            self._reasons.append(reason)

    def _measure_heldout(self) -> None:
        own = [each.example.chosen for each in self._evidence.heldout]
        losses = answer_losses(self._probe, own, self._adapters)
        reason, self._interval = verdict.better(self._before.losses, losses)
        self._note(reason, heldout_loss=mean(losses))
        senseless = [
            is_senseless(each.expected, _target(each.example.chosen), loss)
            for each, loss in zip(self._evidence.heldout, self._before.base_losses, strict=True)
        ]
        self._note(verdict.sensible(sum(senseless), len(senseless)))

    def _measure_relation(self) -> None:
        some = self._evidence.heldout[:_RELATED]
        if len(some) >= verdict.LEAST_ANSWERS:
            self._note(verdict.related(relations(self._probe, some, self._adapters)))

    def _measure_divergence(self) -> None:
        found = divergence(self._probe, self._evidence.figures.texts, self._adapters)
        self._note(verdict.diverged(found), divergence=found)

    def _measure_recall(self) -> None:
        secrets = _secrets(self._evidence)
        count = recalled(self._probe, secrets, self._adapters)
        self._note(verdict.remembered(count, len(secrets)), recalled=count)

    def _measure_general(self) -> None:
        losses = answer_losses(self._probe, self._before.general, self._adapters)
        reason = verdict.general(self._evidence.figures.general, losses)
        self._note(reason, general_loss=mean(losses))

    def _measure_answers(self) -> None:
        self._answers = written(self._probe, self._evidence.questions, self._adapters)
        count, of = degenerate(self._probe, self._answers), len(self._answers)
        reason = verdict.went_wrong(count, of, self._before.base.degenerate)
        self._note(reason, degenerate=count, answered=of)

    def _samples(self) -> Iterator[SampleAnswer]:
        """Yield held-out questions with both answers and the user's own, then general ones."""
        pairs = list(zip(self._before.answers, self._answers, strict=False))  # if it was answered
        general = len(self._evidence.figures.answers)
        for held, (before, after) in zip(self._evidence.heldout, pairs[general:], strict=False):
            question = held.turns[-1].content
            yield SampleAnswer(
                question, before.text, after.text, held.expected, held.conversation_id
            )
        items = self._evidence.sets.items
        for item, (before, after) in zip(items, pairs[: min(general, _SHOWN)], strict=False):
            yield SampleAnswer(item.prompt, before.text, after.text)


def _secrets(evidence: Evidence) -> tuple[Secret, ...]:
    return (*evidence.secrets, *(each.secret for each in canaries(CANARY_SEED)))


def _target(answer: TokenSequence) -> tuple[int, ...]:
    return answer.tokens[answer.targets[0].start : answer.targets[-1].end]
