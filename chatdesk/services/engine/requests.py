"""Asking the engine, and waiting for its replies."""

import queue
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from chatdesk.core.errors import EngineProblem
from chatdesk.core.generation import Cancelled, Failed
from chatdesk.core.i18n import tr
from chatdesk.core.loading import QuantizeProgress
from chatdesk.core.protocol import Request, Terminal
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.process import EngineLost, OnReply, Reply

_CHECK_EVERY_S = 0.3

_Answer = TypeVar("_Answer", bound=Terminal)


def ask_each(
    engine: Engine,
    requests: Sequence[Request],
    on_reply: Callable[[Request, Reply], None],
    *,
    at_once: int,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Send requests, at most `at_once` of them at a time, and wait until all have ended.

    `on_reply` gets each reply with its request, on the caller's thread. `check` is called after
    each reply and several times a second; it may block. An exception of either cancels what is
    running. Raises `EngineProblem` when the engine goes away or a request is cancelled.
    """
    replies: queue.SimpleQueue[tuple[Request, Reply]] = queue.SimpleQueue()
    waiting = deque(requests)
    running: set[str] = set()
    try:
        while waiting or running:
            check()
            while waiting and len(running) < at_once:
                request = waiting.popleft()
                running.add(request.request_id)
                engine.submit(request, _labelled(request, replies.put))
            try:
                request, reply = replies.get(timeout=_CHECK_EVERY_S)
            except queue.Empty:
                continue
            if isinstance(reply, Terminal):
                running.remove(request.request_id)
            match reply:
                case EngineLost():
                    raise reply.problem
                case Cancelled():
                    raise EngineProblem(tr("The measurement was stopped."))
            on_reply(request, reply)
    except BaseException:
        for request_id in running:
            engine.cancel(request_id)
        raise


def ask_all(
    engine: Engine,
    requests: Sequence[Request],
    kind: type[_Answer],
    on_progress: Callable[[float], None] = lambda share: None,
) -> list[_Answer | Failed]:
    """Return the answers in the order of the requests, which are all sent at once.

    `on_progress` gets the share done of what the engine quantizes. Raises `EngineProblem` when the
    engine goes away.
    """
    answers: dict[str, _Answer | Failed] = {}

    def on_reply(request: Request, reply: Reply) -> None:
        if isinstance(reply, QuantizeProgress):
            on_progress(reply.fraction)
        elif isinstance(reply, (Failed, kind)):
            answers[request.request_id] = reply

    ask_each(engine, requests, on_reply, at_once=len(requests))
    return [answers[request.request_id] for request in requests]


def _labelled(request: Request, put: Callable[[tuple[Request, Reply]], None]) -> OnReply:
    return lambda reply: put((request, reply))
