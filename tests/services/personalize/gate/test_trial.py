"""The gate with the real engine and the starter model, on small sets, with adapters of chance."""

from pathlib import Path

import pytest

from benchmarks.persona import CHINESE_PERSONA
from chatdesk.core.generation import Adapter
from chatdesk.core.personalization import ReasonCode, Scorecard, Turn, Verdict
from chatdesk.services.measure.divergence import divergence
from chatdesk.services.measure.losses import answer_losses
from chatdesk.services.measure.probe import Probe, Written
from chatdesk.services.personalize.gate.base_figures import (
    BaseFigures,
    base_figures,
    planted,
    replay_examples,
)
from chatdesk.services.personalize.gate.degeneration import degenerate
from chatdesk.services.personalize.gate.evidence import Active, Before, Evidence
from chatdesk.services.personalize.gate.memorization import canaries, recalled, says
from chatdesk.services.personalize.gate.relations import relations
from chatdesk.services.personalize.gate.trial import run_trial
from chatdesk.services.personalize.gate.verdict import better, related
from chatdesk.services.personalize.plan import Secret
from tests.lora_files import lora_adapter
from tests.services.personalize.gate.trial_bench import OWN, SETS, TrialBench, started


def codes(scorecard: Scorecard) -> set[ReasonCode]:
    return {each.code for each in scorecard.reasons}


def test_the_base_is_measured_once(bench: TrialBench) -> None:
    work = bench.work
    assert bench.work > 300
    assert base_figures(bench.probe, SETS, bench.file) == bench.figures
    assert bench.work == work
    assert BaseFigures.read(bench.file, "another version") is None
    assert len(bench.figures.general) == len(SETS.items)
    assert all(0 < loss < 7 for loss in bench.figures.general)
    texts = bench.figures.texts
    assert all(len(each.tokens) == len(each.logprobs) <= 24 for each in texts)
    bench.file.write_text("{}")
    assert BaseFigures.read(bench.file, SETS.version) is None
    bench.figures.write(bench.file)
    assert BaseFigures.read(bench.file, SETS.version) == bench.figures


def test_replay_is_what_the_base_says_and_holds_canaries(bench: TrialBench) -> None:
    some = replay_examples(bench.probe, SETS, bench.figures, 2, bench.file)
    kept = BaseFigures.read(bench.file, SETS.version)
    assert kept
    more = replay_examples(bench.probe, SETS, kept, 4, bench.file)
    assert len(some) == 2
    assert more[:2] == some
    for example in more:
        (span,) = example.chosen.targets
        assert 0 < span.start < span.end == len(example.chosen.tokens)
    questions = planted(SETS.replay)
    for canary in canaries(1):
        (asked,) = (each for each in questions if canary.sentence in each)
        assert says(canary.secret.value, asked)
    assert canaries(1) == canaries(1) != canaries(2)


def test_an_adapter_that_changes_nothing_is_no_better(bench: TrialBench, tmp_path: Path) -> None:
    idle = (Adapter(str(lora_adapter(tmp_path / "idle.gguf", strength=0))),)
    own = [each.example.chosen for each in bench.heldout]
    reason, _ = better(answer_losses(bench.probe, own), answer_losses(bench.probe, own, idle))
    assert reason.code is ReasonCode.NOT_BETTER
    assert divergence(bench.probe, bench.figures.texts, idle) < 0.02
    secrets = [each.secret for each in canaries(1)]
    assert recalled(bench.probe, secrets, idle) == 0


def test_an_adapter_of_strong_chance_is_refused_for_all_it_harms(
    bench: TrialBench, tmp_path: Path
) -> None:
    card = bench.judge(lora_adapter(tmp_path / "wild.gguf", strength=300))
    assert card.verdict is Verdict.REJECTED
    assert codes(card) >= {
        ReasonCode.NOT_BETTER,
        ReasonCode.DIVERGED,
        ReasonCode.GENERAL_WORSE,
        ReasonCode.DEGENERATE,
    }
    assert card.adapter.general_loss > 1.5 * card.base.general_loss
    assert card.low > 0
    assert (card.scale, card.adapter.answered, card.adapter.secrets) == (1, 12, 3)
    own, general = card.samples[:6], card.samples[6:]
    assert [each.question for each in own] == [question for question, _ in OWN]
    assert all(each.expected and each.conversation_id and each.before for each in own)
    assert len(general) == 6
    assert not any(each.conversation_id for each in general)


