"""Answers in progress that somebody waits for."""

import threading
from collections.abc import Callable

from chatdesk.core.generation import Generate
from chatdesk.core.protocol import Request, Terminal
from chatdesk.services.engine.process import OnReply, Reply


class Answering:
    """Counts such answers, and calls its listeners when the first begins and the last has ended.

    Used from any thread; listeners are called on the thread of the change, and must be quick.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._listeners: list[Callable[[bool], None]] = []

    def __bool__(self) -> bool:
        return bool(self._running)

    def listen(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call `listener` now and on every change with the state; return a function to stop it."""
        self._listeners.append(listener)
        listener(bool(self))
        return lambda: self._listeners.remove(listener)

    def watched(self, request: Request, on_reply: OnReply) -> OnReply:
        """Return `on_reply`, counted until the last reply if somebody waits for this answer."""
        if not isinstance(request, Generate) or request.background:
            return on_reply

        def on_watched_reply(reply: Reply) -> None:
            if isinstance(reply, Terminal):
                self.end(request.request_id)
            on_reply(reply)

        self.begin(request.request_id)
        return on_watched_reply

    def begin(self, request_id: str) -> None:
        """Count an answer that was asked for."""
        with self._lock:
            self._running.add(request_id)
            first = len(self._running) == 1
        if first:
            self._notify(True)

    def end(self, request_id: str) -> None:
        """Count an answer that has ended, in whatever way."""
        with self._lock:
            known = request_id in self._running
            self._running.discard(request_id)
            last = known and not self._running
        if last:
            self._notify(False)

    def _notify(self, now: bool) -> None:
        for listener in tuple(self._listeners):
            listener(now)
