"""The perplexity of a text file under a model: the command line's `models perplexity`."""

from collections.abc import Callable
from pathlib import Path

from chatdesk.cli.services import open_services
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.services.measure.perplexity import Perplexity, measure_perplexity


def measure(
    paths: AppPaths,
    settings: Settings,
    model: str,
    file: Path,
    on_progress: Callable[[float], None],
) -> Perplexity:
    """The perplexity of a text file under a model, by id or path. Raises `EnvironmentProblem`."""
    text = _read(file)
    with open_services(paths, settings) as services:
        chosen = services.models.get(model)
        services.load_model(chosen)
        services.engine.wait_loaded()
        return measure_perplexity(services.engine, chosen.id, text, on_progress)


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
