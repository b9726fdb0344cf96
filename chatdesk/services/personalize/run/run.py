"""One run: prepares, trains, measures and reports its result, on its own thread.

It resumes from any point: the plan and the trainer's checkpoint are in its folder until it has
ended. Then only the adapter stays there.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.files import write_whole
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    LossPoint,
    Scorecard,
    Verdict,
)
from chatdesk.core.settings import Settings
from chatdesk.core.training import (
    ADAPTER_FILE,
    DATASET_FILE,
    PEFT_FOLDER,
    TENSORBOARD_FOLDER,
    Train,
    TrainingData,
    TrainingProgress,
)
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.engine.engine import Engine
from chatdesk.services.facts import Publish
from chatdesk.services.personalize.facts import LearningChanged, LearningProgress
from chatdesk.services.personalize.gate.gate import Gate
from chatdesk.services.personalize.plan import Plan
from chatdesk.services.personalize.run.schedule import Schedule
from chatdesk.services.personalize.run.trainer_process import (
    RunStopped,
    TrainerLost,
    TrainerProcess,
)
from chatdesk.store.adapters import AdapterStore

_log = logging.getLogger(__name__)

_KEPT = (ADAPTER_FILE, PEFT_FOLDER, TENSORBOARD_FOLDER)  # of a run that has ended
_RESTARTS = 2  # of a trainer that was killed or crashed; it resumes from its checkpoint
_ENGINE_TRIES = 3
_LOOK_EVERY_S = 0.5  # while another model is in use, or the run is paused
_PREPARED, _TRAINED = 0.15, 0.7  # shares of a whole run

_Result = TypeVar("_Result")


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
        self.record = record
        self.progress = LearningProgress(record.id, record.state, losses=record.losses)
        self._model = model
        self._folder = folder
        self._tools = tools
        self._on_ended = on_ended
        self._cancelled = threading.Event()
        self._closing = threading.Event()
        self._trainer: TrainerProcess | None = None
        self._schedule = Schedule(tools.settings, self._on_waiting)
        self._unlisten = tools.engine.answering.listen(self._schedule.answering)
        self._thread = threading.Thread(target=self._work, name="learning", daemon=True)

    def start(self) -> None:
        """Begin, or resume."""
        self._thread.start()

    def pause(self, paused: bool) -> None:
        """Pause, or resume."""
        self._schedule.pause(paused)

    def cancel(self) -> None:
        """End it for good; nothing of it remains."""
        self._cancelled.set()
        if trainer := self._trainer:
            trainer.stop()

    def close(self, timeout_s: float) -> None:
        """Stop it because the app is closing."""
        self._closing.set()
        if trainer := self._trainer:
            trainer.close()
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
            self._end(AdapterState.INTERRUPTED)
        except RunStopped:
            self._forget()
            self._end(AdapterState.CANCELLED)
        except EnvironmentProblem as found:
            problem = found
            self._end(AdapterState.FAILED, error=found.sentence)
        except Exception:
            _log.exception("a bug in a run")
            problem = EnvironmentProblem(
                tr("Learning failed because of a bug in ChatDesk."), tr("Details are in the log.")
            )
            self._end(AdapterState.FAILED, error=problem.sentence)
        finally:
            self._unlisten()
            self._schedule.close()
            self._on_ended()
            self._report(problem, state=self.record.state, waiting="", seconds_left=0.0)

    def _go_through(self) -> None:
        plan = Plan.read(self._folder)
        if not (self._folder / ADAPTER_FILE).exists():
            if not (self._folder / DATASET_FILE).exists():
                self._enter(AdapterState.PREPARING)
                self._with_engine(lambda: self._prepare(plan))
            self._enter(AdapterState.TRAINING)
            self._train(plan)
        self._enter(AdapterState.MEASURING)
        self._finish(self._with_engine(lambda: self._measure(plan)))

    def _prepare(self, plan: Plan) -> None:
        replay, watched = self._tools.gate.replay(
            plan, self.record, self._check, self._part(0, _PREPARED)
        )
        data = TrainingData(plan.train, plan.validation, replay, watched)
        try:
            write_whole(self._folder / DATASET_FILE, msgspec.json.encode(data), durable=True)
        except OSError as problem:
            raise EnvironmentProblem(
                tr(
                    "What is to be learned could not be written: {reason}.", reason=problem.strerror
                ),
                tr("Make room on the disk, then resume."),
            ) from problem

    def _train(self, plan: Plan) -> None:
        model = self._model
        request = Train(
            request_id=self.record.id,
            folder=str(self._folder),
            model_path=model.path,
            model_bytes=model.header.bytes,
            model_mtime_ns=model.mtime_ns,
            config=plan.config,
            tensorboard=self._tools.settings().learning.tensorboard,
        )
        for restarts_left in reversed(range(_RESTARTS + 1)):
            try:
                trained = self._train_once(request)
                break
            except TrainerLost as problem:
                if self._closing.is_set():
                    raise _Closing from problem
                if not restarts_left:
                    raise
                _log.warning("the trainer is started again: %s", problem)
        self._change(
            losses=trained.losses,
            tokens=trained.tokens,
            tokens_per_s=trained.tokens_per_s,
            seconds=trained.seconds,
            peak_bytes=trained.peak_bytes,
            bytes=(self._folder / ADAPTER_FILE).stat().st_size,
        )

    def _train_once(self, request: Train) -> Any:
        self._check()
        trainer = self._trainer = TrainerProcess(request, self._tools.trainer_command)
        try:
            trainer.hold(bool(self._schedule.waiting))
            if self._cancelled.is_set():  # during its start
                trainer.stop()
            return trainer.wait(self._on_training)
        finally:
            self._trainer = None

    def _on_training(self, progress: TrainingProgress) -> None:
        losses = self.progress.losses
        if progress.point:
            losses = _with_point(losses, progress.point)
            if progress.point.training is None:  # once in an epoch
                self._change(losses=losses)
        done = progress.step / max(progress.steps, 1)
        self._report(
            share=_PREPARED + (_TRAINED - _PREPARED) * done,
            seconds_left=progress.seconds_left,
            tokens_per_s=progress.tokens_per_s,
            rss_bytes=progress.rss_bytes,
            losses=losses,
        )

    def _measure(self, plan: Plan) -> Scorecard:
        active = self._tools.store.active(self.record.model_id)
        on_share = self._part(_TRAINED, 1)
        return self._tools.gate.judge(plan, self.record, active, self._check, on_share)

    def _finish(self, scorecard: Scorecard) -> None:
        self._check_consent()
        promoted = scorecard.verdict is Verdict.PROMOTED
        for each in self._folder.iterdir():
            if each.name not in _KEPT:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        state = AdapterState.PROMOTED if promoted else AdapterState.REJECTED
        self._end(state, scorecard=scorecard, scale=scorecard.scale)
        if promoted:
            self._tools.store.activate(self.record.model_id, self.record.id)
            self._tools.publish(AdaptersChanged())

    def _forget(self) -> None:
        """Remove everything of a cancelled run."""
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

    def _with_engine(self, work: Callable[[], _Result]) -> _Result:
        """Do work that needs the engine, while the engine has this run's model."""
        for tries_left in reversed(range(_ENGINE_TRIES)):
            self._wait_for_model()
            try:
                return work()
            except EngineProblem:
                self._check()
                if self._has_model() and not tries_left:
                    raise
        raise EngineProblem(tr("Another model was chosen too often."), tr("Resume it later."))

    def _wait_for_model(self) -> None:
        while not self._has_model():
            self._report(waiting=tr("waits for {model}", model=self.record.model_name))
            self._check()
            self._cancelled.wait(_LOOK_EVERY_S)
        self._report(waiting=self._schedule.waiting)
        self._tools.engine.wait_loaded()

    def _has_model(self) -> bool:
        chosen = self._tools.engine.status.model
        return chosen is not None and chosen.id == self._model.id

    def _on_waiting(self, waiting: str) -> None:
        if trainer := self._trainer:
            trainer.hold(bool(waiting))
        self._report(waiting=waiting)

    # Reports

    def _part(self, begin: float, end: float) -> Callable[[float], None]:
        """Return a listener for the progress of a part of the run, from 0 to 1."""
        started = time.monotonic()

        def on_share(share: float) -> None:
            left = (time.monotonic() - started) * (1 - share) / max(share, 0.01)
            self._report(share=begin + (end - begin) * share, seconds_left=left)

        return on_share

    def _enter(self, state: AdapterState) -> None:
        self._check()
        self._check_consent()
        self._change(state=state)
        self._report(state=state, seconds_left=0.0, tokens_per_s=0.0, rss_bytes=0)

    def _change(self, **fields: Any) -> None:
        self.record = self._tools.store.change(self.record.id, **fields)
        self._tools.publish(AdaptersChanged())

    def _end(self, state: AdapterState, **fields: Any) -> None:
        self.record = self._tools.store.finish(self.record.id, state, **fields)
        self._tools.publish(AdaptersChanged())

    def _report(self, problem: EnvironmentProblem | None = None, **fields: Any) -> None:
        self.progress = replace(self.progress, paused=self._schedule.is_paused, **fields)
        self._tools.publish(LearningChanged(self.progress, problem))


def _with_point(losses: tuple[LossPoint, ...], point: LossPoint) -> tuple[LossPoint, ...]:
    """Add a point. Later ones are done again, because the trainer was restarted."""
    trained = point.training is not None
    before = [
        each
        for each in losses
        if each.step < point.step
        or (each.step == point.step and (each.training is not None) != trained)
    ]
    return (*before, point)
