"""The engine as services see it: one child process for the model in use, kept alive.

Requests may come from any thread. Each gets its events on the engine's reader thread and ends in
exactly one terminal event, or in `EngineLost` when the process went away under it.
"""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_args

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.generation import (
    TERMINAL_EVENTS,
    Cancel,
    CountTokens,
    EngineEvent,
    EngineReady,
    Failed,
    Generate,
    LoadModel,
    LoadProgress,
    ModelLoaded,
    PromptMessage,
    SamplingParams,
    TokensCounted,
)
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.services.facts import EngineChanged, EngineState, EngineStatus, Publish
from chatdesk.services.problems import engine_problem
from chatdesk.workers.process import ChildProcess, Outcome, worker_command
from chatdesk.workers.protocol import PROTOCOL_VERSION, Codec

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

READY_TIMEOUT_S = 60.0  # a cold disk and a large CUDA library; normally 0.4 s
CANCEL_GRACE_S = 3.0  # the abort callback answers in milliseconds; then the process is ended
CRASHES_ALLOWED = 3  # within CRASH_WINDOW_S; more means that starting again does not help
CRASH_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class EngineLost:
    """The process ended before the request did."""

    request_id: str
    problem: EngineProblem


Reply = EngineEvent | EngineLost
OnReply = Callable[[Reply], None]


