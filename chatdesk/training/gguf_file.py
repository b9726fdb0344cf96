"""Reads a GGUF model: what its header states, and its tensors as ordinary numbers.

`gguf.GGUFReader` takes seconds for a vocabulary, which is of no use here; `docs/gguf.md` of ggml
describes the format.
"""

import mmap
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import gguf
import numpy as np
import torch

from chatdesk.core.training import TrainingFailure
from chatdesk.training.failures import TrainingError

Scalar = int | float | bool | str

_SCALARS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_STRING, _ARRAY = 8, 9  # gguf_metadata_value_type
_ALIGNMENT = 32
_SLAB = 1 << 24  # weights that are dequantized at a time


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in the file; its rows are as they are stored."""

    name: str
    shape: tuple[int, ...]  # as torch has it: rows first
    kind: gguf.GGMLQuantizationType
    data: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

    def copy_to(self, target: torch.Tensor, *, add: float, gate: Callable[[], None]) -> None:
        """Dequantize into a tensor of this shape and any dtype, `gate` being called in between."""
        rows, target_rows = np.atleast_2d(self.data), torch.atleast_2d(target)
        step = max(1, _SLAB // self.shape[-1])
        for start in range(0, len(rows), step):
            gate()
            numbers = gguf.dequantize(rows[start : start + step], self.kind).astype(np.float32)
            target_rows[start : start + step] = torch.from_numpy(numbers) + add


@dataclass(frozen=True)
class GgufFile:
    """A model file: its metadata without lists, and its tensors by name."""

    architecture: str
    metadata: Mapping[str, Scalar]
    tensors: Mapping[str, StoredTensor]

    def stated(self, key: str) -> Scalar | None:
        """What is stated of the architecture under `key`; None when nothing is."""
        return self.metadata.get(f"{self.architecture}.{key}")


def read_gguf(path: Path) -> GgufFile:
    """Read the header; tensors are read when they are asked for. Raises `TrainingError`."""
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _read(_Cursor(content), content)
    except (OSError, ValueError, KeyError, struct.error) as problem:
        raise TrainingError(TrainingFailure.MODEL, f"{path.name}: {problem}") from problem


class _Cursor:
    """A position in the header."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self.at = 0

    def numbers(self, codes: str) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{codes}", self._content, self.at)
        self.at += struct.calcsize(f"<{codes}")
        return found

    def string(self) -> str:
        (length,) = self.numbers("Q")
        self.at += length
        return self._content[self.at - length : self.at].decode("utf-8", "replace")

    def value(self, kind: int) -> Scalar | None:
        """A metadata value of that type; a list is stepped over."""
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.numbers(_SCALARS[kind])[0]
        kind, count = self.numbers("IQ")
        if kind != _STRING:
            self.at += count * struct.calcsize(_SCALARS[kind])
            return None
        for _ in range(count):
            (length,) = self.numbers("Q")
            self.at += length
        return None


def _read(cursor: _Cursor, content: mmap.mmap) -> GgufFile:
    magic, _, tensors, entries = cursor.numbers("IIQQ")
    if magic != gguf.GGUF_MAGIC:
        raise ValueError("not a GGUF file")
    metadata: dict[str, Scalar] = {}
    for _ in range(entries):
        key = cursor.string()
        value = cursor.value(*cursor.numbers("I"))
        if value is not None:
            metadata[key] = value
    places = [_place(cursor) for _ in range(tensors)]
    alignment = int(metadata.get("general.alignment", _ALIGNMENT))
    start = -(-cursor.at // alignment) * alignment
    everything = np.frombuffer(content, np.uint8)
    return GgufFile(
        architecture=str(metadata["general.architecture"]),
        metadata=metadata,
        tensors={place[0]: _stored(everything[start:], *place) for place in places},
    )


def _place(cursor: _Cursor) -> tuple[str, tuple[int, ...], int, int]:
    """Name, shape, type and offset of a tensor."""
    name = cursor.string()
    (dimensions,) = cursor.numbers("I")
    shape = cursor.numbers("Q" * dimensions)[::-1]
    kind, offset = cursor.numbers("IQ")
    return name, shape, kind, offset


def _stored(
    data: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    name: str,
    shape: tuple[int, ...],
    kind_number: int,
    offset: int,
) -> StoredTensor:
    kind = gguf.GGMLQuantizationType(kind_number)
    block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    row_bytes = shape[-1] // block * block_bytes
    end = offset + prod(shape[:-1]) * row_bytes
    return StoredTensor(name, shape, kind, data[offset:end].reshape(*shape[:-1], row_bytes))
