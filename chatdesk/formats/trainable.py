"""Whether a model can be trained, as far as its header tells.

A model that is not fully understood is refused: an adapter for almost the same model would be worse
than none.
"""

import re
from collections.abc import Iterable, Mapping

from chatdesk.formats.tensor_names import ARCHITECTURES, BLOCK_LAYERS

_STATED = (
    "context_length",
    "block_count",
    "feed_forward_length",
    "embedding_length",
    "attention.head_count",
    "attention.layer_norm_rms_epsilon",
)
_OPTIONAL = ("attention.key_length", "rope.dimension_count", "rope.scaling.type")
_OUTSIDE = ("token_embd.weight", "output_norm.weight", "output.weight", "rope_freqs.weight")
_IN_BLOCK = re.compile(r"blk\.[0-9]+\.(\w+)\.(weight|bias)")
_BIASES = {"qwen2": ("attn_q", "attn_k", "attn_v")}
_SCALINGS = ("none", "linear", None)


def obstacle(architecture: str, metadata: Mapping[str, object], tensors: Iterable[str]) -> str:
    """Return what stands against training a model, in a few words; "" for nothing.

    `metadata` and `tensors` are those of its header.
    """
    if architecture not in ARCHITECTURES:
        return architecture
    stated = {key: metadata.get(f"{architecture}.{key}") for key in (*_STATED, *_OPTIONAL)}
    if missing := [key for key in _STATED if not isinstance(stated[key], int | float)]:
        return f"{architecture} without {missing[0]}"
    if _turns_a_part(stated):
        return f"{architecture} with positions in a part of each head"
    if stated["rope.scaling.type"] not in _SCALINGS:
        return f"{architecture} with {stated['rope.scaling.type']} positions"
    strange = (name for name in tensors if not _is_known(architecture, name))
    return next((f"{architecture} with {name}" for name in strange), "")


def _turns_a_part(stated: Mapping[str, object]) -> bool:
    width, heads = stated["embedding_length"], stated["attention.head_count"]
    assert isinstance(width, int | float)
    assert isinstance(heads, int | float)
    head = stated["attention.key_length"] or int(width) // int(heads or 1)
    return (stated["rope.dimension_count"] or head) != head


def _is_known(architecture: str, tensor: str) -> bool:
    if tensor in _OUTSIDE:
        return True
    found = _IN_BLOCK.fullmatch(tensor)
    if found is None:
        return False
    layer, kind = found.groups()
    return layer in (BLOCK_LAYERS if kind == "weight" else _BIASES.get(architecture, ()))
