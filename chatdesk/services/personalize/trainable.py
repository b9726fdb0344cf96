"""Whether a model can be personalized, before anything is computed for it."""

from pathlib import Path

from chatdesk.core.errors import ModelProblem
from chatdesk.core.models import ModelFile
from chatdesk.formats.gguf.model import read_model
from chatdesk.formats.trainable import obstacle
from chatdesk.services.personalize.run.trainer_process import untrainable


def check_trainable(model: ModelFile) -> None:
    """Read a model's header. Raises `CannotResume` if the model cannot be trained.

    A file that cannot be read is told by what reads more of it.
    """
    try:
        header = read_model(Path(model.path))
    except ModelProblem:
        return
    names = [tensor.name for tensor in header.tensors]
    if detail := obstacle(header.architecture, header.metadata, names):
        raise untrainable(detail)
