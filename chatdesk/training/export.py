"""The trained adapter in llama.cpp's format and in peft's."""

import errno
import math
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from chatdesk.core.files import whole_file
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import ADAPTER_FILE, PEFT_FOLDER
from chatdesk.formats.gguf.adapter_writer import NewTensor, write_adapter
from chatdesk.training.lora import factors
from chatdesk.training.weights import Base, file_rows


def export(model: Any, base: Base, config: TrainingConfig, folder: Path) -> None:
    """Write both formats into `folder`, the one whose presence says that both are there last.

    Raises `OSError`, after which nothing half-written is left.
    """
    partial = folder / f"{PEFT_FOLDER}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        _save_peft(model, partial)
        shutil.rmtree(folder / PEFT_FOLDER, ignore_errors=True)
        partial.rename(folder / PEFT_FOLDER)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    with whole_file(folder / ADAPTER_FILE, durable=True) as adapter:
        write_gguf(model, base, config, adapter)


def _save_peft(model: Any, folder: Path) -> None:
    try:
        model.save_pretrained(folder, save_embedding_layers=False)
    except SafetensorError as problem:  # its own words for what the system refused
        raise OSError(errno.EIO, _reason(str(problem))) from problem
    (folder / "README.md").unlink(missing_ok=True)  # a template that nobody has filled in


def _reason(words: str) -> str:
    """The system's own reason in what safetensors says: "... (os error 28)"."""
    found = re.search(r"os error (\d+)", words)
    return os.strerror(int(found[1])) if found else words


def write_gguf(model: Any, base: Base, config: TrainingConfig, path: Path) -> None:
    """Write an adapter as llama.cpp's `convert_lora_to_gguf.py` does. Raises `OSError`.

    llama.cpp multiplies by alpha / rank, rank-stabilized LoRA by alpha / sqrt(rank).
    """
    alpha = config.alpha * math.sqrt(config.rank) if config.rslora else config.alpha
    tensors = []
    for module, a, b in factors(model):
        rows = file_rows(b, base.reordered[module]) if module in base.reordered else b
        name = f"{base.linears[module]}.weight"
        tensors += [_new_tensor(f"{name}.lora_a", a), _new_tensor(f"{name}.lora_b", rows)]
    write_adapter(path, base.architecture, alpha, tensors)


def _new_tensor(name: str, weights: torch.Tensor) -> NewTensor:
    return NewTensor(name, tuple(weights.shape), lambda: weights.numpy().astype(np.float16))
