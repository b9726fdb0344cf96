"""The header of a GGUF file: its metadata and the shapes of its tensors.

The format is ggml's `docs/gguf.md`, version 2 and 3. Only llama.cpp can say if it runs the
architecture; this module refuses files that cannot be a whole model to chat with.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from chatdesk.core.models import ModelHeader
from chatdesk.formats.gguf.file import Tensor
from chatdesk.formats.gguf.model import EMBEDDING, OUTPUT, GgufModel, read_model
from chatdesk.formats.gguf.parts import parts_of, stem_of
from chatdesk.formats.gguf.reader import Value, cut_short
from chatdesk.formats.gguf.types import MIXTURES

MAX_SHAPE = 1 << 20  # layers, heads, widths; their product stays a 64-bit number
MAX_TOKENS = (1 << 31) - 1
GUESSED = 1024  # a flag of general.file_type
KV_BYTES = 2  # f16
GENERIC_NAMES = ("", "model", "ggml-model")
MAX_LICENSE = 100  # letters; a longer one is the whole text
TABLES = frozenset(("per_layer_token_embd.weight", "position_embd.weight", "token_types.weight"))
MAX_POOLING = 64
EXPERTS = "exps."  # ffn_up_exps and the like; shared experts are called shexp
_LABEL = re.compile(r"(?:([0-9]{1,4})x)?([0-9]{1,4}(?:\.[0-9]{1,4})?)([KMBTQ])")
_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12, "Q": 10**15}
_NEAR = 0.05  # how far a size and its label may be apart


def read_header(path: Path) -> ModelHeader:
    """Return the header of a model file; for a split one, `path` is the first part of all.

    Raises only `ModelProblem`, which names the file.
    """
    return describe(path, read_model(path))


def describe(path: Path, model: GgufModel) -> ModelHeader:
    """Return the header for these contents. Raises `ModelProblem` for impossible numbers."""
    metadata, tensors = model.metadata, model.tensors
    weights: Counter[str] = Counter()
    for tensor in tensors:
        weights[tensor.packing.name] += tensor.weights
    quantization = _quantization(metadata, weights)
    shape = _Shape(path, model)
    embedding = next((tensor for tensor in tensors if tensor.name == EMBEDDING), None)
    return ModelHeader(
        name=_name(path, metadata, quantization),
        architecture=model.architecture,
        parameters=_own(weights.total(), model),
        quantization=quantization,
        bytes=model.bytes,
        context_length=shape.number("context_length", limit=MAX_TOKENS),
        layers=shape.layers,
        kv_bytes_per_token=shape.kv_bytes_per_token(),
        has_chat_template="tokenizer.chat_template" in metadata,
        width=shape.number("embedding_length"),
        vocabulary=embedding.shape[-1] if embedding else shape.number("vocab_size"),
        license=_text(metadata, "general.license")[:MAX_LICENSE],
        decode_bytes=_decode_bytes(tensors, shape),
        parts=len(parts_of(path)),
        pooling=shape.number("pooling_type", limit=MAX_POOLING),
        stored=weights.total(),
    )


def labelled(metadata: Mapping[str, Value]) -> int:
    """Return the parameters in `general.size_label`: "8B", or "8x7B" for eight experts.

    The gguf package's `size_label` makes it: the experts' part counts once for each of them. 0
    without one.
    """
    label = metadata.get("general.size_label")
    found = _LABEL.match(label) if isinstance(label, str) else None
    return int(int(found[1] or 1) * float(found[2]) * _UNITS[found[3]]) if found else 0


def _own(stored: int, model: GgufModel) -> int:
    """Return the model's own size: some files hold a shared embedding a second time, as output.

    Those state a size that only fits without it.
    """
    shapes = {tensor.name: tensor.shape for tensor in model.tensors}
    if EMBEDDING not in shapes or shapes[EMBEDDING] != shapes.get(OUTPUT):
        return stored
    label, once = labelled(model.metadata), stored - math.prod(shapes[OUTPUT])
    fits = abs(once - label) < _NEAR * label and abs(stored - label) > 2 * _NEAR * label
    return once if fits else stored


def _decode_bytes(tensors: Collection[Tensor], shape: "_Shape") -> int:
    """Return the bytes of the weights that are read to compute one token.

    Of a mixture of experts only those in use, and none of tables of which one row is looked up; a
    model without its own output layer multiplies with its embedding.
    """
    has_output = any(tensor.name == OUTPUT for tensor in tensors)
    tables = TABLES | {EMBEDDING} if has_output else TABLES
    experts, used = shape.number("expert_count"), shape.number("expert_used_count")
    read = 0
    for tensor in tensors:
        if EXPERTS in tensor.name and 0 < used < experts:
            read += tensor.bytes * used // experts
        elif tensor.name not in tables:
            read += tensor.bytes
    return read


def _quantization(metadata: Mapping[str, Value], weights: Counter[str]) -> str:
    """Return llama.cpp's name for the mixture; without one, the type of most weights."""
    mixture = metadata.get("general.file_type")
    if isinstance(mixture, int) and mixture & ~GUESSED in MIXTURES:
        return MIXTURES[mixture & ~GUESSED]
    return next((name for name, _ in weights.most_common(1)), "")


def _name(path: Path, metadata: Mapping[str, Value], quantization: str) -> str:
    """Return the file's name without its quantization; people know it better than general.name."""
    stem = stem_of(path)
    if stem.lower().endswith(quantization.lower()):
        stem = stem[: -len(quantization)].rstrip("-._")
    if stem.lower() in GENERIC_NAMES:
        stem = _text(metadata, "general.name") or stem
    return stem or path.stem


def _text(metadata: Mapping[str, Value], key: str) -> str:
    """Return a text that can be shown; "" for none."""
    value = metadata.get(key)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""


class _Shape:
    """The numbers of the architecture, checked."""

    def __init__(self, path: Path, model: GgufModel) -> None:
        self._path = path
        self._model = model
        self.layers = self.number("block_count")

    def number(self, key: str, default: int = 0, limit: int = MAX_SHAPE) -> int:
        """Return a count of the architecture; the largest where each layer has its own."""
        return max(self.per_layer(key, default, limit), default=0)

    def per_layer(self, key: str, default: int, limit: int = MAX_SHAPE) -> tuple[int, ...]:
        """Return a count of the architecture for every layer, or one for all."""
        value = self._model.metadata.get(f"{self._model.architecture}.{key}", default)
        values = value if isinstance(value, tuple) else (value,)
        numbers = tuple(one for one in values if isinstance(one, int) and 0 <= one <= limit)
        if len(numbers) != len(values):
            raise cut_short(self._path)
        return numbers

    def kv_bytes_per_token(self) -> int:
        """Return the bytes of keys and values, as llama.cpp's `llama_hparams` counts them.

        For all heads and layers. Layers with a sliding window or shared keys need less, so this is
        an upper bound for them.
        """
        heads = self.number("attention.head_count")
        width = self.number("embedding_length") // heads if heads else 0
        key = self.number("attention.key_length", width)
        value = self.number("attention.value_length", width)
        kv_heads = self.per_layer("attention.head_count_kv", heads)
        in_all_layers = sum(kv_heads) if len(kv_heads) > 1 else sum(kv_heads) * self.layers
        return in_all_layers * (key + value) * KV_BYTES
