"""The perplexity of a loaded model on a text, and its speed."""

from collections.abc import Callable
from dataclasses import dataclass

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import PromptMessage, ScoreSequence, TextTokenized
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.engine import Engine
from chatdesk.services.measure.probe import Probe, shares, work_of
from chatdesk.services.measure.statistics import perplexity

CHUNK = 512  # tokens; the second half is scored, as in llama.cpp's own perplexity tool
QUESTION = "Tell me a long story about a sailor and the sea."
ANSWER_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Perplexity:
    """The perplexity of `scored` of the text's `tokens`; `model` is an id."""

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
    found = Probe(engine).tokenize(text)
    sequences = _sequences(found, chunk)
    if not sequences:
        raise EnvironmentProblem(
            tr("The text is too short to measure."), tr("Take a text of some hundred words.")
        )
    probe = Probe(engine, on_work=shares(work_of(sequences), on_progress))
    values = [value for logprobs in probe.score(sequences) for value in logprobs]
    return Perplexity(model, perplexity(values), len(found.tokens), len(values))


def measure_speed(engine: Engine) -> float:
    """Return the tokens per second of a short greedy answer; 0 when it is too short to measure.

    Raises `EnvironmentProblem`.
    """
    sampling = SamplingParams(temperature=0.0, max_tokens=ANSWER_TOKENS)
    return Probe(engine).time([PromptMessage("user", QUESTION)], sampling).tokens_per_s or 0.0


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
