"""The trainer process, as a run sees it: started for one training, held still, ended."""

import logging
import queue
from collections.abc import Callable, Sequence
from typing import get_args

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.protocol import Cancel, Terminal
from chatdesk.core.training import (
    PauseTraining,
    ResumeTraining,
    Train,
    Trained,
    TrainerEvent,
    TrainerReady,
    TrainingFailed,
    TrainingFailure,
    TrainingProgress,
    TrainingStopped,
)
from chatdesk.services.system.installation import learning_missing
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec
from chatdesk.workers.process import ChildProcess, Outcome, worker_command

_log = logging.getLogger(__name__)

_GRACE_S = 1.0


class TrainerLost(EnvironmentProblem):
    """The process ended before the training did; what it had done lies in its checkpoint."""


class CannotResume(EnvironmentProblem):
    """The same run would fail again, whatever is done."""


class LossesLost(CannotResume):
    """The losses are not numbers any more: to go on would not help."""


class RunStopped(Exception):
    """The training was cancelled."""


class TrainerProcess:
    """One training in a process of its own. `hold` and `stop` may be called from any thread.

    Create it to start it. Raises `EnvironmentProblem` when the process cannot be started.
    """

    def __init__(self, request: Train, command: Sequence[str] | None = None) -> None:
        self._request = request
        self._held = False
        self._events: queue.SimpleQueue[TrainerEvent | Outcome] = queue.SimpleQueue()
        try:
            self._child: ChildProcess[TrainerEvent] = ChildProcess(
                list(command or worker_command("trainer")),
                Codec[TrainerEvent](get_args(TrainerEvent)),
                name="trainer",
                on_event=self._events.put,
                on_exit=self._events.put,
            )
        except OSError as problem:
            raise EnvironmentProblem(
                tr("The trainer could not be started: {reason}.", reason=problem.strerror),
                tr("Install ChatDesk again if this stays so."),
            ) from problem
        self._child.send(request)

    @property
    def process_id(self) -> int:
        """The child's process id."""
        return self._child.pid

    def hold(self, held: bool) -> None:
        """Pause, or resume."""
        if held != self._held:
            self._held = held
            kind = PauseTraining if held else ResumeTraining
            self._child.send(kind(self._request.request_id))

    def stop(self) -> None:
        """Have it stop behind its last checkpoint; `wait` then raises `RunStopped`."""
        self._child.send(Cancel(self._request.request_id))

    def wait(self, on_progress: Callable[[TrainingProgress], None]) -> Trained:
        """Wait for its end, and end the process.

        Raises `RunStopped`, `TrainerLost`, and `EnvironmentProblem` for what it cannot do.
        """
        try:
            while True:
                match event := self._events.get():
                    case TrainingProgress():
                        on_progress(event)
                    case TrainerReady(protocol=protocol) if protocol != PROTOCOL_VERSION:
                        raise EnvironmentProblem(
                            tr("The trainer and the app have different versions."),
                            tr("Install ChatDesk again."),
                        )
                    case Outcome():
                        raise _lost(event)
                    case _ if isinstance(event, Terminal):
                        return _result(event)
        finally:
            self.close()

    def close(self) -> None:
        """End the process, whatever it does; its checkpoints stay."""
        self._child.stop(_GRACE_S)


def _result(event: Trained | TrainingStopped | TrainingFailed) -> Trained:
    match event:
        case Trained():
            return event
        case TrainingStopped():
            raise RunStopped
        case TrainingFailed():
            _log.error("the trainer reports %s: %s", event.code, event.detail)
            raise _problem(event)


def _lost(outcome: Outcome) -> TrainerLost:
    if outcome.was_killed_from_outside():
        return TrainerLost(
            tr("The trainer was ended by the system, most likely because memory ran out."),
            tr("Close other programs, or choose a smaller rank and shorter examples."),
        )
    return TrainerLost(tr("The trainer stopped unexpectedly ({how}).", how=outcome.state_str()))


def untrainable(detail: str) -> CannotResume:
    """Return the problem of a model that cannot be trained."""
    return CannotResume(
        tr("Models of the kind “{name}” cannot be trained here.", name=detail),
        tr("Choose another model to personalize."),
    )


def _problem(failed: TrainingFailed) -> EnvironmentProblem:
    detail = failed.detail
    match failed.code:
        case TrainingFailure.MISSING:
            return learning_missing([detail])
        case TrainingFailure.PROGRAM:
            what = tr("A file of ChatDesk itself is missing: {name}.", name=detail)
            todo = tr("Install ChatDesk again, then resume.")
        case TrainingFailure.ARCHITECTURE:
            return untrainable(detail)
        case TrainingFailure.MODEL:
            what = tr("The model's file is gone or has changed.")
            todo = tr("Put it back, or start again with the model as it is now.")
        case TrainingFailure.OUT_OF_MEMORY:
            what = tr("There is not enough memory to learn with this model.")
            todo = tr("Close other programs, or choose a smaller rank and shorter examples.")
        case TrainingFailure.DISK:
            what = tr("Learning could not write to the disk: {reason}.", reason=detail)
            todo = tr("Make room, then resume.")
        case TrainingFailure.NOT_A_NUMBER:
            return LossesLost(
                tr("Learning failed: its losses are not numbers any more."),
                tr("Try again with a smaller learning rate."),
            )
        case TrainingFailure.DATA:
            return CannotResume(
                tr("What is to be learned cannot be read any more."), tr("Start again.")
            )
        case TrainingFailure.INTERNAL:
            what = tr("The trainer failed; details are in the log.")
            todo = tr("Try again.")
    return EnvironmentProblem(what, todo)
