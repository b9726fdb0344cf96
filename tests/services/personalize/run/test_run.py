"""A run from its plan to its end, whatever happens to it on the way.

The engine and the trainer are scripted ones in real processes; what they really do has tests of its
own, and so has the gate. The whole way with the real ones is in `test_whole_way`.
"""

import queue
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chatdesk.core.chat import now
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import Span
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    ExampleSource,
    Figures,
    Reason,
    ReasonCode,
    Scorecard,
    TrainingConfig,
    Verdict,
)
from chatdesk.core.training import (
    ADAPTER_FILE,
    DATASET_FILE,
    Sequence,
    TokenExample,
    TrainingFailure,
)
from chatdesk.services.personalize.facts import LearningChanged
from chatdesk.services.personalize.plan import PLAN_FILE, HeldOut, Plan
from chatdesk.services.personalize.run.run import Run, RunTools
from chatdesk.store.adapters import AdapterStore
from tests.services.conftest import ScriptedApp

EXAMPLE = TokenExample(Sequence((1, 2, 3, 4), (Span(2, 4),)))
TIMEOUT_S = 30.0


@dataclass
class Gate:
    """Stands in for the gate, which has tests of its own: it decides as it is told."""

    verdict: Verdict = Verdict.PROMOTED
    before: Callable[[], None] = lambda: None

    def replay(
        self, plan: Plan, record: AdapterRecord, check: Callable[[], None], on_share: object
    ) -> tuple[tuple[TokenExample, ...], tuple[TokenExample, ...]]:
        check()
        return plan.train, ()

    def judge(
        self,
        plan: Plan,
        record: AdapterRecord,
        active: AdapterRecord | None,
        check: Callable[[], None],
        on_share: Callable[[float], None],
    ) -> Scorecard:
        self.before()
        check()
        on_share(0.5)
        figures = Figures(2.0, 3.0)
        good = self.verdict is Verdict.PROMOTED
        reasons = (Reason(ReasonCode.BETTER if good else ReasonCode.NOT_BETTER, good=good),)
        return Scorecard(figures, figures, self.verdict, reasons, -1.0, -1.5, -0.5, scale=0.75)


class Bench:
    """What the tests of a run share."""

    def __init__(self, app: ScriptedApp) -> None:
        self.app = app
        self.model: ModelFile = app.model()
        app.load()
        self.store: AdapterStore = app.services._adapters
        self.gate = Gate()

    def record(self, adapter_id: str = "a1") -> AdapterRecord:
        record = AdapterRecord(
            adapter_id, "v1", self.model.id, "Fake", None, AdapterState.PREPARING, now()
        )
        folder = self.folder(adapter_id)
        folder.mkdir(parents=True)
        aside = HeldOut(EXAMPLE, (), "yes", "c")
        Plan(TrainingConfig(rank=4), (EXAMPLE,), (EXAMPLE,), (aside,)).write(folder)
        return self.store.add(record, [ExampleSource("file:1", "a.jsonl, line 1")])

    def folder(self, adapter_id: str = "a1") -> Path:
        return self.app.paths.adapters / adapter_id

    def run(self, *trainer: str, record: AdapterRecord | None = None) -> Run:
        command = [sys.executable, "-m", "tests.fake_trainer", *trainer]
        tools = RunTools(
            self.app.services.engine,
            self.store,
            lambda: self.app.settings.edited("learning", on_battery=True, when_hot=True),
            self.app.facts.put,
            self.gate,  # type: ignore[arg-type]
            command,
        )
        run = Run(record or self.record(), self.model, self.folder(), tools, lambda: None)
        run.start()
        return run

    def finished(self, *trainer: str) -> AdapterRecord:
        run = self.run(*trainer)
        assert run.wait(TIMEOUT_S)
        return self.store.get("a1")

    def until(self, state: AdapterState) -> LearningChanged:
        return self.app.until(LearningChanged, lambda fact: fact.progress.state is state)

    def lines(self, name: str, least: int) -> list[str]:
        """The lines of a file in the run's folder, once there are so many."""
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            file = self.folder() / name
            if file.exists() and len(lines := file.read_text().splitlines()) >= least:
                return lines
            time.sleep(0.02)
        raise AssertionError(f"{name} has fewer than {least} lines")


@pytest.fixture
def bench(app: ScriptedApp) -> Bench:
    return Bench(app)


def test_a_good_adapter_is_on_at_once_and_nothing_else_is_left(bench: Bench) -> None:
    record = bench.finished("train")
    assert record.state is AdapterState.PROMOTED
    assert record.ended
    assert (record.scale, record.tokens, record.peak_bytes, record.bytes) == (0.75, 300, 2000, 4)
    assert [point.step for point in record.losses] == [0, 1, 2]
    assert bench.store.active(bench.model.id) == record
    assert [each.name for each in bench.folder().iterdir()] == [ADAPTER_FILE]
    facts = []
    while not bench.app.facts.empty():
        if isinstance(fact := bench.app.facts.get(), LearningChanged):
            facts.append(fact.progress)
    states = list(dict.fromkeys(progress.state for progress in facts))
    assert states == ["preparing", "training", "measuring", "promoted"]
    shares = [progress.share for progress in facts]
    assert shares == sorted(shares)


