"""The gate of a run: the base's own answers before the training, the verdict after it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from chatdesk.core.generation import Adapter
from chatdesk.core.personalization import AdapterRecord, Scorecard
from chatdesk.core.training import PROVEN_FILE, TokenExample
from chatdesk.services.engine.engine import Engine
from chatdesk.services.measure.probe import Probe, shares
from chatdesk.services.personalize.gate.base_figures import base_figures, replay_examples
from chatdesk.services.personalize.gate.evidence import Active, Before, Evidence
from chatdesk.services.personalize.gate.finishing import judge_finished
from chatdesk.services.personalize.gate.general_sets import GeneralSets
from chatdesk.services.personalize.gate.trial import run_trial
from chatdesk.services.personalize.plan import Plan

_REPLAY_EPOCHS = 2  # the same questions in each would protect only these; more take too long
_WATCHED = 16  # general questions for validation, beside those trained on
_FIGURES_WORK = 24_000  # tokens, about: the base's figures, and one strength of an adapter
_REPLAY_WORK = 64  # for each question
_JUDGE_WORK = 28_000

_PROOF_WORK = 8_000
_FACT_WORK = 200  # for each fact: four short answers, one of them the question in other words

Check = Callable[[], None]
OnShare = Callable[[float], None]


class Gate:
    """Measures with `engine`, which has the run's model loaded.

    The measurements of a model without an adapter are saved in `folder`, in a file named by its
    hash. `file_of` returns the place of an adapter.
    """

    def __init__(
        self, engine: Engine, folder: Path, file_of: Callable[[AdapterRecord], Path]
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._file_of = file_of

    def replay(
        self, plan: Plan, record: AdapterRecord, check: Check, on_share: OnShare
    ) -> tuple[tuple[TokenExample, ...], tuple[TokenExample, ...]]:
        """Return the base's own answers to general questions, for training and for validation.

        The training keeps the base's distribution on them, the validation measures that. They are
        enough for `_REPLAY_EPOCHS`, then they come again. Raises `EnvironmentProblem`.
        """
        wanted = round(_REPLAY_EPOCHS * len(plan.train) * plan.config.replay)
        sets, file = GeneralSets.load(), self._file(record)
        work = _FIGURES_WORK + (wanted + _WATCHED) * _REPLAY_WORK
        probe = Probe(self._engine, check, shares(work, on_share))
        figures = base_figures(probe, sets, file)
        found = replay_examples(probe, sets, figures, wanted + _WATCHED, file)
        return tuple(replace(each, keep=True) for each in found[_WATCHED:]), found[:_WATCHED]

    def prove(
        self,
        plan: Plan,
        record: AdapterRecord,
        active: AdapterRecord | None,
        check: Check,
        on_share: OnShare,
    ) -> Scorecard:
        """Measure whether an adapter helps, against the active one. Raises `EnvironmentProblem`.

        Of one that does, what harm it does is measured when it is finished.
        """
        probe = Probe(self._engine, check, shares(_PROOF_WORK, on_share))
        evidence = self._evidence(probe, plan, record)
        before = Before(probe, evidence, self._active(active))
        return run_trial(probe, evidence, self._file_of(record), before, whole=False)

    def judge(
        self,
        plan: Plan,
        record: AdapterRecord,
        proof: Scorecard,
        active: AdapterRecord | None,
        finished: Path | None,
        check: Check,
        on_share: OnShare,
    ) -> Scorecard:
        """Measure what became of an adapter that helps; `proof` is its scorecard.

        `finished` is None when it could not be finished. Raises `EnvironmentProblem`.
        """
        work = _JUDGE_WORK + _FACT_WORK * len(plan.taught)
        probe = Probe(self._engine, check, shares(work, on_share))
        evidence = self._evidence(probe, plan, record)
        return judge_finished(
            probe,
            evidence,
            proof,
            plan.taught,
            Before(probe, evidence, self._active(active)),
            proven=self._file_of(record),
            finished=finished,
        )

    def _evidence(self, probe: Probe, plan: Plan, record: AdapterRecord) -> Evidence:
        sets = GeneralSets.load()
        figures = base_figures(probe, sets, self._file(record))
        return Evidence(sets, figures, plan.heldout, plan.secrets)

    def _active(self, record: AdapterRecord | None) -> Active | None:
        if record is None:
            return None
        file, card = self._file_of(record), record.scorecard
        return Active(
            record.name,
            Adapter(str(file), record.scale),
            card.adapter if card else None,
            Adapter(str(proven_file(file)), record.scale),
        )

    def _file(self, record: AdapterRecord) -> Path:
        return self._folder / f"{record.model_sha256}.json"


def proven_file(adapter: Path) -> Path:
    """Return the file of an adapter as it was proven, which is its own if it was not finished."""
    proven = adapter.with_name(PROVEN_FILE)
    return proven if proven.exists() else adapter
