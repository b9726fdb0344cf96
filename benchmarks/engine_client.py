"""A client of the engine process, with the moment of each event."""

import queue
import threading
import time
from dataclasses import dataclass, field
from typing import get_args

from chatdesk.core.generation import (
    EngineEvent,
    EngineRequest,
    Failed,
    Finished,
    Generate,
    GenerationStats,
    KeepSessions,
    PromptMessage,
    TextDelta,
)
from chatdesk.core.loading import EngineReady, LoadModel, LoadOptions, ModelLoaded
from chatdesk.core.protocol import Cancel, Shutdown, Terminal
from chatdesk.core.sampling import SamplingParams
from chatdesk.workers.codec import Codec
from chatdesk.workers.process import ChildProcess, worker_command

PATIENCE_S = 120.0


@dataclass
class Call:
    """A request and what came of it. Moments are seconds on the performance counter."""

    started: float
    moments: list[float] = field(default_factory=list)  # of each piece of text
    text: str = ""
    ended: float = 0.0
    ends: int = 0
    outcome: EngineEvent | None = None
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def stats(self) -> GenerationStats:
        """The engine's statistics of a finished answer."""
        assert isinstance(self.outcome, Finished), self.outcome
        return self.outcome.stats

    @property
    def ttft_s(self) -> float:
        """Seconds to the first piece of text."""
        return self.moments[0] - self.started

    @property
    def decode_tps(self) -> float:
        """Tokens per second after the first, as this client sees them."""
        return (self.stats.completion_tokens - 1) / (self.ended - self.moments[0])

    def wait(self) -> "Call":
        """Wait for the end; fails on an error."""
        assert self.done.wait(PATIENCE_S), "the engine does not answer"
        assert not isinstance(self.outcome, Failed), self.outcome
        return self


class EngineClient:
    """A real engine process with a model loaded; close it with `close`."""

    def __init__(self, path: str, options: LoadOptions | None = None) -> None:
        self.calls: dict[str, Call] = {}
        self._ready: queue.SimpleQueue[EngineReady] = queue.SimpleQueue()
        self._child: ChildProcess[EngineEvent] = ChildProcess(
            worker_command("engine"),
            Codec[EngineEvent](get_args(EngineEvent)),
            name="engine",
            on_event=self._on_event,
            on_exit=lambda outcome: None,
        )
        self._ready.get(timeout=PATIENCE_S)
        load = self.send(LoadModel("load", path, options or LoadOptions())).wait()
        assert isinstance(load.outcome, ModelLoaded)
        self.loaded = load.outcome

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._child.pid

    def send(self, request: EngineRequest) -> Call:
        """Send a request; its call."""
        call = Call(time.perf_counter())
        if isinstance(request, Cancel | Shutdown):  # they have no end of their own
            self._child.send(request)
            return call
        self.calls[request.request_id] = call
        self._child.send(request)
        return call

    def ask(
        self,
        prompt: str | None = None,
        *,
        messages: tuple[PromptMessage, ...] = (),
        session: str | None = None,
        speculate: bool = False,
        **sampling: object,
    ) -> Call:
        """Continue a text or answer messages."""
        params = SamplingParams(**sampling)  # type: ignore[arg-type]
        request_id = f"ask-{len(self.calls)}"
        return self.send(
            Generate(
                request_id,
                messages,
                params,
                prompt=prompt,
                session=session,
                speculate=speculate,
            )
        )

    def keep_sessions(self, folder: str, limit_bytes: int = 2 << 30) -> None:
        """Have states kept on disk."""
        self.send(KeepSessions(f"keep-{len(self.calls)}", folder, "bench", limit_bytes)).wait()

    def close(self, grace_s: float = 5.0) -> None:
        """End the process in good order."""
        self._child.stop(grace_s)

    def _on_event(self, event: EngineEvent) -> None:
        now = time.perf_counter()
        if isinstance(event, EngineReady):
            self._ready.put(event)
            return
        call = self.calls[event.request_id]
        if isinstance(event, TextDelta):
            call.moments.append(now)
            call.text += event.text
        elif isinstance(event, Terminal):
            call.ended = now
            call.ends += 1
            call.outcome = event
            call.done.set()
