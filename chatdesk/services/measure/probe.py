"""Requests to the engine that measure the loaded model, with or without adapters.

They are background work, which yields to every answer that somebody waits for; only a measurement
of the speed is not.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chatdesk.core.generation import (
    Adapter,
    Failed,
    Finished,
    Generate,
    GenerationStats,
    MessagesRendered,
    PromptMessage,
    PromptProgress,
    RenderMessages,
    Score,
    Scored,
    ScoreSequence,
    TextDelta,
    TextTokenized,
    ThinkingDelta,
    TokenizeText,
)
from chatdesk.core.protocol import Request, Terminal
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.problems import engine_problem
from chatdesk.services.engine.process import Reply
from chatdesk.services.engine.requests import ask_each

Messages = Sequence[PromptMessage]
Adapters = tuple[Adapter, ...]

_AT_ONCE = 2  # requests: while one is computed, the next is ready
_ANSWERS_AT_ONCE = 5  # the engine computes four of them together
_SCORED_AT_ONCE = 64  # sequences; more share their beginnings better, fewer are cancelled sooner
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

    `check` is called between replies and several times a second; it may block, and its exceptions
    end the work. `on_work` gets the work done, in units of about a token read: of a score it is
    `work_of` its sequences.
    """

    def __init__(
        self,
        engine: Engine,
        check: Callable[[], None] = lambda: None,
        on_work: Callable[[int], None] = lambda work: None,
    ) -> None:
        self._engine = engine
        self._check = check
        self._on_work = on_work

    def tokenize(self, text: str) -> TextTokenized:
        """Return a plain text as tokens."""
        (found,) = self._ends([TokenizeText(self._engine.new_id(), text)], TextTokenized)
        return found

    def render(self, conversations: Iterable[Messages]) -> list[MessagesRendered]:
        """Return conversations as tokens, with the model's template."""
        requests = [RenderMessages(self._engine.new_id(), tuple(each)) for each in conversations]
        return self._ends(requests, MessagesRendered)

    def score(
        self, sequences: Sequence[ScoreSequence], adapters: Adapters = ()
    ) -> list[tuple[float, ...]]:
        """Return the natural log-probability of each token of the continuations."""
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
        adapters: Adapters = (),
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

    def time(
        self, prompt: Messages, sampling: SamplingParams, adapters: Adapters = ()
    ) -> GenerationStats:
        """Return the cost of an answer, without speculation: it is the model's own computation."""
        request = Generate(
            self._engine.new_id(), tuple(prompt), sampling, adapters=adapters, speculate=False
        )
        (end,) = self._ends([request], Finished)
        return end.stats

    def _ends(self, requests: Sequence[Request], kind: type[_Kind]) -> list[_Kind]:
        ends = [replies[-1] for replies in self._ask(requests)]
        return [end for end in ends if isinstance(end, kind)]

    def _ask(self, requests: Sequence[Request], at_once: int = _AT_ONCE) -> list[list[Reply]]:
        """Return all replies to each of the requests."""
        heard: dict[str, list[Reply]] = {each.request_id: [] for each in requests}
        done: Counter[str] = Counter()

        def on_reply(request: Request, reply: Reply) -> None:
            if isinstance(reply, Failed):
                model = self._engine.status.model
                raise engine_problem(reply, model.header.name if model else "")
            heard[request.request_id].append(reply)
            if (work := _work(request, reply) - done[request.request_id]) > 0:
                done[request.request_id] += work
                self._on_work(work)

        ask_each(self._engine, requests, on_reply, at_once=at_once, check=self._check)
        return list(heard.values())


def work_of(sequences: Sequence[ScoreSequence]) -> int:
    """Return the tokens to read for the scores of these sequences."""
    return sum(len(each.prompt) + len(each.continuation) for each in sequences)


def shares(work: int, on_share: Callable[[float], None]) -> Callable[[int], None]:
    """Return a listener for the work of a probe, of about so much in total.

    `on_share` gets the share done, from 0 to 1.
    """
    total = 0

    def on_work(amount: int) -> None:
        nonlocal total
        total += amount
        on_share(min(1.0, total / work))

    return on_work


def _work(request: Request, reply: Reply) -> int:
    """Return the work done for a request at this reply."""
    match request, reply:
        case Score(), PromptProgress(done=done, total=total):
            return work_of(request.sequences) * done // total
        case Score(), Scored():
            return work_of(request.sequences)
        case Generate(), Finished(stats=stats):
            return stats.prompt_tokens - stats.cached_tokens + _DECODED * stats.completion_tokens
    return 0


def _written(prompt: tuple[int, ...], replies: Sequence[Reply]) -> Written:
    text = "".join(each.text for each in replies if isinstance(each, (TextDelta, ThinkingDelta)))
    deltas = [each for each in replies if isinstance(each, TextDelta)]
    tokens = tuple(each.token for delta in deltas for each in delta.logprobs)
    return Written(prompt, tokens, text)
