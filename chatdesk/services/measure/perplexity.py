"""Measurements of a loaded model: its speed, and its perplexity on a text."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import (
    Finished,
    Generate,
    PromptMessage,
    Score,
    Scored,
    ScoreSequence,
    TextTokenized,
    TokenizeText,
)
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.requests import ask
from chatdesk.services.measure.statistics import mean

CHUNK = 512  # tokens; the second half is scored, as in llama.cpp's own perplexity tool
QUESTION = "Tell me a long story about a sailor and the sea."
ANSWER_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Perplexity:
    """exp of the mean negative log-probability of `scored` of the text's `tokens`."""

    model: str
    perplexity: float
    tokens: int
    scored: int


def measure_perplexity(
    engine: Engine, model: str, text: str, on_progress: Callable[[float], None]
) -> Perplexity:
    """Return the perplexity of a text under the loaded model; `model` is its id.

    The text is cut into chunks of `CHUNK` tokens, each with the model's beginning token; the second
    half of each is scored given the first. Raises `EnvironmentProblem`.
    """
    chunk = min(CHUNK, engine.wait_loaded().context_window)
    found = ask(engine, TokenizeText(engine.new_id(), text), TextTokenized, on_progress)
    sequences = _sequences(found, chunk)
    if not sequences:
        raise EnvironmentProblem(
            tr("The text is too short to measure."), tr("Take a text of some hundred words.")
        )
    scored = ask(engine, Score(engine.new_id(), sequences), Scored, on_progress)
    values = [value for sequence in scored.logprobs for value in sequence]
    return Perplexity(
        model=model,
        perplexity=math.exp(-mean(values)),
        tokens=len(found.tokens),
        scored=len(values),
    )


def measure_speed(engine: Engine) -> float:
    """Return the tokens per second of a short greedy answer; 0 when it is too short to measure.

    Without speculation, so that models are compared by their own computation. Raises
    `EnvironmentProblem`.
    """
    sampling = SamplingParams(temperature=0.0, max_tokens=ANSWER_TOKENS)
    messages = (PromptMessage("user", QUESTION),)
    request = Generate(engine.new_id(), messages, sampling, speculate=False)
    return ask(engine, request, Finished).stats.tokens_per_s or 0.0


def _sequences(found: TextTokenized, size: int) -> tuple[ScoreSequence, ...]:
    """Return chunks of that size and a last one; each has at least one given token."""
    begin = () if found.bos is None else (found.bos,)
    room = size - len(begin)
    sequences = []
    for start in range(0, len(found.tokens), room):
        chunk = (*begin, *found.tokens[start : start + room])
        half = size // 2 if len(chunk) == size else max(1, len(chunk) // 2)
        if len(chunk) > half:
            sequences.append(ScoreSequence(chunk[:half], chunk[half:]))
    return tuple(sequences)
