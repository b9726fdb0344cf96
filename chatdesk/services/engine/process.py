"""The engine's child process and the requests in flight in it; nothing of models.

A request gets its events on the process's reader thread and ends in exactly one terminal event, or
in `EngineLost` when the process went away under it.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import get_args

from chatdesk.core.errors import EngineProblem
from chatdesk.core.generation import (
    EngineEvent,
    Failed,
    Generate,
)
from chatdesk.core.i18n import tr
from chatdesk.core.loading import EngineReady
from chatdesk.core.protocol import Cancel, Request, Shutdown, Terminal
from chatdesk.services.engine.activity import Answering
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec
from chatdesk.workers.process import ChildProcess, Outcome

_log = logging.getLogger(__name__)

CANCEL_GRACE_S = 3.0  # the abort callback answers in milliseconds; then the process is ended
STOP_GRACE_S = 0.3  # between closing its input, terminating and killing it


@dataclass(frozen=True, slots=True)
class EngineLost(Terminal):
    """The process ended before the request did. No child sends this."""

    problem: EngineProblem


Reply = EngineEvent | EngineLost
OnReply = Callable[[Reply], None]


class EngineProcess:
    """One child process at a time, started by `command`, and who waits for what from it.

    `on_use` is called at every request and every reply, `on_misfit` when the child speaks another
    protocol. `on_crash` is called when the child ended by itself; it may start the next one, and
    says what the requests that were lost are told.

    The child and what is in flight change only under `lock`, which is reentrant: who decides by
    them holds it until the decision is carried out. All three callbacks are called under it.
    Requests are sent and replies told without it, as a child may be deaf and a listener slow.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        on_use: Callable[[], None],
        on_misfit: Callable[[EngineProblem], None],
        on_crash: Callable[[Outcome], EngineProblem],
    ) -> None:
        self.lock = threading.RLock()
        self.answering = Answering()
        self.ready: Future[EngineReady] = Future()  # of the child that was started last
        self._command = list(command)
        self._on_use = on_use
        self._on_misfit = on_misfit
        self._on_crash = on_crash
        self._codec: Codec[EngineEvent] = Codec(get_args(EngineEvent))
        self._numbers = itertools.count(1)
        self._child: ChildProcess[EngineEvent] | None = None
        self._generation = 0  # of children: a late event of an old one is ignored
        self._pending: dict[str, OnReply] = {}
        self._gone = threading.Event()  # unset while a child that was let go of is ending
        self._gone.set()

    @property
    def pid(self) -> int | None:
        """The child's process id, or None when none runs."""
        child = self._child
        return child.pid if child else None

    @property
    def busy(self) -> bool:
        """Whether any request has not ended yet."""
        return bool(self._pending)

    def new_id(self) -> str:
        """A fresh id for a request."""
        return str(next(self._numbers))

    def start(self) -> Future[EngineReady]:
        """Start the child unless it runs; what it finds on this machine. Raises `EngineProblem`."""
        with self.lock:
            if self._child is None:
                self._gone.wait()  # two of them need twice the memory
                self._generation += 1
                self.ready = Future()
                self._child = self._new_child(self._generation)
            return self.ready

    def release(self, keeping_s: float) -> Callable[[], None]:
        """Let go of the child, so that its end is not taken for a crash; what ends it.

        That must be called, is best called without the lock, and returns when no child is left.
        The child has `keeping_s` seconds to keep its sessions first; 0 when there are none.
        """
        with self.lock:
            child, self._child = self._child, None
            self._generation += 1
            if child:
                self._gone.clear()

        def end() -> None:
            if child:
                try:
                    farewell = Shutdown() if keeping_s else None
                    child.stop(STOP_GRACE_S, farewell=farewell, farewell_s=keeping_s)
                finally:
                    self._gone.set()
            self._gone.wait()  # for one that was let go before

        return end

    def lose_all(self, problem: EngineProblem) -> None:
        """Tell everybody who still waits for the child that it is in vain, and why."""
        with self.lock:
            lost, self._pending = self._pending, {}
            if not self.ready.done():
                self.ready.set_exception(problem)
        _tell_lost(lost, problem)

    def enter(self, request: Request, on_reply: OnReply) -> Callable[[], None]:
        """Take a request down as in flight; what sends it, or says that there is no child.

        That must be called, and without the lock.
        """
        if isinstance(request, Generate) and not request.background:
            on_reply = self._watched(request.request_id, on_reply)
        with self.lock:
            self._on_use()
            child = self._child
            if child:
                self._pending[request.request_id] = on_reply

        def send() -> None:
            if child:
                child.send(request)  # if it has just died, _on_exit tells
                return
            problem = EngineProblem(tr("The engine is not running."), tr("Try again in a moment."))
            on_reply(EngineLost(request.request_id, problem))

        return send

    def cancel(self, request_id: str) -> None:
        """Stop a request: by message first, by ending the process if that is not heard."""
        with self.lock:
            if request_id not in self._pending or self._child is None:
                return
            child = self._child
        timer = threading.Timer(CANCEL_GRACE_S, self._end_unheard, (request_id, child))
        timer.daemon = True
        timer.start()
        child.send(Cancel(request_id))

    def _end_unheard(self, request_id: str, child: ChildProcess[EngineEvent]) -> None:
        with self.lock:
            if request_id not in self._pending or self._child is not child:
                return
        _log.warning("the engine did not hear a cancel; it is ended and started again")
        child.stop(STOP_GRACE_S)

    def _watched(self, request_id: str, on_reply: OnReply) -> OnReply:
        """`on_reply` for an answer that somebody waits for."""

        def watched(reply: Reply) -> None:
            if isinstance(reply, Terminal):
                self.answering.end(request_id)
            on_reply(reply)

        self.answering.begin(request_id)
        return watched

    def _new_child(self, generation: int) -> ChildProcess[EngineEvent]:
        try:
            return ChildProcess(
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

    def _on_event(self, generation: int, event: EngineEvent) -> None:
        with self.lock:
            if generation != self._generation:
                return
            if isinstance(event, EngineReady):
                self._on_ready(event)
                return
            self._on_use()
            if isinstance(event, Terminal):
                on_reply = self._pending.pop(event.request_id, None)
            else:
                on_reply = self._pending.get(event.request_id)
        if on_reply:
            on_reply(event)
        elif isinstance(event, Failed):
            _log.error("the engine reports %s: %s", event.code, event.detail)

    def _on_ready(self, event: EngineReady) -> None:
        if event.protocol == PROTOCOL_VERSION:
            self.ready.set_result(event)
            return
        problem = EngineProblem(
            tr("The engine is of another version than the app."), tr("Install ChatDesk again.")
        )
        self.ready.set_exception(problem)
        self._on_misfit(problem)

    def _on_exit(self, generation: int, outcome: Outcome) -> None:
        with self.lock:
            if generation != self._generation:
                return
            self._child = None
            self._generation += 1
            ready = self.ready
            lost, self._pending = self._pending, {}
            # The next one is started before anyone hears of the loss: who tries again waits for it.
            problem = self._on_crash(outcome)
            if not ready.done():
                ready.set_exception(problem)
        _tell_lost(lost, problem)


def _tell_lost(lost: Mapping[str, OnReply], problem: EngineProblem) -> None:
    for request_id, on_reply in lost.items():
        on_reply(EngineLost(request_id, problem))
