"""Reads a safetensors file without trusting any number in it.

The format is that of the safetensors README: the length of a header in 8 bytes, the header in JSON,
and the weights, one after the other without a gap.
"""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.formats.gguf.reader import GgufReader

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

MAX_HEADER_BYTES = 1 << 22  # an adapter has some 100 KB; limits the memory for its JSON
MAX_DIMENSIONS = 8
WEIGHT_BYTES = {"F32": 4, "F16": 2, "BF16": 2}

_MAX_COUNT = (1 << 63) - 1


class StoredTensor(NamedTuple):
    """A tensor's place in the file: `start` in bytes. The length of a row is last in `shape`."""

    shape: tuple[int, ...]
    dtype: str
    start: int

    @property
    def bytes(self) -> int:
        """The length of its data."""
        return prod(self.shape) * WEIGHT_BYTES[self.dtype]


def read_safetensors(reader: GgufReader) -> Mapping[str, StoredTensor]:
    """Return the tensors of a file, with the reader at its start. Raises `ModelProblem`."""
    length = int.from_bytes(reader.take(8), "little")
    if length > MAX_HEADER_BYTES:
        reader.damaged()
    try:
        entries = json.loads(reader.take(length).decode())
    except (ValueError, RecursionError):
        reader.damaged()
    if not isinstance(entries, dict):
        reader.damaged()
    entries.pop("__metadata__", None)
    tensors = {name: _tensor(reader, entry) for name, entry in entries.items()}
    end = reader.at
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.start, tensor.bytes)):
        if tensor.start != end:
            reader.damaged()
        end += tensor.bytes
    if end != reader.size:
        reader.damaged()
    return tensors


def _tensor(reader: GgufReader, entry: object) -> StoredTensor:
    """Return a tensor from the header, if it is as long as its shape requires."""
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [start, end]}:
            pass
        case _:
            reader.damaged()
    if len(shape) > MAX_DIMENSIONS or not all(map(_is_count, [*shape, start, end])):
        reader.damaged()
    if dtype not in WEIGHT_BYTES:
        what = tr("“{file}” is quantized in an unknown way.", file=reader.path.name)
        raise ModelProblem(what)
    tensor = StoredTensor(tuple(shape), dtype, reader.at + start)
    if end - start != tensor.bytes:
        reader.damaged()
    return tensor


def _is_count(number: object) -> bool:
    return type(number) is int and 0 <= number <= _MAX_COUNT


def read_weights(path: Path, tensor: StoredTensor) -> "NDArray[float32] | None":
    """Return a tensor's numbers; None when some are not finite or the file shrank.

    Raises `OSError`.
    """
    import numpy as np  # only on demand: the window must stay light

    bits = WEIGHT_BYTES[tensor.dtype] * 8
    stored = np.fromfile(path, f"<u{bits // 8}", prod(tensor.shape), offset=tensor.start)
    match tensor.dtype:
        case "BF16":  # the first half of an F32
            numbers = (stored.astype("<u4") << 16).view("<f4")
        case _:
            numbers = stored.view(f"<f{bits // 8}").astype("<f4", copy=False)
    if numbers.size != prod(tensor.shape) or not np.isfinite(numbers).all():
        return None
    return numbers.reshape(tensor.shape)
