"""A model and the smaller one made of it, measured one after the other in the same way."""

from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import ModelFile
from chatdesk.core.paths import assets_dir
from chatdesk.core.quantizing import Comparison, ModelFigures
from chatdesk.services.engine.engine import Engine
from chatdesk.services.measure.loading import load_beside
from chatdesk.services.measure.perplexity import measure_perplexity, measure_speed
from chatdesk.services.models.service import ModelService

WINDOW = 2048  # tokens; enough for the answer and the chunks of the text
TEXT_SHARE = 0.8  # of the time to measure one model, about


def compare(
    engine: Engine,
    models: ModelService,
    original: ModelFile,
    smaller: ModelFile,
    options: LoadOptions,
    on_progress: Callable[[float], None],
) -> Comparison:
    """Measure both with these options in an engine that nobody else uses.

    The comparison names what cannot be measured, for lack of memory beside the running model.
    `on_progress` gets 0 to 1, and may raise to end it.
    """
    alike = replace(options, context_window=WINDOW, parallel=1, draft=None)
    problems: list[str] = []

    def measured(model: ModelFile, start: float) -> ModelFigures:
        def on_half(share: float) -> None:
            on_progress(start + share / 2)

        try:
            load_beside(engine, models, model, alike)
            return _measure(engine, model, on_half)
        except EnvironmentProblem as problem:
            on_half(1.0)
            problems.append(str(problem))
            return ModelFigures(model.header.bytes)

    return Comparison(measured(original, 0.0), measured(smaller, 0.5), " ".join(problems))


def _measure(
    engine: Engine, model: ModelFile, on_progress: Callable[[float], None]
) -> ModelFigures:
    on_progress(0.0)
    text = (assets_dir() / "perplexity.txt").read_text("utf-8")
    measured = measure_perplexity(
        engine, model.id, text, lambda share: on_progress(share * TEXT_SHARE)
    )
    return ModelFigures(model.header.bytes, measure_speed(engine), measured.perplexity)
