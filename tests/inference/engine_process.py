"""A real engine process, driven over its pipes."""

import queue
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Self, TypeVar, get_args

from chatdesk.core.generation import (
    EngineEvent,
    EngineRequest,
    Generate,
    PromptMessage,
    TextDelta,
)
from chatdesk.core.loading import EngineReady, LoadModel, LoadOptions
from chatdesk.core.protocol import Terminal
from chatdesk.core.sampling import SamplingParams
from chatdesk.workers.codec import Codec

COMMAND = "from chatdesk.inference.worker import main; raise SystemExit(main())"
PATIENCE_S = 60.0

Event = TypeVar("Event", bound=EngineEvent)


class EngineProcess:
    """An engine process to use with `with`; it is gone afterwards."""

    def __init__(self, command: str = COMMAND) -> None:
        self._codec = Codec[EngineEvent](get_args(EngineEvent))
        self.process = subprocess.Popen(
            [sys.executable, "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._arrived: queue.Queue[EngineEvent | None] = queue.Queue()
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_events),
            threading.Thread(target=self._read_errors),
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.ready = self.wait_for(EngineReady)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the process, if it still runs, and drop its pipes."""
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
            self.errors.append(line.decode())

    def send_line(self, line: bytes) -> None:
        """Write raw bytes to the engine's stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def send(self, request: EngineRequest) -> None:
        """Send a request."""
        self.send_line(self._codec.encode(request))

    def next(self) -> EngineEvent:
        """Return the next event; fail after a long wait, or when none can follow."""
        event = self._arrived.get(timeout=PATIENCE_S)
        assert event is not None, "the engine ended: " + "".join(self.errors)
        return event

    def wait_for(self, kind: type[Event]) -> Event:
        """Skip events up to one of this kind."""
        while True:
            event = self.next()
            if isinstance(event, kind):
                return event

    def outcome(self, request_id: str) -> tuple[str, EngineEvent]:
        """Return the text and the terminal event of a request; skip other requests' events."""
        text = ""
        while True:
            event = self.next()
            if isinstance(event, EngineReady) or event.request_id != request_id:
                continue
            if isinstance(event, TextDelta):
                text += event.text
            if isinstance(event, Terminal):
                return text, event

    def load(self, path: object, context_window: int = 8192, **options: Any) -> EngineEvent:
        """Load a model; return the terminal event."""
        chosen = LoadOptions(context_window, **options)
        self.send(LoadModel("load", str(path), chosen))
        return self.outcome("load")[1]

    def ask(self, *contents: str, background: bool = False, **sampling: Any) -> str:
        """Ask with user and assistant taking turns; return the request's id."""
        request_id = f"ask-{contents[-1][:20]}"
        self.send(request(request_id, *contents, background=background, **sampling))
        return request_id

    def answer(self, *contents: str, **sampling: Any) -> tuple[str, EngineEvent]:
        """Ask; return the outcome."""
        return self.outcome(self.ask(*contents, **sampling))


def turns(*contents: str) -> tuple[PromptMessage, ...]:
    """A conversation of user and assistant taking turns."""
    roles = ("user", "assistant")
    return tuple(PromptMessage(roles[n % 2], text) for n, text in enumerate(contents))


def request(request_id: str, *contents: str, background: bool = False, **sampling: Any) -> Generate:
    """A request to answer a conversation."""
    params = SamplingParams(**sampling)
    return Generate(request_id, turns(*contents), params, background)
