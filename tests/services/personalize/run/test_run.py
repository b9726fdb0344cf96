"""A run from its plan to its end, whatever happens to it on the way.

The engine and the trainer are scripted ones in real processes; what they really do has tests of its
own, and so has the gate. The whole way with the real ones is in `test_whole_way`.
"""

import itertools
import queue
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
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
    FinishedAdapter,
    Reason,
    ReasonCode,
    Scorecard,
    TrainingConfig,
    Verdict,
)
from chatdesk.core.training import (
    ADAPTER_FILE,
    DATASET_FILE,
    FINISHING_FOLDER,
    PEFT_FOLDER,
    PROVEN_FILE,
    Sequence,
    TokenExample,
    TrainingFailure,
)
from chatdesk.services.personalize.facts import LearningChanged
from chatdesk.services.personalize.plan import PLAN_FILE, Plan, Taught
from chatdesk.services.personalize.run.run import Run, RunTools
from chatdesk.store.adapters import AdapterStore
from tests.helpers import not_writable
from tests.services.conftest import ScriptedApp

EXAMPLE = TokenExample(Sequence((1, 2, 3, 4), (Span(2, 4),)))
TIMEOUT_S = 30.0


@dataclass
class Gate:
    """Stands in for the gate, which has tests of its own: it decides as it is told."""

    verdict: Verdict = Verdict.PROMOTED
    finished_used: bool = True
    before: Callable[[], None] = lambda: None
    proved: int = 0

    def replay(
        self, plan: Plan, record: AdapterRecord, check: Callable[[], None], on_share: object
    ) -> tuple[tuple[TokenExample, ...], tuple[TokenExample, ...]]:
        check()
        return plan.train, ()

    def prove(
        self,
        plan: Plan,
        record: AdapterRecord,
        active: AdapterRecord | None,
        check: Callable[[], None],
        on_share: Callable[[float], None],
    ) -> Scorecard:
        self.proved += 1
        self.before()
        check()
        on_share(0.5)
        figures = Figures(2.0, 3.0)
        good = self.verdict is Verdict.PROMOTED
        reasons = (Reason(ReasonCode.BETTER if good else ReasonCode.NOT_BETTER, good=good),)
        return Scorecard(figures, figures, self.verdict, reasons, -1.0, -1.5, -0.5, scale=0.75)

    def judge(
        self,
        plan: Plan,
        record: AdapterRecord,
        proof: Scorecard,
        active: AdapterRecord | None,
        finished: Path | None,
        check: Callable[[], None],
        on_share: Callable[[float], None],
    ) -> Scorecard:
        check()
        on_share(0.5)
        assert finished is None or finished.read_bytes() == b"more"
        used = self.finished_used and finished is not None
        reasons = () if used else (Reason(ReasonCode.DIVERGED),)
        return replace(proof, finished=FinishedAdapter(len(plan.taught), used, reasons))


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
        aside = Taught(EXAMPLE, (), "yes", "c")
        Plan(TrainingConfig(rank=4), (EXAMPLE,), (), (aside,), (), (aside,)).write(folder)
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


def contents(bench: Bench) -> tuple[bytes, ...]:
    """What the files of the adapter hold, as the app uses it and as it was proven; and PEFT's."""
    folder = bench.folder()
    files = (folder / ADAPTER_FILE, folder / PROVEN_FILE, folder / PEFT_FOLDER / "weights")
    return tuple(file.read_bytes() if file.exists() else b"" for file in files)


def test_a_good_adapter_is_on_at_once_and_nothing_else_is_left(bench: Bench) -> None:
    record = bench.finished("train")
    assert record.state is AdapterState.PROMOTED
    assert record.ended
    assert (record.scale, record.tokens, record.peak_bytes, record.bytes) == (0.75, 600, 2000, 4)
    assert [point.step for point in record.losses] == [0, 1, 2]
    assert bench.store.active(bench.model.id) == record
    assert {each.name for each in bench.folder().iterdir()} == {
        ADAPTER_FILE,
        PROVEN_FILE,
        PEFT_FOLDER,
    }
    assert contents(bench) == (b"more", b"GGUF", b"more")
    assert record.scorecard and record.scorecard.finished
    assert (record.scorecard.finished.used, record.scorecard.finished.examples) == (True, 2)
    facts = []
    while not bench.app.facts.empty():
        if isinstance(fact := bench.app.facts.get(), LearningChanged):
            facts.append(fact.progress)
    states = [state for state, _ in itertools.groupby(progress.state for progress in facts)]
    stages = ["preparing", "training", "measuring", "finishing", "checking", "promoted"]
    assert states == stages
    shares = [progress.share for progress in facts]
    assert shares == sorted(shares)


def test_a_bad_one_changes_nothing(bench: Bench) -> None:
    bench.gate.verdict = Verdict.REJECTED
    record = bench.finished("train")
    assert record.state is AdapterState.REJECTED
    assert record.scorecard
    assert bench.store.active(bench.model.id) is None
    assert not (bench.folder() / PLAN_FILE).exists()
    assert contents(bench) == (b"GGUF", b"", b"some")  # and it was not finished


def test_finishing_that_makes_something_worse_keeps_the_proven_one(bench: Bench) -> None:
    bench.gate.finished_used = False
    record = bench.finished("train")
    assert record.state is AdapterState.PROMOTED
    assert bench.store.active(bench.model.id) == record
    assert contents(bench) == (b"GGUF", b"", b"some")
    card = record.scorecard
    assert card and card.finished
    assert [each.code for each in card.finished.reasons] == [ReasonCode.DIVERGED]


