"""The speed of a chat while a run is training, compared with a chat alone."""

import queue
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.generation import Finished, PromptMessage, TextDelta
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import AdapterState, TrainingConfig
from chatdesk.core.protocol import Terminal
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.settings import Settings
from chatdesk.services.app import App, build
from chatdesk.services.engine.process import Reply

ROUNDS = 7
TOKENS = 160  # of an answer
PATIENCE_S = 300.0
NEVER_END = ((2, -100.0), (0, -100.0))  # the starter's tokens that end an answer


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as the one who asked saw it."""

    first_token_s: float
    decode_tps: float


def chat_beside_training(paths: AppPaths, dataset: Path) -> dict[str, float]:
    """Ask before, during and after a run, which is cancelled; the figures."""
    settings = Settings()
    services = build(paths, lambda fact: None, lambda: settings)
    try:
        model = services.load_default_model()
        assert model
        services.engine.wait_loaded()
        _ask(services, "warm-up")
        alone = [_ask(services, f"before {n}") for n in range(ROUNDS)]
        preview = services.personalize.preview(model, conversations=(), files=[dataset])
        run = services.personalize.start(preview, TrainingConfig(epochs=50))
        beside = []
        for n in range(ROUNDS):
            _wait_for_training(services)
            beside.append(_ask(services, f"during {n}"))
        services.personalize.cancel(run.id)
        services.personalize.wait(run.id, lambda progress: None)
        alone += [_ask(services, f"after {n}") for n in range(ROUNDS)]
    finally:
        services.close()
    return {
        "chat_decode_share": _median_tps(beside) / _median_tps(alone),
        "first_token_extra_s": _median_first(beside) - _median_first(alone),
    }


def _median_tps(answers: list[Answered]) -> float:
    return statistics.median(answer.decode_tps for answer in answers)


def _median_first(answers: list[Answered]) -> float:
    return statistics.median(answer.first_token_s for answer in answers)


def _wait_for_training(services: App) -> None:
    """Return in the middle of the training: it has come further since."""
    begun = services.personalize.progress
    deadline = time.monotonic() + PATIENCE_S
    while True:
        now = services.personalize.progress
        assert begun and now and now.state is not AdapterState.MEASURING, "the run has ended"
        is_on = now.state is AdapterState.TRAINING and not now.waiting
        if is_on and now.tokens_per_s and now.share > begun.share:
            return
        assert time.monotonic() < deadline, "the run does not come further"
        time.sleep(0.05)


def _ask(services: App, name: str) -> Answered:
    """Ask something that is in no cache."""
    replies: queue.SimpleQueue[tuple[float, Reply]] = queue.SimpleQueue()
    question = PromptMessage("user", f"Story {name}: tell me about a map in an old library.")
    sampling = SamplingParams(seed=1, max_tokens=TOKENS, logit_bias=NEVER_END)
    begun = time.perf_counter()
    services.engine.generate(
        [question], sampling, lambda reply: replies.put((time.perf_counter(), reply))
    )
    first = 0.0
    while True:
        moment, reply = replies.get(timeout=PATIENCE_S)
        if isinstance(reply, TextDelta):
            first = first or moment
        elif isinstance(reply, Terminal):
            assert isinstance(reply, Finished), reply
            tokens = reply.stats.completion_tokens
            return Answered(first - begun, (tokens - 1) / (moment - first))
