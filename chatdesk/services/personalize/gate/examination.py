"""The measurements of an adapter: one after the other, and only as far as needed."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chatdesk.core.generation import Adapter
from chatdesk.core.personalization import Figures, HeldOutLoss, Reason, ReasonCode, SampleAnswer
from chatdesk.core.training import Sequence as TokenSequence
from chatdesk.services.measure.divergence import divergence
from chatdesk.services.measure.losses import answer_losses
from chatdesk.services.measure.probe import Probe, Written
from chatdesk.services.measure.statistics import Interval, mean
from chatdesk.services.personalize.gate import verdict
from chatdesk.services.personalize.gate.base_figures import written
from chatdesk.services.personalize.gate.degeneration import degenerate, is_senseless
from chatdesk.services.personalize.gate.evidence import Before, Evidence
from chatdesk.services.personalize.gate.memorization import recalled
from chatdesk.services.personalize.gate.relations import relations

_RELATED = 12  # held-out answers that are tried with other questions
_SHOWN = 8  # general questions on the scorecard
_HOPELESS = {  # no weaker scale helps
    ReasonCode.TOO_LITTLE,
    ReasonCode.MEANINGLESS,
    ReasonCode.UNRELATED,
    ReasonCode.UNUSABLE,
}


class Examination:
    """Measures an adapter at one scale, the cheapest first, and only as far as needed.

    First whether it helps, by answers that it has not learned; one that is `finished` has, and
    cannot show that any more. Then whether it does harm.
    """

    def __init__(
        self,
        probe: Probe,
        evidence: Evidence,
        before: Before,
        adapter: Adapter,
        *,
        finished: bool = False,
    ) -> None:
        self.adapter = adapter
        self.reasons: list[Reason] = []
        self.figures = Figures(0.0, 0.0, secrets=len(evidence.all_secrets))
        self.losses: tuple[float, ...] = ()  # of the held-out answers
        self.interval = Interval(0.0, 0.0, 0.0)  # of their change
        self._probe = probe
        self._evidence = evidence
        self._before = before
        self._answers: tuple[Written, ...] = ()
        help_steps = (self._measure_heldout, self._measure_relation)
        self._proof = iter(
            (
                *((self._measure_learned,) if finished else help_steps),
                self._measure_divergence,
                self._measure_recall,
            )
        )
        self._rest = iter((self._measure_general, self._measure_answers))

    def is_proven(self) -> bool:
        """Return True if it helps, and goes not too far; stops at the first reason against it."""
        self._run(self._proof)
        return self.is_good

    def passes(self) -> bool:
        """Return True if nothing speaks against it; stops at the first reason that does."""
        self._run(itertools.chain(self._proof, self._rest))
        return self.is_good

    def finish(self) -> None:
        """Do the remaining measurements."""
        for step in (*self._proof, *self._rest):
            step()

    def _run(self, steps: Iterator[Callable[[], None]]) -> None:
        while self.is_good and (step := next(steps, None)):
            step()

    @property
    def is_good(self) -> bool:
        """True if nothing measured so far speaks against it."""
        return all(each.good for each in self.reasons)

    @property
    def is_hopeless(self) -> bool:
        """True if the reason against it holds at every scale."""
        return any(each.code in _HOPELESS for each in self.reasons)

    @property
    def is_broken(self) -> bool:
        """True if its numbers are not finite, so that nothing more can be measured."""
        return any(each.code is ReasonCode.UNUSABLE for each in self.reasons)

    def heldout(self) -> tuple[HeldOutLoss, ...]:
        """Return the loss of each held-out answer before, and with this adapter."""
        return tuple(
            HeldOutLoss(each.question, before, after, each.conversation_id)
            for each, before, after in zip(
                self._evidence.heldout, self._before.losses, self.losses, strict=False
            )
        )

    def samples(self) -> Iterator[SampleAnswer]:
        """Yield held-out questions with both answers and the user's own, then general ones.

        None when it did not come to answers.
        """
        if not self._answers:
            return
        pairs = list(zip(self._before.answers, self._answers, strict=True))
        general = len(self._evidence.figures.answers)
        for held, (before, after) in zip(self._evidence.heldout, pairs[general:], strict=False):
            yield SampleAnswer(
                held.question, before.text, after.text, held.expected, held.conversation_id
            )
        items = self._evidence.sets.items
        for item, (before, after) in zip(items, pairs[: min(general, _SHOWN)], strict=False):
            yield SampleAnswer(item.prompt, before.text, after.text)

    def _note(self, reason: Reason | None, **figures: Any) -> None:
        self.figures = replace(self.figures, **figures)
        if reason:
            self.reasons.append(reason)

    def _measure_losses(self) -> None:
        own = [each.example.chosen for each in self._evidence.heldout]
        self.losses = answer_losses(self._probe, own, (self.adapter,))
        self._note(None, heldout_loss=mean(self.losses))

    def _measure_learned(self) -> None:
        self._measure_losses()
        self._note(verdict.learned(self.losses))

    def _measure_heldout(self) -> None:
        self._measure_losses()
        reason, self.interval = verdict.better(self._before.losses, self.losses)
        self._note(reason)
        senseless = [
            is_senseless(each.expected, _target(each.example.chosen), loss)
            for each, loss in zip(self._evidence.heldout, self._before.base_losses, strict=True)
        ]
        self._note(verdict.sensible(sum(senseless), len(senseless)))

    def _measure_relation(self) -> None:
        some = self._evidence.heldout[:_RELATED]
        if len(some) >= verdict.LEAST_ANSWERS:
            self._note(verdict.related(relations(self._probe, some, (self.adapter,))))

    def _measure_divergence(self) -> None:
        found = divergence(self._probe, self._evidence.figures.texts, (self.adapter,))
        self._note(verdict.diverged(found), divergence=found)

    def _measure_recall(self) -> None:
        secrets = self._evidence.all_secrets
        count = recalled(self._probe, secrets, (self.adapter,))
        self._note(verdict.remembered(count, len(secrets)), recalled=count)

    def _measure_general(self) -> None:
        losses = answer_losses(self._probe, self._before.general, (self.adapter,))
        reason = verdict.general(self._evidence.figures.general, losses)
        self._note(reason, general_loss=mean(losses))

    def _measure_answers(self) -> None:
        self._answers = written(self._probe, self._evidence.questions, (self.adapter,))
        count, of = degenerate(self._probe, self._answers), len(self._answers)
        reason = verdict.went_wrong(count, of, self._before.base.degenerate)
        self._note(reason, degenerate=count, answered=of)


def _target(answer: TokenSequence) -> tuple[int, ...]:
    return answer.tokens[answer.targets[0].start : answer.targets[-1].end]
