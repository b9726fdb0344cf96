"""One child process of the engine and the requests in flight in it; nothing of models.

A request gets its events on the process's reader thread and ends in exactly one terminal event, or
in `EngineLost` when the process ends before it.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import get_args

from chatdesk.core.errors import EngineProblem
from chatdesk.core.generation import EngineEvent, Failed
from chatdesk.core.i18n import tr
from chatdesk.core.loading import EngineReady
from chatdesk.core.protocol import Cancel, Request, Shutdown, Terminal
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
    """A running child; the constructor starts it, and it is never started again.

    `on_use` is called at every reply. `on_crash` is called when the child ends by itself; it
    returns the reason, which the lost requests get. Both are called on the reader thread. Except
    for `wait`, nothing here waits for the child. Raises `EngineProblem` when it cannot start.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        on_use: Callable[[], None],
        on_crash: Callable[["EngineProcess", Outcome], EngineProblem],
    ) -> None:
        self.ready: Future[EngineReady] = Future()
        self._on_use = on_use
        self._on_crash = on_crash
        self._lock = threading.Lock()  # held for a moment, and never while somebody is called
        self._pending: dict[str, OnReply] = {}
        self._ended_for: EngineProblem | None = None
        self._gone = threading.Event()
        try:
            self._child = ChildProcess[EngineEvent](
                command,
                Codec(get_args(EngineEvent)),
                name="engine",
                on_event=self._on_event,
                on_exit=self._on_exit,
            )
        except OSError as problem:
            raise EngineProblem(
                tr("The engine could not be started: {reason}.", reason=problem.strerror),
                tr("Install ChatDesk again if this stays so."),
            ) from problem

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def busy(self) -> bool:
        """True while a request has not ended."""
        return bool(self._pending)

    def submit(self, request: Request, on_reply: OnReply) -> None:
        """Send a request; `on_reply` gets what the child says about it."""
        with self._lock:
            self._pending[request.request_id] = on_reply
        self._child.send(request)

    def cancel(self, request_id: str) -> None:
        """Stop a request: by message first; if the child does not obey, end the child."""
        if request_id not in self._pending:
            return
        timer = threading.Timer(CANCEL_GRACE_S, self._end_deaf, (request_id,))
        timer.daemon = True
        timer.start()
        self._child.send(Cancel(request_id))

    def end(self, problem: EngineProblem, keeping_s: float) -> None:
        """Begin to end the child. From now on only the loss of the pending requests is reported.

        They get `problem`. The child has `keeping_s` seconds to keep its sessions; 0 if it has
        none.
        """
        with self._lock:
            self._ended_for = problem
        threading.Thread(target=self._stop, args=(keeping_s,), name="ending", daemon=True).start()

    def wait(self) -> None:
        """Wait until a child that was asked to end is gone."""
        self._gone.wait()

    def _stop(self, keeping_s: float) -> None:
        farewell = Shutdown() if keeping_s else None
        try:
            self._child.stop(STOP_GRACE_S, farewell=farewell, farewell_s=keeping_s)
        finally:
            self._gone.set()

    def _end_deaf(self, request_id: str) -> None:
        if request_id not in self._pending or self._ended_for:
            return
        _log.warning("the engine did not obey a cancel; it is ended and started again")
        self._child.stop(STOP_GRACE_S)

    def _on_event(self, event: EngineEvent) -> None:
        if isinstance(event, EngineReady):
            self._on_ready(event)
            return
        with self._lock:
            if self._ended_for:
                return
            if isinstance(event, Terminal):
                on_reply = self._pending.pop(event.request_id, None)
            else:
                on_reply = self._pending.get(event.request_id)
        self._on_use()
        if on_reply:
            on_reply(event)
        elif isinstance(event, Failed):
            _log.error("the engine reports %s: %s", event.code, event.detail)

    def _on_ready(self, event: EngineReady) -> None:
        if event.protocol == PROTOCOL_VERSION:
            self.ready.set_result(event)
            return
        problem = EngineProblem(
            tr("The engine and the app have different versions."), tr("Install ChatDesk again.")
        )
        self.ready.set_exception(problem)

    def _on_exit(self, outcome: Outcome) -> None:
        # After a crash the next child starts before anyone hears of the loss: whoever tries again
        # waits for it.
        problem = self._ended_for or self._on_crash(self, outcome)
        with self._lock:
            lost, self._pending = self._pending, {}
        with suppress(InvalidStateError):  # it was ready
            self.ready.set_exception(problem)
        for request_id, on_reply in lost.items():
            on_reply(EngineLost(request_id, problem))
