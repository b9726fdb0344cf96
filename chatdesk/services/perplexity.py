"""How well a model foretells a text: its perplexity, measured by the engine as it will be used."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import Score, Scored, ScoreSequence, TextTokenized, TokenizeText
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.services.app_services import build
from chatdesk.services.asking import ask

CHUNK = 512  # tokens; with its second half scored, as llama.cpp's own perplexity tool does it


@dataclass(frozen=True, slots=True)
class Perplexity:
    """exp of the mean negative log-probability of `scored` of the text's `tokens`."""

    model: str
    perplexity: float
    tokens: int
    scored: int


def measure(
    paths: AppPaths,
    settings: Settings,
    model: str,
    file: Path,
    on_progress: Callable[[float], None],
) -> Perplexity:
    """The perplexity of a text file under a model, by id or path. Raises `EnvironmentProblem`.

    The text is cut into chunks of `CHUNK` tokens, each begun with the model's beginning token; the
    second half of each is scored given the first.
    """
    text = _read(file)
    services = build(paths, lambda fact: None, lambda: settings)
    try:
        chosen = services.models.get(model)
        services.load_model(chosen)
        engine = services.engine
        engine.wait_loaded()
        found = ask(engine, TokenizeText(engine.new_id(), text), TextTokenized, on_progress)
        sequences = _sequences(found)
        if not sequences:
            raise EnvironmentProblem(
                tr("The text in {file} is too short to measure.", file=file.name),
                tr("Take a text of some hundred words."),
            )
        scored = ask(engine, Score(engine.new_id(), sequences), Scored, on_progress)
    finally:
        services.close()
    values = [value for sequence in scored.logprobs for value in sequence]
    return Perplexity(
        model=chosen.id,
        perplexity=math.exp(-sum(values) / len(values)),
        tokens=len(found.tokens),
        scored=len(values),
    )


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as problem:
        raise EnvironmentProblem(
            tr("{file} cannot be read: {reason}.", file=file.name, reason=problem.strerror),
            tr("Choose a text file."),
        ) from problem
    except UnicodeDecodeError:
        raise EnvironmentProblem(
            tr("{file} is not a text in UTF-8.", file=file.name), tr("Choose a text file.")
        ) from None


def _sequences(found: TextTokenized) -> tuple[ScoreSequence, ...]:
    """Chunks of a text, the last one as long as it is; at least one token is given for each."""
    begin = () if found.bos is None else (found.bos,)
    room = CHUNK - len(begin)
    sequences = []
    for start in range(0, len(found.tokens), room):
        chunk = (*begin, *found.tokens[start : start + room])
        half = CHUNK // 2 if len(chunk) == CHUNK else max(1, len(chunk) // 2)
        if len(chunk) > half:
            sequences.append(ScoreSequence(chunk[:half], chunk[half:]))
    return tuple(sequences)
