"""A whole run: check its files, read the model, train, export."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch

from chatdesk.core.training import (
    TENSORBOARD_FOLDER,
    Train,
    Trained,
    TrainingFailed,
    TrainingFailure,
    TrainingProgress,
    TrainingStopped,
)
from chatdesk.training.board import write_board
from chatdesk.training.checkpoint import Checkpoints
from chatdesk.training.dataset import check, read_dataset
from chatdesk.training.export import export
from chatdesk.training.failures import TrainingError, failed
from chatdesk.training.gate import PauseGate, Stopped
from chatdesk.training.lora import add_lora, guard, lora_layers, set_lora
from chatdesk.training.losses import Scorer
from chatdesk.training.meter import Meter
from chatdesk.training.trainer import Trainer
from chatdesk.training.weights import load_base


def answer(
    request: Train, send: Callable[[TrainingProgress], None], gate: PauseGate
) -> Trained | TrainingStopped | TrainingFailed:
    """Do a run; return its terminal event."""
    try:
        return train(request, send, gate)
    except Stopped:
        return TrainingStopped(request.request_id)
    except Exception as problem:
        return failed(request, problem)


def train(request: Train, send: Callable[[TrainingProgress], None], gate: PauseGate) -> Trained:
    """Do a run, or the rest of it.

    Threads are fixed, algorithms are deterministic and all randomness comes from the seed, so that
    a run resumed from a checkpoint gives the same bits as an undisturbed one. Raises
    `TrainingError`, `Stopped`, and `OSError` of the disk.
    """
    if request.threads:
        torch.set_num_threads(request.threads)
    torch.use_deterministic_algorithms(True)
    # The memory it would fill is overwritten at once; it only helps to find bugs.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.manual_seed(request.config.seed)
    folder, config = Path(request.folder), request.config
    meter = Meter(request.request_id, send, gate)
    meter.report()
    _check_model_file(request)
    data, digest = read_dataset(folder)
    precision = torch.bfloat16 if _has_fast_bfloat16() else torch.float32
    base = load_base(Path(request.model_path), precision, gate.pass_through)
    check(data, base.model.config.vocab_size)
    _check_model_file(request)
    model = add_lora(base, config)
    if request.begin_with:
        set_lora(model, Path(request.begin_with))
    guard(lora_layers(model).values(), gate.pass_through)
    inputs = (config, request.model_bytes, request.model_mtime_ns, digest, str(precision))
    checkpoints = Checkpoints(folder, hashlib.sha256(repr(inputs).encode()).hexdigest())
    scorer = Scorer(base.model, precision, gate.pass_through)
    progress = Trainer(model, scorer, config, data, checkpoints, meter).run()
    _check_model_file(request)
    export(model, base, config, folder)
    if request.tensorboard:
        write_board(folder / TENSORBOARD_FOLDER, progress.points())
    return Trained(
        request_id=request.request_id,
        steps=progress.step,
        best_step=progress.best_step,
        tokens=progress.tokens,
        tokens_per_s=meter.tokens_per_s(),
        seconds=meter.seconds(),
        peak_bytes=meter.peak_bytes(),
        losses=tuple(progress.points()),
    )


def _check_model_file(request: Train) -> None:
    """Raise `TrainingError` when the model's file has changed since the run began."""
    try:
        about = Path(request.model_path).stat()
    except OSError as problem:
        raise TrainingError(TrainingFailure.MODEL, str(problem.strerror)) from problem
    if (about.st_size, about.st_mtime_ns) != (request.model_bytes, request.model_mtime_ns):
        raise TrainingError(TrainingFailure.MODEL, "the file has changed")


def _has_fast_bfloat16() -> bool:
    """True if this processor has bfloat16 multiplication."""
    return any(there for name, there in torch.cpu.get_capabilities().items() if "bf16" in name)
