"""A real trainer process, driven over its pipes."""

import sys
from typing import get_args

from chatdesk.core.protocol import Terminal
from chatdesk.core.training import (
    TrainerEvent,
    TrainerReady,
    TrainingProgress,
)
from chatdesk.workers.process import worker_command
from tests.driven_process import DrivenProcess

PATIENCE_S = 100.0
# As `chatdesk --worker trainer`, with a checkpoint after every step.
EAGER = "import chatdesk.training.checkpoint as c; c.INTERVAL_S = 0.0; c._COST = 1e9; "
EAGER += "from chatdesk.training.worker import main; main()"


class TrainerProcess(DrivenProcess[TrainerEvent]):
    """A trainer; with `script` as its code, else as the app starts it."""

    def __init__(self, script: str | None = None) -> None:
        command = [sys.executable, "-c", script] if script else worker_command("trainer")
        super().__init__(command, get_args(TrainerEvent), PATIENCE_S)

    def wait_for_step(self, step: int) -> TrainingProgress:
        """Wait until so many steps are done."""
        while True:
            event = self.next()
            assert not isinstance(event, Terminal), event
            if isinstance(event, TrainingProgress) and event.step >= step:
                return event

    def end(self) -> Terminal:
        """Return the terminal event of the run that is on."""
        return self.wait_for(Terminal)

    def ready(self) -> TrainerReady:
        """Return the first event."""
        event = self.next()
        assert isinstance(event, TrainerReady)
        return event
