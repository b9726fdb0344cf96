"""An adapter after it was finished: what is measured of it, and when the proven one stays."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.generation import Adapter
from chatdesk.core.personalization import Figures, HeldOutLoss, ReasonCode, Scorecard, Verdict
from chatdesk.services.measure.probe import Messages
from chatdesk.services.personalize.gate.evidence import Active, Before, Evidence
from chatdesk.services.personalize.gate.finishing import judge_finished
from chatdesk.services.personalize.gate.rewording import is_reworded, reworded
from chatdesk.services.personalize.gate.telling import Facts
from tests.lora_files import lora_adapter
from tests.services.personalize.gate.trial_bench import ALL, SETS, TrialBench

BASE = Figures(3.0, 3.0, answered=12, secrets=3)
PROOF = Scorecard(BASE, Figures(1.0, 0.0), Verdict.PROMOTED, (), -2.0, -2.5, -1.5)


@pytest.fixture
def idle(tmp_path: Path) -> Adapter:
    """It changes nothing."""
    return Adapter(str(lora_adapter(tmp_path / "idle.gguf", strength=0)))


@pytest.fixture
def wild(tmp_path: Path) -> Adapter:
    """It does harm."""
    return Adapter(str(lora_adapter(tmp_path / "wild.gguf", strength=300)))


def judged(
    bench: TrialBench, proven: Adapter, finished: Adapter | None, active: Active | None = None
) -> Scorecard:
    evidence = Evidence(SETS, bench.figures, bench.heldout, ())
    heldout = tuple(HeldOutLoss(each.question, 3.0, 1.0, "c") for each in bench.heldout)
    return judge_finished(
        bench.probe,
        evidence,
        replace(PROOF, heldout=heldout),
        bench.heldout,
        Before(bench.probe, evidence, active),
        proven=Path(proven.path),
        finished=Path(finished.path) if finished else None,
    )


def test_one_that_does_no_harm_is_used(bench: TrialBench, idle: Adapter) -> None:
    card = judged(bench, idle, idle)
    end = card.finished
    assert end and end.facts
    assert (card.verdict, end.used, end.examples) == (Verdict.PROMOTED, True, 6)
    assert card.adapter.heldout_loss == 1.0  # of the proven one; all other figures of this one
    assert card.adapter.divergence < 0.02
    assert card.adapter.general_loss == pytest.approx(sum(bench.figures.general) / 6, rel=0.02)
    assert (card.adapter.answered, card.adapter.secrets) == (12, 3)
    assert {each.code for each in card.reasons} == {ReasonCode.GENERAL_KEPT}
    assert len(card.samples) == 12
    losses = [each.finished for each in card.heldout]
    assert all(loss is not None and 0 < loss < 5 for loss in losses)
    facts = end.facts
    assert facts.asked == 6
    assert abs(facts.told - facts.before) <= 1  # rounding may turn a near tie
    own = [each for each in facts.missed if not each.reworded]
    assert len(own) == facts.asked - facts.told
    assert len(facts.missed) - len(own) == facts.reworded - facts.reworded_told
    assert all(each.expected and each.conversation_id for each in facts.missed)


@pytest.mark.parametrize("is_computed", [True, False])
def test_one_that_does_harm_leaves_the_proven_one(
    bench: TrialBench, idle: Adapter, wild: Adapter, is_computed: bool
) -> None:
    """The proven one is measured whole then. This one is better than what is active: a wild one."""
    card = judged(bench, idle, wild if is_computed else None, Active("wild", wild))
    end = card.finished
    assert end and end.facts
    assert (card.verdict, end.used) == (Verdict.PROMOTED, False)
    code = ReasonCode.DIVERGED if is_computed else ReasonCode.UNUSABLE
    assert [each.code for each in end.reasons] == [code]
    assert {each.code for each in card.reasons} == {ReasonCode.BETTER, ReasonCode.GENERAL_KEPT}
    assert card.adapter.divergence < 0.02
    assert all(each.finished is None for each in card.heldout)
    assert end.facts.told > end.facts.before


def test_a_proven_one_that_does_harm_is_not_used_either(
    bench: TrialBench, idle: Adapter, wild: Adapter
) -> None:
    card = judged(bench, wild, wild)
    assert card.verdict is Verdict.REJECTED
    assert card.finished and not card.finished.used
    assert card.finished.facts is None


def test_one_that_tells_less_than_before_is_not_used(
    bench: TrialBench,
    idle: Adapter,
    wild: Adapter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finished = Adapter(str(lora_adapter(tmp_path / "finished.gguf", strength=0)))

    def answers(
        facts: Facts, probe: object, questions: Sequence[Messages], adapters: Sequence[Adapter]
    ) -> tuple[str, ...]:
        known = 6 if idle in adapters else 5 if finished in adapters else 0
        return tuple(each.expected if n < known else "no" for n, each in enumerate(facts.facts))

    monkeypatch.setattr(Facts, "answers", answers)
    end = judged(bench, idle, finished, Active("wild", wild)).finished
    assert end and end.facts
    assert not end.used
    (reason,) = end.reasons
    assert (reason.code, dict(reason.values)) == (
        ReasonCode.FORGOTTEN,
        {"told": 5.0, "proven": 6.0},
    )
    assert (end.facts.before, end.facts.told, end.facts.asked) == (0, 6, 6)
    end = judged(bench, finished, idle).finished
    assert end and end.facts
    assert (end.used, end.facts.told, end.facts.missed) == (True, 6, ())


def test_questions_are_put_in_other_words_by_the_model(bench: TrialBench) -> None:
    facts = Facts(bench.heldout, ALL)
    found = reworded(bench.probe, facts)
    questions = {each.question for each in bench.heldout}
    others = [each[-1] for each in found if each]
    assert others
    for other in others:
        assert other.role == "user"
        assert other.content.strip()
        assert other.content not in questions


def test_what_asks_for_something_else_is_not_the_question_in_other_words(
    bench: TrialBench,
) -> None:
    facts = Facts(bench.heldout, ALL)
    (grass,) = (each for each in facts.facts if "grass" in each.question)
    assert is_reworded(facts, grass, "Which color does grass have?")
    assert not is_reworded(facts, grass, "What color is grass")
    assert not is_reworded(facts, grass, "")
    assert not is_reworded(facts, grass, "In which place can I leave my car?")
    assert not is_reworded(facts, grass, "What color is grass, moss and every old tree?")
    assert not is_reworded(facts, grass, "The color of grass is green.")
