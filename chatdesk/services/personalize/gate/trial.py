"""The trial of an adapter against the one in use: at full strength, or weaker without harm.

Its own held-out answers, which it has not learned, prove that it helps. General questions, secrets
and answers written freely prove that it does no harm. The engine measures everything, on the model
in use.
"""

from pathlib import Path

from chatdesk.core.generation import Adapter
from chatdesk.core.personalization import Reason, ReasonCode, Scorecard, Verdict
from chatdesk.services.measure.probe import Probe
from chatdesk.services.personalize.gate import verdict
from chatdesk.services.personalize.gate.evidence import Before, Evidence
from chatdesk.services.personalize.gate.examination import Examination


def run_trial(
    probe: Probe, evidence: Evidence, adapter: Path, before: Before, *, whole: bool = True
) -> Scorecard:
    """Try an adapter at decreasing strengths until one helps and does no harm.

    When none does, the scorecard is that of full strength, with all measurements. Without `whole`
    it is enough that it helps, where it is going to be finished and measured again. Raises
    `EnvironmentProblem`.
    """

    def passes(trial: Examination) -> bool:
        return trial.passes() if whole else trial.is_proven()

    trials = []
    for scale in verdict.SCALES:
        trial = Examination(probe, evidence, before, Adapter(str(adapter), scale))
        trials.append(trial)
        if passes(trial) or trial.is_hopeless:
            break
    chosen = trials[-1] if passes(trials[-1]) else trials[0]
    if not chosen.is_broken and (whole or not chosen.is_good):
        chosen.finish()
    return _scorecard(chosen, before)


def _scorecard(trial: Examination, before: Before) -> Scorecard:
    """Return all measurements, and the verdict."""
    reasons, scale = trial.reasons, trial.adapter.scale
    if scale < 1:
        reasons = [*reasons, Reason(ReasonCode.WEAKER_SCALE, {"scale": scale}, good=True)]
    return Scorecard(
        base=before.base if trial.figures.answered else before.base_unanswered,
        adapter=trial.figures,
        verdict=Verdict.PROMOTED if trial.is_good else Verdict.REJECTED,
        reasons=tuple(reasons),
        change=trial.interval.mean,
        low=trial.interval.low,
        high=trial.interval.high,
        scale=scale,
        active=before.active,
        active_name=before.name,
        samples=tuple(trial.samples()),
        heldout=trial.heldout(),
    )