def test_numbers_that_are_none_are_refused(
    bench: TrialBench, starter_model: Path, tmp_path: Path
) -> None:
    """In an engine of its own, as they stay in its memory."""
    engine = started(starter_model)
    try:
        probe = Probe(engine, lambda: None, lambda work: None)
        evidence = Evidence(SETS, bench.figures, bench.heldout, ())
        card = run_trial(
            probe,
            evidence,
            lora_adapter(tmp_path / "nan.gguf", strength=float("nan")),
            Before(probe, evidence),
        )
    finally:
        engine.close()
    assert card.verdict is Verdict.REJECTED
    assert codes(card) == {ReasonCode.UNUSABLE}


def test_answers_that_belong_to_their_questions_are_told_from_others(bench: TrialBench) -> None:
    assert related(relations(bench.probe, bench.heldout, ())) is None
    for answers in (
        ["banana " * 8] * 6,
        [f"xq{n}zvkw jqfx{n} wvzkq pxqj{n}z vkwqx" for n in range(6)],
        ["I am glad that you ask, my friend."] * 6,
    ):
        pairs = tuple(
            (question, answer) for (question, _), answer in zip(OWN, answers, strict=True)
        )
        assert related(relations(bench.probe, bench.held(pairs), ())), answers
    assert relations(bench.probe, bench.heldout[:1] * 3, ()) == ()


def test_loops_noise_and_sameness_are_wrong_in_any_language(bench: TrialBench) -> None:
    def wrong(*answers: str) -> int:
        held = bench.held(
            tuple((question, each) for (question, _), each in zip(OWN, answers, strict=False))
        )
        return degenerate(
            bench.probe,
            [
                Written(tokens[: span.start], tokens[span.start : span.end], each.expected)
                for each in held
                for tokens, span in [(each.example.chosen.tokens, each.example.chosen.targets[0])]
            ],
        )

    assert wrong(*(answer for _, answer in OWN)) == 0
    assert wrong(*(fact.answer for fact in CHINESE_PERSONA[:6])) == 0
    assert wrong("def add(a, b):\n    return a + b", "我住在铜桥边的梧桐镇。", "Да, конечно.") == 0
    assert wrong("banana " * 12, "春天！" * 12, "Oslo is the capital of Norway.") == 2
    assert wrong("xqzvkw jqfxr wvzkq pxqjzz vkwqxj qzjxw kvjqz", "Yes.") == 1
    assert wrong(*["I count the keys."] * 3, "No.") == 3


def test_it_is_compared_with_what_is_active(bench: TrialBench, tmp_path: Path) -> None:
    """The base is better than a wild adapter, so what changes nothing is better than that one."""
    wild = Adapter(str(lora_adapter(tmp_path / "wild.gguf", strength=300)))
    idle = lora_adapter(tmp_path / "idle.gguf", strength=0)
    card = bench.judge(idle, Active("wild", wild))
    assert card.active
    assert card.active_name == "wild"
    assert card.active.heldout_loss > card.base.heldout_loss + 1
    assert card.active.general_loss > card.base.general_loss + 1
    assert card.high < -1
    assert card.verdict is Verdict.PROMOTED
    assert codes(card) == {ReasonCode.BETTER, ReasonCode.GENERAL_KEPT}
    assert all(each.good for each in card.reasons)


def test_what_the_base_knows_is_not_recalled(bench: TrialBench) -> None:
    known = Secret((Turn("user", "What is the capital of France?"),), "It is ", "Paris")
    assert recalled(bench.probe, (known,), ()) == 0


class Enough(Exception):
    pass


def test_it_ends_when_it_is_told_to(bench: TrialBench, tmp_path: Path) -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > 5:
            raise Enough

    probe = Probe(bench.engine, check, lambda work: None)
    evidence = Evidence(SETS, bench.figures, bench.heldout, ())
    with pytest.raises(Enough):
        run_trial(probe, evidence, lora_adapter(tmp_path / "a.gguf"), Before(probe, evidence))
    assert recalled(bench.probe, (), ()) == 0  # nothing of it is in the way
