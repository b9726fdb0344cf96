"""The report of a loaded model."""

import time
from pathlib import Path

from chatdesk.core.loading import LoadModel, ModelLoaded
from chatdesk.inference.native.model import Model


def report(
    request: LoadModel, started: float, model: Model, *, window: int, threads: int
) -> ModelLoaded:
    """Return what is to be told of any model; `started` is on the monotonic clock."""
    return ModelLoaded(
        request_id=request.request_id,
        name=model.metadata("general.name") or Path(request.path).stem,
        architecture=model.architecture,
        parameters=model.parameters,
        bytes=model.bytes,
        context_window=window,
        trained_context=model.trained_context,
        layers=model.layers,
        gpu_layers=0,
        device="",
        threads=threads,
        flash_attention=False,
        template_notice=None,
        seconds=time.monotonic() - started,
    )
