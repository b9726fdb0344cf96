"""A model and the smaller one made of it, measured one after the other in the same way."""

from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import Fit, ModelFile
from chatdesk.core.paths import assets_dir
from chatdesk.core.quantizing import Comparison, ModelFigures
from chatdesk.services.engine.engine import Engine
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
            _check_room(models, model, alike)
            return _measure(engine, model, alike, on_half)
        except EnvironmentProblem as problem:
            on_half(1.0)
            problems.append(str(problem))
            return ModelFigures(model.header.bytes)

    return Comparison(measured(original, 0.0), measured(smaller, 0.5), " ".join(problems))


def _check_room(models: ModelService, model: ModelFile, options: LoadOptions) -> None:
    if models.estimate(model, options).fit is Fit.TOO_LARGE:
        raise EnvironmentProblem(
            tr("{model} has no room in memory to be measured now.", model=_name(model))
        )


def _measure(
    engine: Engine, model: ModelFile, options: LoadOptions, on_progress: Callable[[float], None]
) -> ModelFigures:
    engine.load(model, options)
    engine.wait_loaded()
    on_progress(0.0)
    text = (assets_dir() / "perplexity.txt").read_text("utf-8")
    measured = measure_perplexity(
        engine, model.id, text, lambda share: on_progress(share * TEXT_SHARE)
    )
    return ModelFigures(model.header.bytes, measure_speed(engine), measured.perplexity)


def _name(model: ModelFile) -> str:
    """Return a name with the quantization, which distinguishes the two."""
    return f"{model.header.name} {model.header.quantization}"
