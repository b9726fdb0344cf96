"""The size of a model in another quantization, calculated from its tensors' shapes."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from chatdesk.formats.gguf.file import Tensor
from chatdesk.formats.gguf.model import EMBEDDING, OUTPUT, read_model
from chatdesk.formats.gguf.types import TENSOR_TYPES, TensorType

_BY_NAME = {packing.name: packing for packing in TENSOR_TYPES.values()}


class _Mixture(NamedTuple):
    """The types of most matrices, of the output, and of those that are kept more exact.

    Where there are two, each is for about half of the layers; "" is the type of most.
    """

    most: str
    output: str = "Q6_K"
    exact: Mapping[str, tuple[str, ...]] = MappingProxyType({})


_HALF_Q6 = {"attn_v": ("Q6_K", ""), "ffn_down": ("Q6_K", "")}
# `llama_tensor_get_type` in llama.cpp's llama-quant.cpp, for models with grouped queries
MIXTURES = {
    "Q8_0": _Mixture("Q8_0", "Q8_0"),
    "Q6_K": _Mixture("Q6_K"),
    "Q5_K_M": _Mixture("Q5_K", exact=_HALF_Q6),
    "Q4_K_M": _Mixture("Q4_K", exact=_HALF_Q6),
    "Q4_0": _Mixture("Q4_0"),
    "Q3_K_M": _Mixture(
        "Q3_K", exact={"attn_v": ("Q4_K",), "attn_output": ("Q4_K",), "ffn_down": ("Q4_K",)}
    ),
    "Q2_K": _Mixture(
        "Q2_K", exact={"attn_v": ("Q4_K",), "attn_output": ("Q3_K",), "ffn_down": ("Q3_K",)}
    ),
}
"""The quantizations that a model can be converted to, from the most exact to the smallest."""
# llama.cpp's types for rows that are no multiple of 256: `tensor_type_fallback` there
_FALLBACKS = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}


def quantized_bytes(path: Path, quantization: str) -> int:
    """Return a model's size after quantization to a key of `MIXTURES`, within some percent.

    `path` is its file, or the first of its parts. Raises `ModelProblem`.
    """
    model = read_model(path)
    tensors, metadata_bytes = model.tensors, model.parts[0].data
    names = {tensor.name for tensor in tensors}
    output = OUTPUT if OUTPUT in names else EMBEDDING  # tied, one matrix has both roles
    mixture = MIXTURES[quantization]
    return metadata_bytes + sum(_bytes(tensor, mixture, output) for tensor in tensors)


def _bytes(tensor: Tensor, mixture: _Mixture, output: str) -> int:
    """Return the tensor's size, on average over the types it may become."""
    packings = [_fitting(kind, tensor.shape[0]) for kind in _types(tensor, mixture, output)]
    sizes = [tensor._replace(packing=packing).bytes for packing in packings]
    return sum(sizes) // len(sizes) if sizes else tensor.bytes


def _types(tensor: Tensor, mixture: _Mixture, output: str) -> tuple[str, ...]:
    """Return the tensor's new types; () if it stays as it is: a vector, or a router of experts."""
    *_, role, kind = ("", *tensor.name.rsplit(".", 2))
    is_matrix = len(tensor.shape) > 1 and kind == "weight" and not role.endswith("_norm")
    if not is_matrix or role == "ffn_gate_inp":
        return ()
    if tensor.name == output:
        return (mixture.output,)
    return tuple(exact or mixture.most for exact in mixture.exact.get(role, ("",)))


def _fitting(kind: str, row: int) -> TensorType:
    """Return the type, or llama.cpp's replacement for a row that is no multiple of its blocks."""
    for name in (kind, _FALLBACKS.get(kind, "F16")):
        if row % _BY_NAME[name].block_weights == 0:
            return _BY_NAME[name]
    return _BY_NAME["F16"]
