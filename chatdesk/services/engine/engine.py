"""The engine for services: the model in use, kept ready to answer.

A model that is not used for a while is unloaded by ending its process, which reliably frees its
memory; the next request loads it again. After a crash it is loaded again at once, unless that does
not help. Requests may come from any thread.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.generation import (
    Adapter,
    CountTokens,
    Failed,
    ForgetSession,
    Generate,
    KeepSessions,
    PromptMessage,
    RestoreSession,
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
)
from chatdesk.core.models import ModelFile
from chatdesk.core.protocol import Request
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.activity import Answering
from chatdesk.services.engine.crashes import (
    CrashCount,
    HarmfulLoads,
    crash_problem,
    harmful,
    is_fault,
)
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.services.engine.idle import IdleWatch
from chatdesk.services.engine.problems import engine_problem
from chatdesk.services.engine.process import (
    EngineLost,
    EngineProcess,
    OnReply,
    Reply,
)
from chatdesk.services.engine.thread_counts import MeasuredThreads
from chatdesk.services.facts import Publish
from chatdesk.workers.process import Outcome, worker_command

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

READY_TIMEOUT_S = 60.0  # for a cold disk and a large CUDA library; normally 0.4 s
KEEPING_S = 5.0  # for the engine to save its sessions before it ends
CLOSING_S = 3.0  # the same while the user waits for the app to close


class Engine:
    """Loads one model at a time and answers with it.

    `command` starts the child process; tests use a scripted one. A model not used for `idle_s()`
    seconds is unloaded (0: never). `threads` saves the measured thread counts.
    """

    def __init__(
        self,
        publish: Publish,
        command: Sequence[str] | None = None,
        *,
        idle_s: Callable[[], float] = lambda: 0.0,
        threads: MeasuredThreads | None = None,
    ) -> None:
        self._publish = publish
        self._loaded: Future[ModelLoaded] = Future()
        self._wanted: tuple[ModelFile, LoadOptions] | None = None
        self._keeping: tuple[str, str, int] | None = None  # folder, model's hash, bytes
        self._threads = threads or MeasuredThreads(None)
        self._idle = IdleWatch(idle_s, self.fall_asleep)
        self._command = command or worker_command("engine")
        self._lock = threading.RLock()  # held from a decision until it is carried out
        self._process: EngineProcess | None = None  # the running one
        self._last: EngineProcess | None = None  # the last one that was ended
        self._ready: Future[EngineReady] = Future()  # of the last process that was started
        self._numbers = itertools.count(1)
        self.answering = Answering()
        self._crashes = CrashCount()
        self._harmful = HarmfulLoads()
        self._status = EngineStatus(EngineState.OFF)

    @property
    def status(self) -> EngineStatus:
        """The state of the engine."""
        return self._status

    @property
    def process_id(self) -> int | None:
        """The child's process id, or None when none runs."""
        process = self._process
        return process.pid if process else None

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices at the engine's last start; empty before."""
        ready = self._ready
        return ready.result().devices if ready.done() and not ready.exception() else ()

    @property
    def busy(self) -> bool:
        """True while a request to the engine has not ended."""
        process = self._process
        return process is not None and process.busy

    @property
    def options(self) -> LoadOptions | None:
        """The options of the loaded model; None while there is none."""
        return self._wanted[1] if self._wanted else None

    @property
    def idle_left_s(self) -> float:
        """The seconds until the model is unloaded, if nobody uses it; infinite for never."""
        return self._idle.left_s

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> EngineReady:
        """Return what the engine found on this machine; start it if necessary.

        Raises `EngineProblem`.
        """
        return self._result(self._start().ready, timeout_s)

    def load(self, model: ModelFile, options: LoadOptions, *, anew: bool = False) -> None:
        """Begin to load `model`; facts report the progress. The model in use is unloaded first.

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
                self._end(EngineProblem(tr("Another model was chosen.")), KEEPING_S)
            self._load_wanted()

    def reload(self) -> None:
        """Load the chosen model again after a failure; nothing when it is loaded or loading."""
        with self._lock:
            if self._wanted and self._status.state in (EngineState.FAILED, EngineState.OFF):
                self.load(*self._wanted)

    def wait_loaded(self, timeout_s: float | None = None) -> ModelLoaded:
        """Return the loaded model; wait while it is loading. Raises `EnvironmentProblem`."""
        self._wake()
        with self._lock:
            if self._wanted is None:
                raise EngineProblem(
                    tr("No model is chosen."), tr("Choose a model, or add a GGUF file.")
                )
            loaded = self._loaded
        return self._result(loaded, timeout_s)

    def count(self, messages: Sequence[PromptMessage], timeout_s: float = 30.0) -> TokensCounted:
        """Return how many tokens these messages are as a prompt. Raises `EnvironmentProblem`."""
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
        """Ask for an answer; return the request's id. Replies come on the reader thread.

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

    def submit(self, request: Request, on_reply: OnReply) -> None:
        """Send any request to the model; load it if necessary, and wait while it is loading.

        Replies come on the reader thread. The last one is a terminal event, or `EngineLost`.
        """
        with self._lock:  # in one step, or it could fall asleep in between
            self._wake()
            if self._process:
                self._idle.touch()
                self._process.submit(request, self.answering.watched(request, on_reply))
                return
        problem = EngineProblem(tr("The engine is not running."), tr("Try again in a moment."))
        on_reply(EngineLost(request.request_id, problem))

    def keep_sessions(
        self, model: ModelFile, folder: Path | None, identity: str, limit_bytes: int
    ) -> None:
        """Keep conversations with `model` on disk while it is in use; None keeps none.

        `identity` is the hash of its content. Nothing happens if another model is in use by now.
        """
        with self._lock:
            if self._wanted is None or self._wanted[0].id != model.id:
                return
            self._keeping = (str(folder or ""), identity, limit_bytes)
        self._send_if_up(KeepSessions(self.new_id(), *self._keeping))

    def restore(self, session: str, adapters: Sequence[Adapter] = ()) -> None:
        """Load a conversation's KV state from disk; an unloaded model stays unloaded."""
        self._send_if_up(RestoreSession(self.new_id(), session, tuple(adapters)))

    def forget(self, session: str) -> None:
        """Drop a deleted conversation."""
        self._send_if_up(ForgetSession(self.new_id(), session))

    def new_id(self) -> str:
        """Return a new id for a request."""
        return str(next(self._numbers))

    def cancel(self, request_id: str) -> None:
        """Stop a request: by message first, by ending the process if that has no effect."""
        process = self._process
        if process:
            process.cancel(request_id)

    def fall_asleep(self) -> bool:
        """Unload the model until the next request; False if it is in use after all."""
        with self._lock:
            if self.busy or self._status.state is not EngineState.READY:
                return False
            self._end(EngineProblem(tr("The engine is not running.")), KEEPING_S)
            self._set_status(replace(self._status, state=EngineState.ASLEEP))
        return True

    def close(self) -> None:
        """End the process; open requests are lost."""
        self._idle.stop()
        with self._lock:
            self._wanted = None
            self._end(EngineProblem(tr("The app is closing.")), CLOSING_S)
            last = self._last
        if last:
            last.wait()

    def _start(self) -> EngineProcess:
        """Return the running process; start one if there is none. Raises `EngineProblem`."""
        with self._lock:
            if self._process is None:
                if self._last:
                    self._last.wait()  # two of them need twice the memory
                self._process = process = EngineProcess(
                    self._command, on_use=self._idle.touch, on_crash=self._on_crash
                )
                self._ready = process.ready
                self._ready.add_done_callback(lambda ready: self._on_ready(process, ready))
            return self._process

    def _end(self, problem: EngineProblem, keeping_s: float) -> None:
        """End the process, if one runs; open requests get `problem`.

        A process with a model may use `keeping_s` seconds to save its sessions.
        """
        if self._process:
            self._process.end(problem, keeping_s if self._loaded.done() else 0.0)
            self._last, self._process = self._process, None
        self._lose_load(problem)

    def _wake(self) -> None:
        with self._lock:
            if self._wanted and self._status.state is EngineState.ASLEEP:
                self._load_wanted()

    def _load_wanted(self, after: EngineProblem | None = None) -> None:
        """Load the chosen model; `after` is the crash that made it necessary."""
        assert self._wanted
        model, options = self._wanted
        loaded: Future[ModelLoaded] = Future()
        self._loaded = loaded
        self._set_status(EngineStatus(EngineState.LOADING, model, problem=after))
        if self._wanted in self._harmful:
            self._fail_load(harmful(model))
            return
        try:
            self._start()
        except EngineProblem as problem:
            self._fail_load(problem)
            return
        options = replace(options, threads=options.threads or self._threads.get(model.id))
        request = LoadModel(self.new_id(), model.path, options)
        self.submit(request, lambda reply: self._on_load_reply(loaded, reply))
        if self._keeping:
            self._send_if_up(KeepSessions(self.new_id(), *self._keeping))

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
            self._lose_load(problem)

    def _lose_load(self, problem: EnvironmentProblem) -> None:
        """Report to everyone who waits for the model that it does not come."""
        if not self._loaded.done():
            self._loaded.set_exception(problem)

    def _on_ready(self, process: EngineProcess, ready: Future[EngineReady]) -> None:
        problem = ready.exception()
        with self._lock:
            if isinstance(problem, EngineProblem) and process is self._process:
                self._fail_load(problem)  # it uses another protocol

    def _on_crash(self, process: EngineProcess, outcome: Outcome) -> EngineProblem:
        """Load the model again after a crash, or give up; return the reason of the crash."""
        with self._lock:
            loaded = self._status.loaded
            options = self._wanted[1] if self._wanted else None
            problem = crash_problem(outcome, options, loaded.context_window if loaded else None)
            if process is not self._process:  # it was ended at the same moment
                return problem
            self._process = None
            too_often = self._crashes.is_one_too_many()
            if self._wanted and self._status.state is EngineState.READY and not too_often:
                self._load_wanted(problem)
            elif self._wanted:
                if self._status.state is EngineState.LOADING and is_fault(outcome):
                    self._harmful.add(*self._wanted)
                    problem = harmful(self._wanted[0])
                self._fail_load(problem)
            return problem

    def _send_if_up(self, request: KeepSessions | RestoreSession | ForgetSession) -> None:
        """Send a request without a reply, if the engine runs or starts."""

        def on_reply(reply: Reply) -> None:
            if isinstance(reply, Failed):
                _log.warning("%s: %s %s", type(request).__name__, reply.code, reply.detail)

        if self._status.state in (EngineState.LOADING, EngineState.READY):
            self.submit(request, on_reply)

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
