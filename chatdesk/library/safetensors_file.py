"""Reads a safetensors file without ever trusting a number it states.

The format is that of the safetensors README: the length of a header in 8 bytes, the header in JSON,
and the weights, which lie behind each other without a gap.
"""

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from msgspec import Meta, Struct, json

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.library.gguf_reader import GgufReader

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

MAX_HEADER_BYTES = 1 << 22  # an adapter's is some 100 KB; bounds what its JSON can take
MAX_DIMENSIONS = 8
WEIGHT_BYTES = {"F32": 4, "F16": 2, "BF16": 2}

_Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class StoredTensor(NamedTuple):
    """Where a tensor lies in the file: `start` in bytes. The length of a row is last in `shape`."""

    shape: tuple[int, ...]
    dtype: str
    start: int


class _Entry(Struct):
    """A tensor in the header; its defaults let `__metadata__` be one, which is left out."""

    dtype: str = ""
    shape: Annotated[tuple[_Count, ...], Meta(max_length=MAX_DIMENSIONS)] = ()
    data_offsets: tuple[_Count, _Count] = (0, 0)


def read_safetensors(reader: GgufReader) -> Mapping[str, StoredTensor]:
    """The tensors of a file, which the reader is at the start of. Raises `ModelProblem`."""
    length = int.from_bytes(reader.take(8), "little")
    if length > MAX_HEADER_BYTES:
        reader.damaged()
    try:
        entries = json.decode(reader.take(length), type=dict[str, _Entry])
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        reader.damaged()
    entries.pop("__metadata__", None)
    end = 0
    for entry in sorted(entries.values(), key=lambda entry: entry.data_offsets):
        if entry.dtype not in WEIGHT_BYTES:
            what = tr("“{file}” is quantized in an unknown way.", file=reader.path.name)
            raise ModelProblem(what)
        start, expected = end, end + prod(entry.shape) * WEIGHT_BYTES[entry.dtype]
        if entry.data_offsets != (start, expected):
            reader.damaged()
        end = expected
    data = reader.at
    if data + end != reader.size:
        reader.damaged()
    return {
        name: StoredTensor(entry.shape, entry.dtype, data + entry.data_offsets[0])
        for name, entry in entries.items()
    }


def read_weights(path: Path, tensor: StoredTensor) -> "NDArray[float32] | None":
    """A tensor's numbers; None when some are not finite or the file shrank. Raises `OSError`."""
    import numpy as np  # not before it is needed: the window must stay light

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
