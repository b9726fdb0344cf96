"""One run: prepares, trains, measures and reports its result, on its own thread.

It resumes from any point: the plan and the trainer's checkpoint are in its folder until it has
ended. Then only the adapter stays there. What is proven is finished: it learns what was held out,
too, and is measured again.
"""

import contextlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import write_whole
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    Scorecard,
    TrainingConfig,
    Verdict,
)
from chatdesk.core.settings import Settings
from chatdesk.core.training import (
    ADAPTER_FILE,
    DATASET_FILE,
    FINISHING_FOLDER,
    PEFT_FOLDER,
    PROVEN_FILE,
    TENSORBOARD_FOLDER,
    Train,
    TrainingData,
)
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.engine.engine import Engine
from chatdesk.services.facts import Publish
from chatdesk.services.personalize.facts import LearningProgress
from chatdesk.services.personalize.gate.gate import Gate
from chatdesk.services.personalize.plan import Plan
from chatdesk.services.personalize.run.engine_turns import EngineTurns
from chatdesk.services.personalize.run.finishing import (
    finishing_config,
    use_finished,
    write_finishing_data,
)
from chatdesk.services.personalize.run.reports import RunReports
from chatdesk.services.personalize.run.schedule import Schedule
from chatdesk.services.personalize.run.trainer_process import (
    CannotResume,
    LossesLost,
    RunStopped,
)
from chatdesk.services.personalize.run.trainings import Trainings
from chatdesk.store.adapters import AdapterStore

_log = logging.getLogger(__name__)

_KEPT = (ADAPTER_FILE, PROVEN_FILE, PEFT_FOLDER, TENSORBOARD_FOLDER)  # of a run that has ended
_PROOF_FILE = "proof.json"  # the scorecard of what is going to be finished
_LOOK_EVERY_S = 0.5  # while the run is paused
_SETTLE_EVERY_S = 5.0  # while a full disk does not take its end
# Shares of a whole run.
_PREPARED, _TRAINED, _PROVEN, _FINISHED = 0.1, 0.35, 0.4, 0.7


@dataclass(frozen=True, slots=True)
class RunTools:
    """The services that a run uses. `trainer_command` is for tests."""

    engine: Engine
    store: AdapterStore
    settings: Callable[[], Settings]
    publish: Publish
    gate: Gate
    trainer_command: Sequence[str] | None = None


class _Closing(Exception):
    """The app is being closed; the run resumes with its next start."""


