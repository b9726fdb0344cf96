"""Asking the engine and waiting for what it says."""

import queue
from collections.abc import Callable, Sequence
from typing import TypeVar

from chatdesk.core.errors import EngineProblem
from chatdesk.core.generation import (
    Cancelled,
    Failed,
    PromptProgress,
)
from chatdesk.core.i18n import tr
from chatdesk.core.loading import QuantizeProgress
from chatdesk.core.protocol import Request, Terminal
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.problems import engine_problem
from chatdesk.services.engine.process import EngineLost, Reply

_Answer = TypeVar("_Answer", bound=Terminal)


def ask(
    engine: Engine,
    request: Request,
    kind: type[_Answer],
    on_progress: Callable[[float], None] = lambda share: None,
) -> _Answer:
    """The answer to a request, which is of this kind. Raises `EnvironmentProblem`."""
    (answer,) = ask_all(engine, [request], kind, on_progress)
    if isinstance(answer, Failed):
        model = engine.status.model
        raise engine_problem(answer, model.header.name if model else "")
    return answer


def ask_all(
    engine: Engine,
    requests: Sequence[Request],
    kind: type[_Answer],
    on_progress: Callable[[float], None] = lambda share: None,
) -> list[_Answer | Failed]:
    """The answers in the order of the requests; none waits for the one before.

    `on_progress` hears of the one that is computed. Raises `EngineProblem` when the engine goes
    away.
    """
    replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
    for request in requests:
        engine.submit(request, replies.put)
    answers: dict[str, _Answer | Failed] = {}
    while len(answers) < len(requests):
        match reply := replies.get():
            case PromptProgress(done=done, total=total):
                on_progress(done / total)
            case QuantizeProgress(fraction=fraction):
                on_progress(fraction)
            case Failed():
                answers[reply.request_id] = reply
            case EngineLost():
                raise reply.problem
            case Cancelled():
                raise EngineProblem(tr("The measurement was stopped."))
            case _ if isinstance(reply, kind):
                answers[reply.request_id] = reply
    return [answers[request.request_id] for request in requests]
