"""A real trainer process, driven over its pipes."""

import queue
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self, TypeVar, get_args

from chatdesk.core.protocol import Terminal
from chatdesk.core.training import (
    TrainerEvent,
    TrainerReady,
    TrainerRequest,
    TrainingProgress,
)
from chatdesk.workers.codec import Codec
from chatdesk.workers.process import worker_command

PATIENCE_S = 100.0
# As `chatdesk --worker trainer`, with a checkpoint after every step.
EAGER = "import chatdesk.training.checkpoint as c; c.INTERVAL_S = 0.0; c._COST = 1e9; "
EAGER += "from chatdesk.training.worker import main; main()"

Event = TypeVar("Event", bound=TrainerEvent)


class TrainerProcess:
    """A trainer process to use with `with`; it is gone afterwards."""

    def __init__(self, script: str | None = None) -> None:
        command = [sys.executable, "-c", script] if script else worker_command("trainer")
        self._codec = Codec[TrainerEvent](get_args(TrainerEvent))
        self._arrived: queue.Queue[TrainerEvent | None] = queue.Queue()
        self.errors: list[str] = []
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        self._readers = [
            threading.Thread(target=self._read_events),
            threading.Thread(target=self._read_errors),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill -9, and drop the pipes."""
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _read_events(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._arrived.put(self._codec.decode(line))
        self._arrived.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line.decode("utf-8", "replace"))

    def send(self, request: TrainerRequest) -> None:
        """Write a request."""
        assert self.process.stdin is not None
        self.process.stdin.write(self._codec.encode(request))
        self.process.stdin.flush()

    def next(self) -> TrainerEvent:
        """The next event."""
        event = self._arrived.get(timeout=PATIENCE_S)
        assert event is not None, "the trainer ended:\n" + "".join(self.errors[-20:])
        return event

    def wait_for_step(self, step: int) -> TrainingProgress:
        """Wait until so many steps are done."""
        while True:
            event = self.next()
            assert not isinstance(event, Terminal), event
            if isinstance(event, TrainingProgress) and event.step >= step:
                return event

    def end(self) -> TrainerEvent:
        """Return the terminal event of the current run."""
        while True:
            event = self.next()
            if isinstance(event, Terminal):
                return event

    def ready(self) -> TrainerReady:
        """Return the first event."""
        event = self.next()
        assert isinstance(event, TrainerReady)
        return event
