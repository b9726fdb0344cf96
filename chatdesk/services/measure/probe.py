"""Requests to the engine that measure an adapter: always in the background.

So they yield to every answer that somebody waits for.
"""

import queue
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chatdesk.core.errors import EngineProblem
from chatdesk.core.generation import (
    Adapter,
    Cancelled,
    Failed,
    Finished,
    Generate,
    MessagesRendered,
    PromptMessage,
    RenderMessages,
    Score,
    Scored,
    ScoreSequence,
    TextDelta,
    ThinkingDelta,
)
from chatdesk.core.i18n import tr
from chatdesk.core.protocol import Request, Terminal
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.problems import engine_problem
from chatdesk.services.engine.process import EngineLost, OnReply, Reply

Messages = Sequence[PromptMessage]

_AT_ONCE = 2  # requests: while one is computed, the next is ready
_ANSWERS_AT_ONCE = 5  # the engine computes four of them together
_SCORED_AT_ONCE = 64  # sequences; more share their beginnings better, fewer are cancelled sooner
_LOOK_EVERY_S = 0.3
_DECODED = 2  # times the work of a token that is read

_Kind = TypeVar("_Kind", bound=Terminal)


@dataclass(frozen=True, slots=True)
class Written:
    """The model's output, thinking included: the text, and its tokens with the one that ends it.

    `prompt` are the tokens before it.
    """

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    text: str


class Probe:
    """Sends requests to the engine. Every method raises `EnvironmentProblem`.

    `check` is called before each request and during waits; it may block, and its exceptions end the
    work. `on_work` gets the work done, in units of about a token read.
    """

    def __init__(
        self, engine: Engine, check: Callable[[], None], on_work: Callable[[int], None]
    ) -> None:
        self._engine = engine
        self._check = check
        self._on_work = on_work

    def render(self, conversations: Iterable[Messages]) -> list[MessagesRendered]:
        """Return conversations as tokens, with the model's template."""
        requests = [RenderMessages(self._engine.new_id(), tuple(each)) for each in conversations]
        return self._ends(requests, MessagesRendered)

    def score(
        self, sequences: Sequence[ScoreSequence], adapters: tuple[Adapter, ...]
    ) -> list[tuple[float, ...]]:
        """Return the log-probability of each token of the continuations."""
        parts = [
            tuple(sequences[start : start + _SCORED_AT_ONCE])
            for start in range(0, len(sequences), _SCORED_AT_ONCE)
        ]
        requests = [Score(self._engine.new_id(), part, adapters) for part in parts]
        return [each for scored in self._ends(requests, Scored) for each in scored.logprobs]

    def write(
        self,
        prompts: Sequence[Messages],
        sampling: Sequence[SamplingParams],
        adapters: tuple[Adapter, ...] = (),
    ) -> list[Written]:
        """Return an answer to each prompt, with the sampling parameters at the same index."""
        requests = [
            Generate(
                self._engine.new_id(),
                tuple(messages),
                how,
                background=True,
                logprobs=0,
                adapters=adapters,
                speculate=False,
            )
            for messages, how in zip(prompts, sampling, strict=True)
        ]
        rendered = self.render(prompts)
        return [
            _written(prompt.tokens, replies)
            for prompt, replies in zip(rendered, self._ask(requests, _ANSWERS_AT_ONCE), strict=True)
        ]

    def _ends(self, requests: Sequence[Request], kind: type[_Kind]) -> list[_Kind]:
        ends = [replies[-1] for replies in self._ask(requests)]
        return [end for end in ends if isinstance(end, kind)]

    def _ask(self, requests: Sequence[Request], at_once: int = _AT_ONCE) -> list[list[Reply]]:
        """Return all replies to each of the requests."""
        replies: queue.SimpleQueue[tuple[str, Reply]] = queue.SimpleQueue()
        heard: dict[str, list[Reply]] = {each.request_id: [] for each in requests}
        waiting = deque(requests)
        running: dict[str, Request] = {}
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    self._check()
                    request = waiting.popleft()
                    running[request.request_id] = request
                    self._engine.submit(request, _labelled(request.request_id, replies.put))
                request_id, reply = self._next(replies)
                heard[request_id].append(reply)
                if isinstance(reply, Terminal):
                    self._on_work(_work(running.pop(request_id), reply))
        except BaseException:
            for request_id in running:
                self._engine.cancel(request_id)
            raise
        return list(heard.values())

    def _next(self, replies: "queue.SimpleQueue[tuple[str, Reply]]") -> tuple[str, Reply]:
        while True:
            try:
                request_id, reply = replies.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                self._check()
                continue
            match reply:
                case Failed():
                    raise engine_problem(reply, "")
                case EngineLost():
                    raise reply.problem
                case Cancelled():
                    raise EngineProblem(tr("The measurement was stopped."))
            return request_id, reply


def _labelled(request_id: str, put: Callable[[tuple[str, Reply]], None]) -> OnReply:
    return lambda reply: put((request_id, reply))


def _work(request: Request, end: Reply) -> int:
    match request, end:
        case Score(), Scored():
            return sum(len(each.prompt) + len(each.continuation) for each in request.sequences)
        case Generate(), Finished(stats=stats):
            return stats.prompt_tokens - stats.cached_tokens + _DECODED * stats.completion_tokens
    return 0


def _written(prompt: tuple[int, ...], replies: Sequence[Reply]) -> Written:
    text = "".join(each.text for each in replies if isinstance(each, (TextDelta, ThinkingDelta)))
    deltas = [each for each in replies if isinstance(each, TextDelta)]
    tokens = tuple(each.token for delta in deltas for each in delta.logprobs)
    return Written(prompt, tokens, text)