class Engine:
    """Loads one model at a time and answers with it.

    `command` starts the child process; tests give a scripted one.
    """

    def __init__(self, publish: Publish, command: Sequence[str] | None = None) -> None:
        self._publish = publish
        self._command = list(command or worker_command("engine"))
        self._codec: Codec[EngineEvent] = Codec(get_args(EngineEvent))
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._child: ChildProcess[EngineEvent] | None = None
        self._generation = 0  # of child processes: a late event of an old one is ignored
        self._pending: dict[str, OnReply] = {}
        self._ready: Future[EngineReady] = Future()
        self._loaded: Future[ModelLoaded] = Future()
        self._wanted: tuple[ModelFile, int] | None = None
        self._crashes: deque[float] = deque(maxlen=CRASHES_ALLOWED)
        self._status = EngineStatus(EngineState.OFF)

    @property
    def status(self) -> EngineStatus:
        """What the engine is doing now."""
        return self._status

    @property
    def process_id(self) -> int | None:
        """The child's process id, or None when none runs."""
        child = self._child
        return child.pid if child else None

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> EngineReady:
        """What the engine found on this machine; starts it if need be. Raises `EngineProblem`."""
        with self._lock:
            if self._child is None:
                self._start()
            ready = self._ready
        return self._result(ready, timeout_s)

    def load(self, model: ModelFile, context_window: int, *, anew: bool = False) -> None:
        """Begin to load `model`; facts tell how it goes. The model in use is unloaded first.

        Nothing happens when it is loaded or loading, unless `anew`.
        """
        with self._lock:
            if (
                not anew
                and self._wanted == (model, context_window)
                and self._status.state
                in (
                    EngineState.LOADING,
                    EngineState.READY,
                )
            ):
                return
            self._crashes.clear()
            self._wanted = (model, context_window)
            if self._loaded.done() or self._status.state is EngineState.LOADING:
                self._stop_child()
            self._load_wanted()

    def reload(self) -> None:
        """Load the chosen model again after a failure; nothing when it is loaded or loading."""
        with self._lock:
            if self._wanted and self._status.state in (EngineState.FAILED, EngineState.OFF):
                self.load(*self._wanted)

    def wait_loaded(self, timeout_s: float | None = None) -> ModelLoaded:
        """The loaded model; waits while it is loading. Raises `EnvironmentProblem`."""
        with self._lock:
            if self._wanted is None:
                raise EngineProblem(
                    tr("No model is chosen."), tr("Choose a model, or add a GGUF file.")
                )
            loaded = self._loaded
        return self._result(loaded, timeout_s)

    def count(self, messages: Sequence[PromptMessage], timeout_s: float = 30.0) -> TokensCounted:
        """How many tokens these messages are as a prompt. Raises `EnvironmentProblem`."""
        self.wait_loaded()
        counted: Future[TokensCounted] = Future()

        def on_reply(reply: Reply) -> None:
            match reply:
                case TokensCounted():
                    counted.set_result(reply)
                case Failed():
                    counted.set_exception(engine_problem(reply, self._model_name()))
                case EngineLost():
                    counted.set_exception(reply.problem)

        self._request(CountTokens(self._new_id(), tuple(messages)), on_reply)
        return self._result(counted, timeout_s)

    def generate(
        self,
        messages: Sequence[PromptMessage],
        sampling: SamplingParams,
        on_reply: OnReply,
        *,
        background: bool = False,
    ) -> str:
        """Ask for an answer; the request's id. Replies come on the reader thread."""
        request_id = self._new_id()
        request = Generate(request_id, tuple(messages), sampling, background)
        self._request(request, on_reply)
        return request_id

    def cancel(self, request_id: str) -> None:
        """Stop a request: by message first, by ending the process if that is not heard."""
        with self._lock:
            if request_id not in self._pending or self._child is None:
                return
            child = self._child
        timer = threading.Timer(CANCEL_GRACE_S, self._end_unheard, (request_id, child))
        timer.daemon = True
        timer.start()
        child.send(Cancel(request_id))  # not under the lock: a deaf child may not read it

    def close(self) -> None:
        """End the process; whatever is still asked of it is lost."""
        with self._lock:
            self._wanted = None
            child, self._child = self._child, None
            self._generation += 1
        if child:
            child.stop(0.3)
        self._lose_all(EngineProblem(tr("The app is closing.")))

    # The child process

    def _start(self) -> None:
        self._generation += 1
        generation = self._generation
        self._ready = Future()
        try:
            self._child = ChildProcess(
                self._command,
                self._codec,
                name="engine",
                on_event=lambda event: self._on_event(generation, event),
                on_exit=lambda outcome: self._on_exit(generation, outcome),
            )
        except OSError as problem:
            raise EngineProblem(
                tr("The engine could not be started: {reason}.", reason=problem.strerror),
                tr("Install ChatDesk again if this stays so."),
            ) from problem

    def _stop_child(self) -> None:
        """End the child without its end being taken for a crash."""
        child, self._child = self._child, None
        self._generation += 1
        if child:
            # Its memory must be free before the next model is loaded.
            child.stop(0.3)
        self._lose_all(EngineProblem(tr("Another model was chosen.")))

    def _load_wanted(self) -> None:
        assert self._wanted
        model, context_window = self._wanted
        loaded: Future[ModelLoaded] = Future()
        self._loaded = loaded
        self._set_status(EngineStatus(EngineState.LOADING, model))
        try:
            if self._child is None:
                self._start()
        except EngineProblem as problem:
            self._fail_load(problem)
            return
        request = LoadModel(self._new_id(), model.path, context_window)
        self._request(request, lambda reply: self._on_load_reply(loaded, reply))

    def _on_load_reply(self, loaded: Future[ModelLoaded], reply: Reply) -> None:
        with self._lock:
            if loaded is not self._loaded or loaded.done():
                return  # another model was chosen while this reply was on its way
            match reply:
                case LoadProgress():
                    self._set_status(replace(self._status, fraction=reply.fraction))
                case ModelLoaded():
                    model = self._status.model
                    self._set_status(EngineStatus(EngineState.READY, model, reply, 1.0))
                    loaded.set_result(reply)
                case Failed():
                    self._fail_load(engine_problem(reply, self._model_name()))

    def _fail_load(self, problem: EnvironmentProblem) -> None:
        with self._lock:
            self._set_status(EngineStatus(EngineState.FAILED, self._status.model, problem=problem))
            if not self._loaded.done():
                self._loaded.set_exception(problem)

    def _on_event(self, generation: int, event: EngineEvent) -> None:
        if isinstance(event, EngineReady):
            self._on_ready(generation, event)
            return
        with self._lock:
            if generation != self._generation:
                return
            ended = isinstance(event, TERMINAL_EVENTS)
            on_reply = (
                self._pending.pop(event.request_id, None)
                if ended
                else self._pending.get(event.request_id)
            )
        if on_reply:
            on_reply(event)
        elif isinstance(event, Failed):
            _log.error("the engine reports %s: %s", event.code, event.detail)

    def _on_ready(self, generation: int, event: EngineReady) -> None:
        with self._lock:
            if generation != self._generation:
                return
            if event.protocol == PROTOCOL_VERSION:
                self._ready.set_result(event)
            else:
                problem = EngineProblem(
                    tr("The engine is of another version than the app."),
                    tr("Install ChatDesk again."),
                )
                self._ready.set_exception(problem)
                self._fail_load(problem)

    def _on_exit(self, generation: int, outcome: Outcome) -> None:
        with self._lock:
            if generation != self._generation:
                return
            self._child = None
            self._generation += 1
            was_ready = self._ready.done()
            problem = EngineProblem(
                tr("The engine stopped unexpectedly ({how}).", how=outcome.state_str()),
                tr("What was written is kept. Try again."),
            )
            if not was_ready:
                self._ready.set_exception(problem)
            now = time.monotonic()
            self._crashes.append(now)
            again = (
                self._wanted is not None
                and was_ready
                and self._status.state is EngineState.READY
                and not self._crashes_too_often(now)
            )
            # Loading begins before anyone hears of the loss: who tries again at once waits for it.
            lost, self._pending = self._pending, {}
            if again:
                self._load_wanted()
            elif self._wanted is not None:
                self._fail_load(problem)
        self._tell_lost(lost, problem)

    def _crashes_too_often(self, now: float) -> bool:
        crashes = self._crashes
        return len(crashes) == CRASHES_ALLOWED and now - crashes[0] < CRASH_WINDOW_S

    def _end_unheard(self, request_id: str, child: ChildProcess[EngineEvent]) -> None:
        with self._lock:
            if request_id not in self._pending or self._child is not child:
                return
        _log.warning("the engine did not hear a cancel; it is ended and started again")
        child.stop(0.3)

    # Requests

    def _new_id(self) -> str:
        return str(next(self._numbers))

    def _request(self, request: LoadModel | Generate | CountTokens, on_reply: OnReply) -> None:
        request_id = request.request_id
        with self._lock:
            child = self._child
            self._pending[request_id] = on_reply
        if child and child.send(request):
            return
        # If the child has just died, _on_exit tells; if that has been and gone, nobody would.
        with self._lock:
            untold = child is None and self._pending.pop(request_id, None) is not None
        if untold:
            problem = EngineProblem(tr("The engine is not running."), tr("Try again in a moment."))
            on_reply(EngineLost(request_id, problem))

    def _lose_all(self, problem: EngineProblem) -> None:
        with self._lock:
            lost, self._pending = self._pending, {}
            waited_for: tuple[Future[Any], ...] = (self._ready, self._loaded)
            for future in waited_for:
                if not future.done():
                    future.set_exception(problem)
        self._tell_lost(lost, problem)

    @staticmethod
    def _tell_lost(lost: Mapping[str, OnReply], problem: EngineProblem) -> None:
        for request_id, on_reply in lost.items():
            on_reply(EngineLost(request_id, problem))

    def _set_status(self, status: EngineStatus) -> None:
        self._status = status
        self._publish(EngineChanged(status))

    def _model_name(self) -> str:
        model = self._status.model
        return model.header.name if model else ""

    @staticmethod
    def _result(future: Future[_T], timeout_s: float | None) -> _T:
        try:
            return future.result(timeout_s)
        except TimeoutError:
            raise EngineProblem(
                tr("The engine does not answer."), tr("Choose the model again to restart it.")
            ) from None
