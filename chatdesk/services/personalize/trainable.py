"""Whether a model can be personalized, before anything is computed for it."""

from pathlib import Path

from chatdesk.core.models import ModelFile
from chatdesk.formats.gguf.model import read_model
from chatdesk.formats.trainable import obstacle
from chatdesk.services.personalize.run.trainer_process import untrainable


def check_trainable(model: ModelFile) -> None:
    """Read a model's header. Raises `EnvironmentProblem` if the model cannot be trained."""
    header = read_model(Path(model.path))
    names = [tensor.name for tensor in header.tensors]
    if detail := obstacle(header.architecture, header.metadata, names):
        raise untrainable(detail)
