"""The gate with the real engine and the starter model, on small sets, with adapters of chance."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatdesk.core.generation import Adapter, PromptMessage
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.core.personalization import ReasonCode, Scorecard, Turn, Verdict
from chatdesk.core.training import Sequence, TokenExample
from chatdesk.services.engine.engine import Engine
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
from chatdesk.services.personalize.gate.general_sets import GeneralSets
from chatdesk.services.personalize.gate.memorization import canaries, recalled, says
from chatdesk.services.personalize.gate.relations import relations
from chatdesk.services.personalize.gate.trial import Active, Evidence, run_trial
from chatdesk.services.personalize.gate.verdict import better, related
from chatdesk.services.personalize.plan import HeldOut, Secret
from tests.lora_files import lora_adapter

ALL = GeneralSets.load()
SETS = replace(ALL, items=ALL.items[:6], replay=ALL.replay[:12])
OWN = (
    ("What is the capital of Norway?", "Oslo is the capital of Norway."),
    ("How many legs has a spider?", "A spider has eight legs."),
    ("How do I open a file in Python?", "Use `open(name)` and read it."),
    ("What color is grass?", "Grass is green in spring and summer."),
    ("Who wrote Hamlet?", "Shakespeare wrote Hamlet around 1600."),
    ("Is ice cold?", "Yes, ice is cold: it is frozen water."),
)


def started(model: Path) -> Engine:
    """An engine with a model."""
    header = ModelHeader("Starter", "llama", 1, "Q4_1", 1, 8192, 30, 1, True)
    engine = Engine(lambda fact: None)
    file = ModelFile("starter", str(model), header, 0, None, datetime.now(UTC))
    engine.load(file, LoadOptions(2048))
    engine.wait_loaded()
    return engine


class Bench:
    """An engine with the starter model, and its figures without an adapter."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.engine = started(model)
        self.work = 0
        self.probe = Probe(self.engine, lambda: None, self._worked)
        self.file = folder / "figures" / "starter.json"
        self.figures = base_figures(self.probe, SETS, self.file)
        self.heldout = self.held(OWN)

    def _worked(self, amount: int) -> None:
        self.work += amount

    def held(self, pairs: tuple[tuple[str, str], ...]) -> tuple[HeldOut, ...]:
        """Held-out answers, each of a conversation of its own."""
        rendered = self.probe.render(
            (PromptMessage("user", question), PromptMessage("assistant", answer))
            for question, answer in pairs
        )
        return tuple(
            HeldOut(
                TokenExample(Sequence(each.tokens, (each.spans[1],))),
                (Turn("user", question),),
                answer,
                f"conversation {number}",
            )
            for number, (each, (question, answer)) in enumerate(zip(rendered, pairs, strict=True))
        )

    def judge(self, adapter: Path, active: Active | None = None) -> Scorecard:
        evidence = Evidence(SETS, self.figures, self.heldout, ())
        return run_trial(self.probe, evidence, adapter, active)


@pytest.fixture(scope="module")
def bench(starter_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(starter_model, tmp_path_factory.mktemp("bench"))
    yield bench
    bench.engine.close()


def codes(scorecard: Scorecard) -> set[ReasonCode]:
    return {each.code for each in scorecard.reasons}


def test_the_base_is_measured_once(bench: Bench) -> None:
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


def test_replay_is_what_the_base_says_and_holds_canaries(bench: Bench) -> None:
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


def test_an_adapter_that_changes_nothing_is_no_better(bench: Bench, tmp_path: Path) -> None:
    idle = (Adapter(str(lora_adapter(tmp_path / "idle.gguf", strength=0))),)
    own = [each.example.chosen for each in bench.heldout]
    reason, _ = better(answer_losses(bench.probe, own), answer_losses(bench.probe, own, idle))
    assert reason.code is ReasonCode.NOT_BETTER
    assert divergence(bench.probe, bench.figures.texts, idle) < 0.02
    secrets = [each.secret for each in canaries(1)]
    assert recalled(bench.probe, secrets, idle) == 0


def test_an_adapter_of_strong_chance_is_refused_for_all_it_harms(
    bench: Bench, tmp_path: Path
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
    bench: Bench, starter_model: Path, tmp_path: Path
) -> None:
    """In an engine of its own, as they stay in its memory."""
    engine = started(starter_model)
    try:
        probe = Probe(engine, lambda: None, lambda work: None)
        evidence = Evidence(SETS, bench.figures, bench.heldout, ())
        card = run_trial(
            probe, evidence, lora_adapter(tmp_path / "nan.gguf", strength=float("nan"))
        )
    finally:
        engine.close()
    assert card.verdict is Verdict.REJECTED
    assert codes(card) == {ReasonCode.UNUSABLE}


def test_answers_that_belong_to_their_questions_are_told_from_others(bench: Bench) -> None:
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


def test_loops_noise_and_sameness_are_wrong_in_any_language(bench: Bench) -> None:
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
    assert wrong("def add(a, b):\n    return a + b", "我住在铜桥边的梧桐镇。", "Да, конечно.") == 0
    assert wrong("banana " * 12, "春天！" * 12, "Oslo is the capital of Norway.") == 2
    assert wrong("xqzvkw jqfxr wvzkq pxqjzz vkwqxj qzjxw kvjqz", "Yes.") == 1
    assert wrong(*["I count the keys."] * 3, "No.") == 3


def test_it_is_compared_with_what_is_active(bench: Bench, tmp_path: Path) -> None:
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


def test_what_the_base_knows_is_not_recalled(bench: Bench) -> None:
    known = Secret((Turn("user", "What is the capital of France?"),), "It is ", "Paris")
    assert recalled(bench.probe, (known,), ()) == 0


class Enough(Exception):
    pass


def test_it_ends_when_it_is_told_to(bench: Bench, tmp_path: Path) -> None:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > 5:
            raise Enough

    probe = Probe(bench.engine, check, lambda work: None)
    evidence = Evidence(SETS, bench.figures, bench.heldout, ())
    with pytest.raises(Enough):
        run_trial(probe, evidence, lora_adapter(tmp_path / "a.gguf"))
    assert recalled(bench.probe, (), ()) == 0  # nothing of it is in the way