class Run:
    """A run in progress. `pause`, `cancel` and `close` may be called from any thread."""

    def __init__(
        self,
        record: AdapterRecord,
        model: ModelFile,
        folder: Path,
        tools: RunTools,
        on_ended: Callable[[], None],
    ) -> None:
        self._model = model
        self._folder = folder
        self._tools = tools
        self._on_ended = on_ended
        self._cancelled = threading.Event()
        self._closing = threading.Event()
        self._paused = False
        self._reports = RunReports(record, tools.store, tools.publish, lambda: self._paused)
        self._trainings = Trainings(
            tools.trainer_command,
            self._check,
            lambda: bool(self._schedule.waiting),
            self._cancelled.is_set,
        )
        self._schedule = Schedule(tools.settings, self._on_waiting)
        self._engine = EngineTurns(
            tools.engine,
            model,
            self._check,
            lambda words: self._reports.tell(waiting=words or self._schedule.waiting),
        )
        self._unlisten = tools.engine.answering.listen(self._schedule.answering)
        self._thread = threading.Thread(target=self._work, name="learning", daemon=True)

    @property
    def record(self) -> AdapterRecord:
        """The run and its adapter, as they are stored now."""
        return self._reports.record

    @property
    def progress(self) -> LearningProgress:
        """How far it is."""
        return self._reports.progress

    def start(self) -> None:
        """Begin, or resume."""
        self._thread.start()

    def pause(self, paused: bool) -> None:
        """Pause, or resume."""
        self._paused = paused
        self._schedule.pause(paused)

    def cancel(self) -> None:
        """End it for good; nothing of it remains."""
        self._cancelled.set()
        self._trainings.stop()

    def close(self, timeout_s: float) -> None:
        """Stop it because the app is closing."""
        self._closing.set()
        self._trainings.close()
        self._thread.join(timeout_s)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; False on a timeout."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # The whole run

    def _work(self) -> None:
        problem: EnvironmentProblem | None = None
        try:
            self._go_through()
        except _Closing:
            self._reports.end(AdapterState.INTERRUPTED)
        except RunStopped:
            self._forget()
            self._reports.end(AdapterState.CANCELLED, scorecard=None)
        except EnvironmentProblem as found:
            problem = found
            if isinstance(found, CannotResume):  # nobody needs the person's words any more
                self._forget()
            self._reports.end(AdapterState.FAILED, error=found.sentence)
        except Exception:
            _log.exception("a bug in a run")
            problem = EnvironmentProblem(
                tr("Learning failed because of a bug in ChatDesk."), tr("Details are in the log.")
            )
            self._reports.end(AdapterState.FAILED, error=problem.sentence)
        finally:
            self._unlisten()
            self._schedule.close()
            self._on_ended()
            self._reports.tell(problem, state=self.record.state, waiting="", seconds_left=0.0)
            while not self._reports.settle() and not self._closing.wait(_SETTLE_EVERY_S):
                pass

    def _go_through(self) -> None:
        if self.record.scorecard is None:
            plan = Plan.read(self._folder)
            card = self._proof(plan)
            if card.verdict is Verdict.PROMOTED:
                card = self._finishing(plan, card)
            self._check_consent()
            self._reports.change(scorecard=card, scale=card.scale)
        self._conclude()

    def _proof(self, plan: Plan) -> Scorecard:
        """Return the verdict on an adapter that has not learned what is held out."""
        proof = self._folder / _PROOF_FILE
        if proof.exists():
            return msgspec.json.decode(proof.read_bytes(), type=Scorecard)
        if not (self._folder / ADAPTER_FILE).exists():
            if not (self._folder / DATASET_FILE).exists():
                self._enter(AdapterState.PREPARING)
                self._engine.do(lambda: self._prepare(plan))
            self._enter(AdapterState.TRAINING)
            self._train(plan)
        self._enter(AdapterState.MEASURING)
        card = self._engine.do(lambda: self._prove(plan))
        if card.verdict is Verdict.PROMOTED:
            with _writing():
                write_whole(proof, msgspec.json.encode(card), durable=True)
        return card

    def _finishing(self, plan: Plan, proof: Scorecard) -> Scorecard:
        """Have the proven adapter learn everything; return the verdict on what came of that."""
        finished: Path | None = self._folder / FINISHING_FOLDER / ADAPTER_FILE
        if finished and not finished.exists():
            self._enter(AdapterState.FINISHING)
            try:
                self._learn_the_rest(plan)
            except LossesLost as problem:
                _log.warning("the proven adapter is used as it is: %s", problem)
                finished = None
        self._enter(AdapterState.CHECKING)
        return self._engine.do(lambda: self._judge(plan, proof, finished))

    def _enter(self, state: AdapterState) -> None:
        self._check()
        self._check_consent()
        self._reports.enter(state)

    def _prepare(self, plan: Plan) -> None:
        replay, watched = self._tools.gate.replay(
            plan, self.record, self._check, self._reports.part(0, _PREPARED)
        )
        data = TrainingData(plan.train, plan.validation, replay, watched)
        with _writing():
            write_whole(self._folder / DATASET_FILE, msgspec.json.encode(data), durable=True)

    def _train(self, plan: Plan) -> None:
        tensorboard = self._tools.settings().learning.tensorboard
        request = self._request(self._folder, plan.config, tensorboard=tensorboard)
        trained = self._trainings.train(request, self._reports.training(_PREPARED, _TRAINED))
        self._reports.change(
            losses=trained.losses,
            tokens=trained.tokens,
            tokens_per_s=trained.tokens_per_s,
            seconds=trained.seconds,
            peak_bytes=trained.peak_bytes,
            bytes=(self._folder / ADAPTER_FILE).stat().st_size,
        )

    def _learn_the_rest(self, plan: Plan) -> None:
        with _writing():
            write_finishing_data(plan, self._folder)
        request = self._request(
            self._folder / FINISHING_FOLDER,
            finishing_config(plan.config),
            begin_with=str(self._folder / PEFT_FOLDER),
        )
        trained = self._trainings.train(
            request, self._reports.training(_PROVEN, _FINISHED, noted=False)
        )
        self._reports.change(
            tokens=self.record.tokens + trained.tokens,
            seconds=self.record.seconds + trained.seconds,
            peak_bytes=max(self.record.peak_bytes, trained.peak_bytes),
        )

    def _request(self, folder: Path, config: TrainingConfig, **more: Any) -> Train:
        model = self._model
        return Train(
            request_id=self.record.id,
            folder=str(folder),
            model_path=model.path,
            model_bytes=model.header.bytes,
            model_mtime_ns=model.mtime_ns,
            config=config,
            **more,
        )

    def _prove(self, plan: Plan) -> Scorecard:
        on_share = self._reports.part(_TRAINED, _PROVEN)
        return self._tools.gate.prove(plan, self.record, self._active(), self._check, on_share)

    def _judge(self, plan: Plan, proof: Scorecard, finished: Path | None) -> Scorecard:
        on_share = self._reports.part(_FINISHED, 1)
        return self._tools.gate.judge(
            plan, self.record, proof, self._active(), finished, self._check, on_share
        )

    def _active(self) -> AdapterRecord | None:
        return self._tools.store.active(self.record.model_id)

    def _conclude(self) -> None:
        """Leave in the folder what is used, and end; all of it may be done again."""
        card = self.record.scorecard
        assert card
        if card.finished and card.finished.used:
            with _writing():
                use_finished(self._folder)
        promoted = card.verdict is Verdict.PROMOTED
        with _writing():
            for each in self._folder.iterdir():
                if each.name not in _KEPT:
                    shutil.rmtree(each) if each.is_dir() else each.unlink()
        self._reports.end(AdapterState.PROMOTED if promoted else AdapterState.REJECTED)
        if promoted:
            self._tools.store.activate(self.record.model_id, self.record.id)
            self._tools.publish(AdaptersChanged())

    def _forget(self) -> None:
        """Remove everything of a run that was cancelled, or can never end."""
        try:
            shutil.rmtree(self._folder)
        except OSError as problem:
            _log.warning("the folder of a run could not be removed: %s", problem.strerror)

    # Pauses

    def _check(self) -> None:
        """Between two requests to the engine: wait while paused, raise when it is over."""
        while True:
            if self._closing.is_set():
                raise _Closing
            if self._cancelled.is_set():
                raise RunStopped
            # The engine itself puts answers before background requests.
            if not self._schedule.waiting or self._tools.engine.answering:
                return
            self._cancelled.wait(_LOOK_EVERY_S)

    def _check_consent(self) -> None:
        """Raise `RunStopped` when something it learns from was deleted or excluded meanwhile."""
        if self._tools.store.withdrawn(self.record.id).examples:
            raise RunStopped

    def _on_waiting(self, waiting: str) -> None:
        self._trainings.hold(bool(waiting))
        self._reports.tell(waiting=waiting)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Have the disk's refusals be told."""
    try:
        yield
    except OSError as problem:
        raise EnvironmentProblem(
            tr("What is to be learned could not be written: {reason}.", reason=problem.strerror),
            tr("Make room on the disk, then resume."),
        ) from problem
