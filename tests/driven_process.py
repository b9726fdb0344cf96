"""A real child process that uses the protocol, driven over its pipes."""

import queue
import subprocess
import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from chatdesk.workers.codec import Codec

Message = TypeVar("Message")
Wanted = TypeVar("Wanted")


class DrivenProcess(Generic[Message]):
    """Use with `with`: the process is gone afterwards. `events` are the types it may send."""

    def __init__(
        self, command: Sequence[str], events: Iterable[type[Message]], patience_s: float
    ) -> None:
        self._codec = Codec[Message](events)
        self._patience_s = patience_s
        self._arrived: queue.Queue[Message | None] = queue.Queue()
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
        """Kill the process, if there still is one, and forget its pipes."""
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

    def send_line(self, line: bytes) -> None:
        """Write raw bytes to the child's stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def send(self, request: object) -> None:
        """Write a request."""
        self.send_line(self._codec.encode(request))

    def next(self) -> Message:
        """The next event; fails when none comes for long, or none can come any more."""
        event = self._arrived.get(timeout=self._patience_s)
        assert event is not None, "the child ended:\n" + "".join(self.errors[-20:])
        return event

    def wait_for(self, kind: type[Wanted]) -> Wanted:
        """Skip events up to one of this kind."""
        while True:
            event = self.next()
            if isinstance(event, kind):
                return event
