"""What a GGUF file says of itself: its metadata and the shapes of its tensors.

The format is ggml's `docs/gguf.md`, version 2 and 3. Whether llama.cpp can run the architecture is
for llama.cpp to say; here a file is refused that cannot be a whole model to chat with.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelHeader
from chatdesk.library.gguf_file import Tensor, opened, read_counts, read_metadata, read_tensors
from chatdesk.library.gguf_reader import GgufReader, Value
from chatdesk.library.gguf_split import count_parts, read_part
from chatdesk.library.gguf_types import MIXTURES
from chatdesk.library.parts import parts_of, stem_of

MAX_SHAPE = 1 << 20  # layers, heads, widths; their product stays a 64-bit number
MAX_TOKENS = (1 << 31) - 1
GUESSED = 1024  # a flag of general.file_type
KV_BYTES = 2  # f16
GENERIC_NAMES = ("", "model", "ggml-model")
MAX_LICENSE = 100  # letters; a longer one is the whole text
EMBEDDING = "token_embd.weight"
OUTPUT = "output.weight"
TABLES = frozenset(("per_layer_token_embd.weight", "position_embd.weight", "token_types.weight"))
EXPERTS = "exps."  # ffn_up_exps and the like; shared experts are called shexp


class Contents(NamedTuple):
    """What comes before the data of a file, or of the first part of a split model."""

    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    parts: int


def read_header(path: Path) -> ModelHeader:
    """The header of a model file; of a split one, whose first part `path` is, with all its parts.

    Raises `ModelProblem`, which names the file, and nothing else.
    """
    with opened(path) as reader:
        metadata, tensors, parts = read_contents(reader)
        others = [read_part(part, no) for no, part in enumerate(parts_of(path)[1:], 1)]
        tensors += tuple(chain.from_iterable(found for _, found in others))
        size = reader.size + sum(size for size, _ in others)
        return replace(describe(reader, Contents(metadata, tensors, parts)), bytes=size)


def read_contents(reader: GgufReader) -> Contents:
    """Everything that comes before the data of a model file, or of a first part."""
    count, entries = read_counts(reader)
    metadata = read_metadata(reader, entries)
    parts = count_parts(reader, metadata)
    if metadata.get("general.type", "model") != "model" or (parts == 1 and not count):
        what = tr("“{file}” holds no model to chat with.", file=reader.path.name)
        raise ModelProblem(what, tr("Choose another file."))
    if not metadata.get("general.architecture"):
        what = tr("“{file}” does not name its architecture.", file=reader.path.name)
        raise ModelProblem(what, tr("Choose another file of this model."))
    return Contents(metadata, read_tensors(reader, metadata, count), parts)


def describe(reader: GgufReader, contents: Contents) -> ModelHeader:
    """The header by what was read. Raises `ModelProblem` for numbers that make no sense."""
    metadata, tensors, parts = contents
    weights: Counter[str] = Counter()
    for tensor in tensors:
        weights[tensor.packing.name] += tensor.weights
    quantization = _quantization(metadata, weights)
    shape = _Shape(reader, metadata)
    embedding = next((tensor for tensor in tensors if tensor.name == EMBEDDING), None)
    return ModelHeader(
        name=_name(reader.path, metadata, quantization),
        architecture=shape.architecture,
        parameters=weights.total(),
        quantization=quantization,
        bytes=reader.size,
        context_length=shape.number("context_length", limit=MAX_TOKENS),
        layers=shape.layers,
        kv_bytes_per_token=shape.kv_bytes_per_token(),
        has_chat_template="tokenizer.chat_template" in metadata,
        width=shape.number("embedding_length"),
        vocabulary=embedding.shape[-1] if embedding else shape.number("vocab_size"),
        license=_text(metadata, "general.license")[:MAX_LICENSE],
        decode_bytes=_decode_bytes(tensors, shape),
        parts=parts,
    )


def _decode_bytes(tensors: Collection[Tensor], shape: "_Shape") -> int:
    """The weights that are read to compute one token.

    Of a mixture of experts only those in use, and none of tables of which one row is looked up; a
    model without an output layer of its own multiplies with its embedding.
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
    """llama.cpp's name for the mixture; without one, the type that most weights have."""
    mixture = metadata.get("general.file_type")
    if isinstance(mixture, int) and mixture & ~GUESSED in MIXTURES:
        return MIXTURES[mixture & ~GUESSED]
    return next((name for name, _ in weights.most_common(1)), "")


def _name(path: Path, metadata: Mapping[str, Value], quantization: str) -> str:
    """The file's name without its quantization, which people know better than general.name."""
    stem = stem_of(path)
    if stem.lower().endswith(quantization.lower()):
        stem = stem[: -len(quantization)].rstrip("-._")
    if stem.lower() in GENERIC_NAMES:
        stem = _text(metadata, "general.name") or stem
    return stem or path.stem


def _text(metadata: Mapping[str, Value], key: str) -> str:
    """A text that can be shown; "" for none."""
    value = metadata.get(key)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""


class _Shape:
    """The numbers of the architecture, checked."""

    def __init__(self, reader: GgufReader, metadata: Mapping[str, Value]) -> None:
        self._reader = reader
        self._metadata = metadata
        architecture = metadata["general.architecture"]
        if not isinstance(architecture, str) or not architecture.isprintable():
            reader.damaged()
        self.architecture = architecture
        self.layers = self.number("block_count")

    def number(self, key: str, default: int = 0, limit: int = MAX_SHAPE) -> int:
        """A count of the architecture; the largest where each layer has its own."""
        return max(self.per_layer(key, default, limit), default=0)

    def per_layer(self, key: str, default: int, limit: int = MAX_SHAPE) -> tuple[int, ...]:
        """A count of the architecture for every layer, or the one that holds for all."""
        value = self._metadata.get(f"{self.architecture}.{key}", default)
        values = value if isinstance(value, tuple) else (value,)
        numbers = tuple(one for one in values if isinstance(one, int) and 0 <= one <= limit)
        if len(numbers) != len(values):
            self._reader.damaged()
        return numbers

    def kv_bytes_per_token(self) -> int:
        """Keys and values of all heads and layers, as llama.cpp's `llama_hparams` counts them.

        Layers with a sliding window or shared keys need less, so this is an upper bound for them.
        """
        heads = self.number("attention.head_count")
        width = self.number("embedding_length") // heads if heads else 0
        key = self.number("attention.key_length", width)
        value = self.number("attention.value_length", width)
        kv_heads = self.per_layer("attention.head_count_kv", heads)
        in_all_layers = sum(kv_heads) if len(kv_heads) > 1 else sum(kv_heads) * self.layers
        return in_all_layers * (key + value) * KV_BYTES
