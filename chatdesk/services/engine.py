"""The engine as services see it: one child process for the model in use, kept alive.

A model that is not used for a while is unloaded by ending the process, which gives its memory back
for certain; the next request starts it again. Requests may come from any thread. Each gets its
events on the engine's reader thread and ends in exactly one terminal event, or in `EngineLost` when
the process went away under it.
"""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.generation import (
    TERMINAL_EVENTS,
    Adapter,
    Cancel,
    CountTokens,
    Embed,
    EngineEvent,
    Failed,
    ForgetSession,
    Generate,
    KeepSessions,
    PromptMessage,
    RenderMessages,
    RestoreSession,
    Score,
    Shutdown,
    TokenizeText,
    TokensCounted,
)
from chatdesk.core.i18n import tr
from chatdesk.core.loading import (
    Device,
    EngineReady,
    LoadModel,
    LoadOptions,
    LoadProgress,
    ModelLoaded,
    Quantize,
)
from chatdesk.core.models import ModelFile
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.answering import Answering
from chatdesk.services.facts import EngineChanged, EngineState, EngineStatus, Publish
from chatdesk.services.idle import IdleWatch
from chatdesk.services.problems import engine_problem, out_of_memory
from chatdesk.services.threads import MeasuredThreads
from chatdesk.workers.process import ChildProcess, Outcome, worker_command
from chatdesk.workers.protocol import PROTOCOL_VERSION, Codec

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

READY_TIMEOUT_S = 60.0  # a cold disk and a large CUDA library; normally 0.4 s
CANCEL_GRACE_S = 3.0  # the abort callback answers in milliseconds; then the process is ended
KEEPING_S = 5.0  # for the engine to keep its sessions on disk before it ends
CLOSING_S = 3.0  # the same while the person waits for the app to close
CRASHES_ALLOWED = 3  # within CRASH_WINDOW_S; more means that starting again does not help
CRASH_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class EngineLost:
    """The process ended before the request did."""

    request_id: str
    problem: EngineProblem


Reply = EngineEvent | EngineLost
IdentifiedRequest = (
    LoadModel
    | Quantize
    | Generate
    | CountTokens
    | RenderMessages
    | TokenizeText
    | Score
    | Embed
    | KeepSessions
    | RestoreSession
    | ForgetSession
)
OnReply = Callable[[Reply], None]


