"""Loading a model to measure it, in an engine of its own beside the one in use."""

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import Fit, ModelFile
from chatdesk.library.models.role import check_answers
from chatdesk.services.engine.engine import Engine
from chatdesk.services.models.service import ModelService


def load_beside(
    engine: Engine, models: ModelService, model: ModelFile, options: LoadOptions
) -> None:
    """Load a model and wait until it can be used.

    Raises `EnvironmentProblem`, also when it has no room in memory beside the model in use.
    """
    check_answers(model.header)
    if models.estimate(model, options).fit is Fit.TOO_LARGE:
        raise EnvironmentProblem(
            tr("{model} has no room in memory to be measured now.", model=_name(model))
        )
    engine.load(model, options)
    engine.wait_loaded()


def _name(model: ModelFile) -> str:
    """Return a name with the quantization, which a model and a smaller one made of it differ in."""
    return f"{model.header.name} {model.header.quantization}"