def test_a_bad_one_changes_nothing(bench: Bench) -> None:
    bench.gate.verdict = Verdict.REJECTED
    record = bench.finished("train")
    assert record.state is AdapterState.REJECTED
    assert record.scorecard
    assert bench.store.active(bench.model.id) is None
    assert not (bench.folder() / PLAN_FILE).exists()


def test_a_trainer_that_was_killed_is_started_again(bench: Bench) -> None:
    run = bench.run("die", "2")
    assert run.wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.PROMOTED


def test_one_that_dies_again_and_again_is_told_and_can_go_on(bench: Bench) -> None:
    record = bench.finished("die", "3")
    assert record.state is AdapterState.FAILED
    assert "memory ran out" in record.error
    assert (bench.folder() / DATASET_FILE).exists()
    run = bench.run("die", "3", record=bench.store.begin("a1"))
    assert run.wait(TIMEOUT_S)
    record = bench.store.get("a1")
    assert (record.state, record.error) == (AdapterState.PROMOTED, "")


@pytest.mark.parametrize("code", list(TrainingFailure))
def test_what_a_trainer_cannot_do_is_one_sentence(bench: Bench, code: TrainingFailure) -> None:
    record = bench.finished("fail", code)
    assert record.state is AdapterState.FAILED
    assert record.error.endswith(".")
    assert "a1" not in record.error
    assert bench.store.active(bench.model.id) is None


def test_cancelled_it_leaves_nothing(bench: Bench) -> None:
    run = bench.run("linger")
    bench.lines("starts", 1)
    run.cancel()
    assert run.wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.CANCELLED
    assert not bench.folder().exists()


def test_it_ends_when_another_process_withdraws_what_it_learns(bench: Bench) -> None:
    record = bench.record()
    gone = replace(record, id="a2")
    bench.store.add(gone, [ExampleSource("gone", "m")])
    bench.folder().rename(bench.folder("a2"))
    tools = RunTools(
        bench.app.services.engine,
        bench.store,
        lambda: bench.app.settings,
        bench.app.facts.put,
        bench.gate,  # type: ignore[arg-type]
    )
    run = Run(gone, bench.model, bench.folder("a2"), tools, lambda: None)
    run.start()
    assert run.wait(TIMEOUT_S)
    assert bench.store.get("a2").state is AdapterState.CANCELLED
    assert not bench.folder("a2").exists()


def test_it_holds_still_while_an_answer_is_written(bench: Bench) -> None:
    run = bench.run("linger")
    bench.lines("starts", 1)
    bench.app.services.chat.send(None, "slow")
    assert bench.lines("heard", 1) == ["PauseTraining"]
    assert run.progress.waiting == "waits while you chat"
    conversation = bench.app.services.conversations.list()[0].id
    bench.app.services.chat.stop(conversation)
    assert bench.lines("heard", 2) == ["PauseTraining", "ResumeTraining"]
    run.cancel()
    assert run.wait(TIMEOUT_S)


def test_the_person_pauses_it(bench: Bench) -> None:
    run = bench.run("linger")
    bench.lines("starts", 1)
    run.pause(True)
    assert bench.lines("heard", 1) == ["PauseTraining"]
    assert run.progress.paused
    run.pause(False)
    assert bench.lines("heard", 2) == ["PauseTraining", "ResumeTraining"]
    run.cancel()
    assert run.wait(TIMEOUT_S)


def test_the_end_of_the_app_interrupts_it_and_it_goes_on(bench: Bench) -> None:
    run = bench.run("linger")
    bench.lines("starts", 1)
    run.close(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.INTERRUPTED
    assert (bench.folder() / PLAN_FILE).exists()
    again = bench.run("train", record=bench.store.begin("a1"))
    assert again.wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.PROMOTED


def test_it_waits_while_another_model_is_in_use(bench: Bench) -> None:
    entered: queue.SimpleQueue[None] = queue.SimpleQueue()
    bench.gate.before = lambda: entered.put(None)
    run = bench.run("linger")
    bench.lines("starts", 1)
    bench.app.load("other.gguf")
    (bench.folder() / ADAPTER_FILE).write_bytes(b"GGUF")
    run.close(TIMEOUT_S)
    again = bench.run("train", record=bench.store.begin("a1"))
    waiting = bench.app.until(LearningChanged, lambda fact: "Fake" in fact.progress.waiting)
    assert waiting.progress.waiting == "waits for Fake"
    with pytest.raises(queue.Empty):
        entered.get(timeout=0.5)
    bench.app.load()
    entered.get(timeout=TIMEOUT_S)
    assert again.wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.PROMOTED


def test_a_plan_that_is_gone_is_told(bench: Bench) -> None:
    record = bench.record()
    (bench.folder() / PLAN_FILE).write_bytes(b"{")
    with pytest.raises(EnvironmentProblem, match="not there any more"):
        Plan.read(bench.folder())
    run = bench.run("train", record=record)
    assert run.wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.FAILED
