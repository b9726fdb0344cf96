"""LoRA adapters as PEFT keeps them, made of random numbers, with whatever is wrong in them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.lora_files import EMBEDDING, FEED_FORWARD

RANK = 4
DOWN = "base_model.model.model.layers.3.mlp.down_proj"
CONFIG = {"peft_type": "LORA", "r": RANK, "lora_alpha": 8, "bias": "none", "lora_dropout": 0.1}
_NAMES = {"float32": "F32", "float16": "F16", "uint16": "BF16"}

Tensors = Mapping[str, NDArray[Any]]


def two_halves(
    module: str = DOWN, rows: int = EMBEDDING, inputs: int = FEED_FORWARD, rank: int = RANK
) -> dict[str, NDArray[Any]]:
    """A and B of a module, those of the starter model's down projection."""
    source = np.random.default_rng(rows)
    return {
        f"{module}.lora_A.weight": source.normal(0, 0.05, (rank, inputs)).astype(np.float32),
        f"{module}.lora_B.weight": source.normal(0, 0.05, (rows, rank)).astype(np.float32),
    }


def safetensors(tensors: Tensors, **changed: Any) -> bytes:
    """A file's content; `uint16` stands for BF16. `changed` replaces parts of the first entry."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": _NAMES[tensor.dtype.name],
            "shape": tensor.shape,
            "data_offsets": (end, end := end + tensor.nbytes),
        }
    if tensors:
        header[next(iter(tensors))] |= changed
    return framed(
        json.dumps(header).encode(), b"".join(each.tobytes() for each in tensors.values())
    )


def framed(header: bytes, data: bytes = b"") -> bytes:
    """A header with its length before it."""
    return len(header).to_bytes(8, "little") + header + data


def peft_adapter(folder: Path, tensors: Tensors | bytes | None = None, **settings: Any) -> Path:
    """An adapter in a folder; its weights' file. Without `tensors` for the starter model."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG | settings))
    weights = folder / "adapter_model.safetensors"
    content = two_halves() if tensors is None else tensors
    weights.write_bytes(content if isinstance(content, bytes) else safetensors(content))
    return weights
