"""Writes a LoRA adapter in GGUF, the format of ggml's `docs/gguf.md`, version 3.

The keys are those of llama.cpp's `convert_lora_to_gguf.py`, the weights are half precision as in
the adapters that are trained here.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING, NamedTuple

from chatdesk.formats.gguf.file import DEFAULT_ALIGNMENT

if TYPE_CHECKING:
    from numpy import float16
    from numpy.typing import NDArray

_F16 = 1  # ggml_type
_FLOAT32, _STRING = 6, 8  # gguf_metadata_value_type
_HALF_BYTES = 2


class NewTensor(NamedTuple):
    """A tensor to write: the length of a row is last in `shape`; `read` returns its numbers."""

    name: str
    shape: tuple[int, ...]
    read: Callable[[], "NDArray[float16]"]


def write_adapter(
    path: Path, architecture: str, alpha: float, tensors: Sequence[NewTensor]
) -> None:
    """Write an adapter, one tensor in memory at a time. Raises `OSError` and what `read` does."""
    texts = {
        "general.architecture": architecture,
        "general.type": "adapter",
        "adapter.type": "lora",
    }
    with path.open("wb") as file:
        file.write(b"GGUF" + pack("<IQQ", 3, len(tensors), len(texts) + 1))
        file.write(_texts(texts))
        file.write(_string("adapter.lora.alpha") + pack("<If", _FLOAT32, alpha))
        offset = 0
        for name, shape, _ in tensors:
            lengths = pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
            file.write(_string(name) + lengths + pack("<IQ", _F16, offset))
            offset += _padded(prod(shape) * _HALF_BYTES)
        file.write(bytes(_padded(file.tell()) - file.tell()))
        for tensor in tensors:
            file.write(tensor.read().tobytes())
            file.write(bytes(_padded(file.tell()) - file.tell()))


def _texts(texts: Mapping[str, str]) -> bytes:
    return b"".join(
        _string(key) + pack("<I", _STRING) + _string(text) for key, text in texts.items()
    )


def _string(text: str) -> bytes:
    encoded = text.encode()
    return pack("<Q", len(encoded)) + encoded


def _padded(length: int) -> int:
    return -(-length // DEFAULT_ALIGNMENT) * DEFAULT_ALIGNMENT
