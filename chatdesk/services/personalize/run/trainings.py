"""The trainings of a run, in a process that is started again when it is lost."""

import logging
from collections.abc import Callable, Sequence

from chatdesk.core.training import Train, Trained, TrainingProgress
from chatdesk.services.personalize.run.trainer_process import TrainerLost, TrainerProcess

_log = logging.getLogger(__name__)

_RESTARTS = 2  # of a trainer that was killed or crashed; it resumes from its checkpoint


class Trainings:
    """Trains, one after the other. `hold`, `stop` and `close` may be called from any thread.

    `check` is called before each start; its exceptions end the work. `is_held` and `is_stopped`
    say what was wanted while a process was starting.
    """

    def __init__(
        self,
        command: Sequence[str] | None,
        check: Callable[[], None],
        is_held: Callable[[], bool],
        is_stopped: Callable[[], bool],
    ) -> None:
        self._command = command
        self._check = check
        self._is_held = is_held
        self._is_stopped = is_stopped
        self._process: TrainerProcess | None = None

    def train(self, request: Train, on_progress: Callable[[TrainingProgress], None]) -> Trained:
        """Train, and wait for the end. Raises `RunStopped` and `EnvironmentProblem`."""
        restarts = 0
        while True:
            self._check()
            try:
                return self._train(request, on_progress)
            except TrainerLost as problem:
                self._check()
                if restarts == _RESTARTS:
                    raise
                restarts += 1
                _log.warning("the trainer is started again: %s", problem)

    def _train(self, request: Train, on_progress: Callable[[TrainingProgress], None]) -> Trained:
        process = self._process = TrainerProcess(request, self._command)
        try:
            process.hold(self._is_held())
            if self._is_stopped():  # during its start
                process.stop()
            return process.wait(on_progress)
        finally:
            self._process = None

    def hold(self, held: bool) -> None:
        """Pause, or resume."""
        if process := self._process:
            process.hold(held)

    def stop(self) -> None:
        """Have the training stop behind its last checkpoint."""
        if process := self._process:
            process.stop()

    def close(self) -> None:
        """End the process, whatever it does."""
        if process := self._process:
            process.close()