def test_finishing_that_cannot_be_computed_keeps_the_proven_one(bench: Bench) -> None:
    record = bench.finished("finishing", "fail", TrainingFailure.NOT_A_NUMBER)
    assert record.state is AdapterState.PROMOTED
    assert contents(bench) == (b"GGUF", b"", b"some")
    assert record.scorecard and record.scorecard.finished
    assert not record.scorecard.finished.used


def test_what_else_fails_in_finishing_can_go_on_and_proves_nothing_twice(bench: Bench) -> None:
    record = bench.finished("finishing", "fail", TrainingFailure.DISK)
    assert record.state is AdapterState.FAILED
    assert bench.run("train", record=bench.store.begin("a1")).wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.PROMOTED
    assert contents(bench) == (b"more", b"GGUF", b"more")
    assert bench.gate.proved == 1


def test_a_trainer_that_is_killed_while_it_finishes_is_started_again(bench: Bench) -> None:
    assert bench.finished("finishing", "die", "2").state is AdapterState.PROMOTED
    assert contents(bench) == (b"more", b"GGUF", b"more")


def test_the_end_of_the_app_interrupts_finishing_and_it_goes_on(bench: Bench) -> None:
    run = bench.run("finishing", "linger")
    bench.lines(f"{FINISHING_FOLDER}/starts", 1)
    assert run.progress.state is AdapterState.FINISHING
    run.close(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.INTERRUPTED
    assert bench.run("train", record=bench.store.begin("a1")).wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.PROMOTED
    assert contents(bench) == (b"more", b"GGUF", b"more")
    assert bench.gate.proved == 1


@pytest.mark.parametrize("done", range(5))
def test_killed_at_its_very_end_it_ends_all_the_same(bench: Bench, done: int) -> None:
    """The verdict is stored; of what follows `done` steps were done before the end of the app."""
    record, folder = bench.record(), bench.folder()
    finishing = folder / FINISHING_FOLDER
    for place, words in ((folder, b"GGUF"), (finishing, b"more")):
        (place / PEFT_FOLDER).mkdir(parents=True)
        (place / PEFT_FOLDER / "weights").write_bytes(words)
        (place / ADAPTER_FILE).write_bytes(words)
    steps: list[Callable[[], object]] = [
        lambda: (folder / PROVEN_FILE).write_bytes(b"GGUF"),
        lambda: (finishing / ADAPTER_FILE).replace(folder / ADAPTER_FILE),
        lambda: shutil.rmtree(folder / PEFT_FOLDER),
        lambda: (finishing / PEFT_FOLDER).rename(folder / PEFT_FOLDER),
        (folder / PLAN_FILE).unlink,
    ]
    for step in steps[: done + 1]:
        step()
    figures = Figures(2.0, 3.0)
    card = Scorecard(figures, figures, Verdict.PROMOTED, (), -1.0, -1.5, -0.5)
    card = replace(card, finished=FinishedAdapter(2, True))
    bench.store.change("a1", scorecard=card)
    assert bench.run("fail", record=replace(record, scorecard=card)).wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.PROMOTED
    assert contents(bench) == (b"more", b"GGUF", b"more")
    assert len(list(folder.iterdir())) == 3


def test_a_trainer_that_was_killed_is_started_again(bench: Bench) -> None:
    run = bench.run("die", "2")
    assert run.wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.PROMOTED


def test_one_that_dies_again_and_again_is_told_and_can_go_on(bench: Bench) -> None:
    record = bench.finished("die", "3")
    assert record.state is AdapterState.FAILED
    assert "memory ran out" in record.error
    assert (bench.folder() / DATASET_FILE).exists()
    run = bench.run("train", record=bench.store.begin("a1"))
    assert run.wait(TIMEOUT_S)
    record = bench.store.get("a1")
    assert (record.state, record.error) == (AdapterState.PROMOTED, "")


def test_an_end_that_the_disk_does_not_take_is_told_and_stored_when_it_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chatdesk.services.personalize.run.run._SETTLE_EVERY_S", 0.05)
    record = bench.record()
    disk = ExitStack()
    bench.gate.before = lambda: disk.enter_context(not_writable(bench.app.services))
    run = bench.run("train", record=record)
    told = bench.until(AdapterState.FAILED)
    assert told.problem and "is read-only" in told.problem.what
    assert not run.wait(0.2)
    assert bench.store.get("a1").state is AdapterState.MEASURING
    disk.close()
    assert run.wait(TIMEOUT_S)
    stored = bench.store.get("a1")
    assert (stored.state, stored.error) == (AdapterState.FAILED, told.problem.sentence)
    assert "Traceback" not in caplog.text
    bench.gate.before = lambda: None
    assert bench.run("train", record=bench.store.begin("a1")).wait(TIMEOUT_S)
    assert bench.store.get("a1").state is AdapterState.PROMOTED


@pytest.mark.parametrize("code", list(TrainingFailure))
def test_what_a_trainer_cannot_do_is_one_sentence(bench: Bench, code: TrainingFailure) -> None:
    record = bench.finished("fail", code)
    assert record.state is AdapterState.FAILED
    assert record.error.endswith(".")
    assert "a1" not in record.error
    is_hopeless = code in (
        TrainingFailure.ARCHITECTURE,
        TrainingFailure.DATA,
        TrainingFailure.NOT_A_NUMBER,
    )
    assert bench.folder().exists() is not is_hopeless  # words that nobody needs any more
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
