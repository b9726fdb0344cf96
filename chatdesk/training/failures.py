"""The reasons that end a run: a code, and a text for the log."""

import logging
from pathlib import Path

import torch

from chatdesk.core.training import Train, TrainingFailed, TrainingFailure

_OUT_OF_MEMORY = "can't allocate memory"  # torch's CPU allocator raises a plain RuntimeError

_log = logging.getLogger(__name__)


class TrainingError(Exception):
    """A run that cannot continue; `str()` of it is the detail."""

    def __init__(self, code: TrainingFailure, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def failed(request: Train, problem: Exception) -> TrainingFailed:
    """Return the terminal event for an exception of a run; our own bugs are logged."""
    request_id = request.request_id
    match problem:
        case TrainingError():
            return TrainingFailed(request_id, problem.code, str(problem))
        case FileNotFoundError(filename=str(name)) if not Path(name).is_relative_to(request.folder):
            _log.error("the installation is not whole", exc_info=problem)
            return TrainingFailed(request_id, TrainingFailure.PROGRAM, Path(name).name)
        case FileNotFoundError():
            return TrainingFailed(request_id, TrainingFailure.DATA, str(problem.strerror))
        case OSError():  # reads are checked where they happen; this was a write
            return TrainingFailed(request_id, TrainingFailure.DISK, str(problem.strerror))
        case MemoryError() | torch.OutOfMemoryError():
            return TrainingFailed(request_id, TrainingFailure.OUT_OF_MEMORY, "")
        case RuntimeError() if _OUT_OF_MEMORY in str(problem):
            return TrainingFailed(request_id, TrainingFailure.OUT_OF_MEMORY, "")
        case _:
            _log.error("a run failed", exc_info=problem)
            return TrainingFailed(request_id, TrainingFailure.INTERNAL, type(problem).__name__)
