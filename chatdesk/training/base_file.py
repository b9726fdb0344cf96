"""The model file to train on: the values of its header, and its tensors as numbers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch

from chatdesk.core.errors import ModelProblem
from chatdesk.core.training import TrainingFailure
from chatdesk.formats.gguf.model import GgufModel, Part, read_model
from chatdesk.training.failures import TrainingError

Scalar = int | float | bool | str

_SLAB = 1 << 24  # weights that are dequantized at a time


@dataclass(frozen=True)
class BaseTensor:
    """A tensor in the file; its rows are as they are stored."""

    name: str
    shape: tuple[int, ...]  # as torch has it: rows first
    kind: gguf.GGMLQuantizationType
    data: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

    def copy_to(self, target: torch.Tensor, *, add: float, gate: Callable[[], None]) -> None:
        """Dequantize into a tensor of this shape and any dtype; `gate` is called in between."""
        rows, target_rows = np.atleast_2d(self.data), torch.atleast_2d(target)
        step = max(1, _SLAB // self.shape[-1])
        for start in range(0, len(rows), step):
            gate()
            numbers = gguf.dequantize(rows[start : start + step], self.kind).astype(np.float32)
            target_rows[start : start + step] = torch.from_numpy(numbers) + add


@dataclass(frozen=True)
class BaseFile:
    """A model file: its metadata without lists, and its tensors by name."""

    architecture: str
    metadata: Mapping[str, Scalar]
    tensors: Mapping[str, BaseTensor]

    def stated(self, key: str) -> Scalar | None:
        """Return the value stated under `key` of the architecture; None when there is none."""
        return self.metadata.get(f"{self.architecture}.{key}")


def read_base_file(path: Path) -> BaseFile:
    """Read the header; tensors are read on demand. Raises `TrainingError`."""
    try:
        model = read_model(path)
        return BaseFile(
            architecture=model.architecture,
            metadata=_scalars(model),
            tensors={each.name: each for part in model.parts for each in _stored(part)},
        )
    except (ModelProblem, OSError, ValueError, KeyError) as problem:
        raise TrainingError(TrainingFailure.MODEL, f"{path.name}: {problem}") from problem


def _scalars(model: GgufModel) -> dict[str, Scalar]:
    return {
        key: value for key, value in model.metadata.items() if isinstance(value, int | float | str)
    }


def _stored(part: Part) -> Iterator[BaseTensor]:
    content = np.asarray(np.memmap(part.path, np.uint8, "r"))
    for tensor in part.tensors:
        data = content[part.data + tensor.offset : part.data + tensor.end]
        shape = tensor.shape[::-1]
        row_bytes = shape[-1] // tensor.packing.block_weights * tensor.packing.block_bytes
        kind = gguf.GGMLQuantizationType[tensor.packing.name]
        yield BaseTensor(tensor.name, shape, kind, data.reshape(*shape[:-1], row_bytes))
