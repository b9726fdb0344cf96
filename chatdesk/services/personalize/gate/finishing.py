"""What can be proven of an adapter that was finished on all examples, and whether it is used.

What it was proven with it has learned now, so that it cannot show once more that it helps. It is
the proven one and some steps more, and it has to do no harm either, and to tell what it was taught.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from chatdesk.core.generation import Adapter
from chatdesk.core.personalization import (
    FactsTold,
    FinishedAdapter,
    MissedAnswer,
    Reason,
    ReasonCode,
    Scorecard,
    Verdict,
)
from chatdesk.services.measure.probe import Adapters, Messages, Probe
from chatdesk.services.personalize.gate import verdict
from chatdesk.services.personalize.gate.evidence import Before, Evidence, asked
from chatdesk.services.personalize.gate.examination import Examination
from chatdesk.services.personalize.gate.rewording import reworded
from chatdesk.services.personalize.gate.telling import Facts
from chatdesk.services.personalize.gate.trial import run_trial
from chatdesk.services.personalize.plan import Taught


def judge_finished(
    probe: Probe,
    evidence: Evidence,
    proof: Scorecard,
    taught: Sequence[Taught],
    before: Before,
    *,
    proven: Path,
    finished: Path | None,
) -> Scorecard:
    """Return the scorecard of the adapter that is used: the finished one, or else the proven one.

    `proof` is that of the proven one. `finished` is None when it could not be computed. Raises
    `EnvironmentProblem`.
    """
    telling = _Telling(probe, Facts(taught, evidence.sets), before.adapters)
    reasons: Sequence[Reason] = (Reason(ReasonCode.UNUSABLE),)
    if finished:
        trial = Examination(
            probe, evidence, before, Adapter(str(finished), proof.scale), finished=True
        )
        facts = telling.told(trial.adapter) if trial.passes() else None
        reasons = trial.reasons
        if facts and facts.told < facts.asked:
            lost = verdict.told(facts.told, telling.count(Adapter(str(proven), proof.scale)))
            reasons = [*reasons, *([lost] if lost else [])]
        if facts and all(each.good for each in reasons):
            card = _finished(proof, trial, len(taught), facts)
            return replace(card, base=before.base)
    card = run_trial(probe, evidence, proven, before)
    facts = (
        telling.told(Adapter(str(proven), card.scale)) if card.verdict is Verdict.PROMOTED else None
    )
    against = tuple(each for each in reasons if not each.good)
    return replace(card, finished=FinishedAdapter(len(taught), False, against, facts))


def _finished(proof: Scorecard, trial: Examination, examples: int, facts: FactsTold) -> Scorecard:
    """Return the proof with what is true of the adapter that was finished since."""
    return replace(
        proof,
        adapter=replace(trial.figures, heldout_loss=proof.adapter.heldout_loss),
        reasons=(*proof.reasons, *trial.reasons),
        samples=tuple(trial.samples()),
        heldout=tuple(
            replace(each, finished=loss)
            for each, loss in zip(proof.heldout, trial.losses, strict=True)
        ),
        finished=FinishedAdapter(examples, True, facts=facts),
    )


class _Telling:
    """Asks for the facts, with one adapter after another."""

    def __init__(self, probe: Probe, facts: Facts, before: Adapters) -> None:
        self._probe = probe
        self._facts = facts
        self._before = before
        self._questions = [asked(each) for each in facts.facts]

    def count(self, *adapters: Adapter) -> int:
        """Return how many facts are told, asked word for word."""
        answers = self._facts.answers(self._probe, self._questions, adapters)
        return sum(self._facts.told(answers))

    def told(self, adapter: Adapter) -> FactsTold:
        """Return what is told with an adapter, and how much was told before."""
        others = reworded(self._probe, self._facts)
        own, again = (
            self._facts.answers(self._probe, questions, (adapter,))
            for questions in (self._questions, others)
        )
        missed = (*self._missed(self._questions, own), *self._missed(others, again, reworded=True))
        return FactsTold(
            asked=len(own),
            before=self.count(*self._before),
            told=sum(self._facts.told(own)),
            reworded=sum(answer is not None for answer in again),
            reworded_told=sum(self._facts.told(again)),
            missed=missed,
        )

    def _missed(
        self,
        questions: Sequence[Messages | None],
        answers: Sequence[str | None],
        *,
        reworded: bool = False,
    ) -> Iterator[MissedAnswer]:
        told = self._facts.told(answers)
        for fact, question, answer, is_told in zip(
            self._facts.facts, questions, answers, told, strict=True
        ):
            if question and answer is not None and not is_told:
                said = " ".join(answer.split())
                yield MissedAnswer(
                    question[-1].content, fact.expected, said, fact.conversation_id, reworded
                )
