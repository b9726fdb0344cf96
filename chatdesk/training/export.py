"""The trained adapter in llama.cpp's format and in peft's."""

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from chatdesk.core.files import whole_file
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import ADAPTER_FILE, PEFT_FOLDER
from chatdesk.formats.gguf.adapter_writer import NewTensor, write_adapter
from chatdesk.training.lora import factors
from chatdesk.training.weights import Base, file_rows


def export(model: Any, base: Base, config: TrainingConfig, folder: Path) -> None:
    """Write both formats into `folder`. Raises `OSError`."""
    with whole_file(folder / ADAPTER_FILE, durable=True) as adapter:
        write_gguf(model, base, config, adapter)
    partial = folder / f"{PEFT_FOLDER}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial, save_embedding_layers=False)
    (partial / "README.md").unlink(missing_ok=True)  # a template that nobody has filled in
    shutil.rmtree(folder / PEFT_FOLDER, ignore_errors=True)
    partial.rename(folder / PEFT_FOLDER)


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