class Engine:
    """Loads one model at a time and answers with it.

    `command` starts the child process; tests give a scripted one. A model not used for `idle_s()`
    seconds is unloaded (0: never). `threads` remembers what was measured.
    """

    def __init__(
        self,
        publish: Publish,
        command: Sequence[str] | None = None,
        *,
        idle_s: Callable[[], float] = lambda: 0.0,
        threads: MeasuredThreads | None = None,
    ) -> None:
        self.answering = Answering()
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
        self._wanted: tuple[ModelFile, LoadOptions] | None = None
        self._keeping: tuple[str, str, int] | None = None  # folder, model's hash, bytes
        self._threads = threads or MeasuredThreads(None)
        self._idle = IdleWatch(idle_s, self._fall_asleep)
        self._ending: threading.Thread | None = None  # what ends a process that fell asleep
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

    @property
    def devices(self) -> tuple[Device, ...]:
        """What the engine could compute on when it started last; nothing before."""
        ready = self._ready
        return ready.result().devices if ready.done() and not ready.exception() else ()

    @property
    def busy(self) -> bool:
        """Whether anything asked of the engine has not ended yet."""
        return bool(self._pending)

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> EngineReady:
        """What the engine found on this machine; starts it if need be. Raises `EngineProblem`."""
        with self._lock:
            if self._child is None:
                self._start()
            ready = self._ready
        return self._result(ready, timeout_s)

    def load(self, model: ModelFile, options: LoadOptions, *, anew: bool = False) -> None:
        """Begin to load `model`; facts tell how it goes. The model in use is unloaded first.

        Nothing happens when it is loaded or loading, unless `anew`.
        """
        with self._lock:
            before, its_options = self._wanted or (None, None)
            same = before is not None and before.id == model.id  # its hash may be known by now
            up = self._status.state in (EngineState.LOADING, EngineState.READY)
            if up and not anew and same and its_options == options:
                return
            self._crashes.clear()
            if not same:
                self._keeping = None
            self._wanted = (model, options)
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
        self._wake()
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

        self.submit(CountTokens(self.new_id(), tuple(messages)), on_reply)
        return self._result(counted, timeout_s)

    def generate(
        self,
        messages: Sequence[PromptMessage],
        sampling: SamplingParams,
        on_reply: OnReply,
        *,
        background: bool = False,
        adapters: Sequence[Adapter] = (),
        session: str | None = None,
    ) -> str:
        """Ask for an answer; the request's id. Replies come on the reader thread.

        `session` is the conversation whose KV state may be kept on disk.
        """
        request = Generate(
            self.new_id(),
            tuple(messages),
            sampling,
            background=background,
            adapters=tuple(adapters),
            session=session,
        )
        self.submit(request, on_reply)
        return request.request_id

    def keep_sessions(
        self, model: ModelFile, folder: Path | None, identity: str, limit_bytes: int
    ) -> None:
        """Have conversations with `model` kept on disk while it is in use; None keeps none.

        `identity` is the hash of its content. Nothing happens if another model is in use by now.
        """
        with self._lock:
            if self._wanted is None or self._wanted[0].id != model.id:
                return
            self._keeping = (str(folder or ""), identity, limit_bytes)
        self._tell(KeepSessions(self.new_id(), *self._keeping))

    def restore(self, session: str, adapters: Sequence[Adapter] = ()) -> None:
        """Have a conversation's KV state brought back from disk; nobody is woken for that."""
        self._tell(RestoreSession(self.new_id(), session, tuple(adapters)))

    def forget(self, session: str) -> None:
        """Have a deleted conversation dropped."""
        self._tell(ForgetSession(self.new_id(), session))

    def new_id(self) -> str:
        """A fresh id for a request."""
        return str(next(self._numbers))

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
        self._idle.stop()
        with self._lock:
            self._wanted = None
            end = self._take_child()
            ending = self._ending
        end(CLOSING_S)
        if ending:
            ending.join()
        self._lose_all(EngineProblem(tr("The app is closing.")))

    # The child process

    def _start(self) -> None:
        if self._ending:
            self._ending.join()  # two of them need twice the memory
            self._ending = None
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

    def _take_child(self) -> Callable[[float], None]:
        """Let go of the child, without its end being taken for a crash; what ends it.

        That takes how many seconds one that has a model may use to keep its sessions.
        """
        child, self._child = self._child, None
        self._generation += 1
        has_model = self._loaded.done()

        def end(keeping_s: float) -> None:
            if child and has_model:
                child.stop(0.3, farewell=Shutdown(), farewell_s=keeping_s)
            elif child:
                child.stop(0.3)

        return end

    def _stop_child(self) -> None:
        self._take_child()(KEEPING_S)  # its memory must be free before the next model is loaded
        self._lose_all(EngineProblem(tr("Another model was chosen.")))

    def _fall_asleep(self) -> bool:
        """Give the model's memory back until the next request; False if it is in use after all."""
        with self._lock:
            if self._pending or self._status.state is not EngineState.READY:
                return False
            self._set_status(replace(self._status, state=EngineState.ASLEEP))
            end = self._take_child()
            self._ending = threading.current_thread()
        end(KEEPING_S)
        return True

    def _wake(self) -> None:
        with self._lock:
            if self._wanted and self._status.state is EngineState.ASLEEP:
                self._load_wanted()

    def _load_wanted(self, after: EngineProblem | None = None) -> None:
        """Load the model that is wanted; `after` is the crash that made it necessary."""
        assert self._wanted
        model, options = self._wanted
        loaded: Future[ModelLoaded] = Future()
        self._loaded = loaded
        self._set_status(EngineStatus(EngineState.LOADING, model, problem=after))
        try:
            if self._child is None:
                self._start()
        except EngineProblem as problem:
            self._fail_load(problem)
            return
        options = replace(options, threads=options.threads or self._threads.get(model.id))
        request = LoadModel(self.new_id(), model.path, options)
        self.submit(request, lambda reply: self._on_load_reply(loaded, reply))
        if self._keeping:
            self._tell(KeepSessions(self.new_id(), *self._keeping))

    def _on_load_reply(self, loaded: Future[ModelLoaded], reply: Reply) -> None:
        with self._lock:
            if loaded is not self._loaded or loaded.done():
                return  # another model was chosen while this reply was on its way
            match reply:
                case LoadProgress():
                    self._set_status(replace(self._status, fraction=reply.fraction))
                case ModelLoaded():
                    model = self._status.model
                    if model and reply.threads_measured:
                        self._threads.put(model.id, reply.threads)
                    self._set_status(EngineStatus(EngineState.READY, model, reply, 1.0))
                    loaded.set_result(reply)
                    self._idle.start()
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
            self._idle.touch()
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
            problem = self._crash_problem(outcome)
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
                self._load_wanted(problem)
            elif self._wanted is not None:
                self._fail_load(problem)
        self._tell_lost(lost, problem)

    def _crash_problem(self, outcome: Outcome) -> EngineProblem:
        if self._wanted and outcome.was_killed_from_outside():
            loaded = self._status.loaded
            return out_of_memory(self._wanted[1], loaded.context_window if loaded else None)
        what = tr("The engine stopped unexpectedly ({how}).", how=outcome.state_str())
        if self._wanted and self._wanted[1].remote:  # llama.cpp ends the process when one goes
            what = tr("The engine stopped, most likely because another computer went away.")
        return EngineProblem(what, tr("What was written is kept. Try again."))

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

    def submit(self, request: IdentifiedRequest, on_reply: OnReply) -> None:
        """Send any request to the model, which is woken if need be, and waits while it is loading.

        Replies come on the reader thread. The last one is a terminal event, or `EngineLost`.
        """
        self._wake()
        self._idle.touch()
        request_id = request.request_id
        if isinstance(request, Generate) and not request.background:
            on_reply = self._watched(request_id, on_reply)
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

    def _watched(self, request_id: str, on_reply: OnReply) -> OnReply:
        """`on_reply` for an answer that somebody waits for."""

        def watched(reply: Reply) -> None:
            if isinstance(reply, (*TERMINAL_EVENTS, EngineLost)):
                self.answering.end(request_id)
            on_reply(reply)

        self.answering.begin(request_id)
        return watched

    def _tell(self, request: KeepSessions | RestoreSession | ForgetSession) -> None:
        """Send what nobody waits for, if the engine is up or coming."""

        def on_reply(reply: Reply) -> None:
            if isinstance(reply, Failed):
                _log.warning("%s: %s %s", type(request).__name__, reply.code, reply.detail)

        if self._status.state in (EngineState.LOADING, EngineState.READY):
            self.submit(request, on_reply)

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
