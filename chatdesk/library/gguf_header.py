"""What a GGUF file says of itself: its metadata and the shapes of its tensors.

The format is ggml's `docs/gguf.md`, version 2 and 3. Whether llama.cpp can run the architecture is
for llama.cpp to say; here a file is refused that cannot be a whole model to chat with.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelHeader
from chatdesk.library.gguf_file import opened, read_counts, read_metadata, read_tensors
from chatdesk.library.gguf_reader import GgufReader, Value
from chatdesk.library.gguf_types import MIXTURES

MAX_SHAPE = 1 << 20  # layers, heads, widths; their product stays a 64-bit number
MAX_TOKENS = (1 << 31) - 1
GUESSED = 1024  # a flag of general.file_type
KV_BYTES = 2  # f16
GENERIC_NAMES = ("", "model", "ggml-model")
EMBEDDING = "token_embd.weight"


def read_header(path: Path) -> ModelHeader:
    """The header of a model file. Raises `ModelProblem`, which names the file, and nothing else."""
    with opened(path) as reader:
        return _header(reader)


def _header(reader: GgufReader) -> ModelHeader:
    tensors, entries = read_counts(reader)
    metadata = read_metadata(reader, entries)
    _check_kind(reader, metadata, tensors)
    weights: Counter[str] = Counter()
    vocabulary = 0
    for tensor in read_tensors(reader, metadata, tensors):
        weights[tensor.packing.name] += tensor.weights
        if tensor.name == EMBEDDING:
            vocabulary = tensor.shape[-1]
    quantization = _quantization(metadata, weights)
    shape = _Shape(reader, metadata)
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
        vocabulary=vocabulary,
    )


def _check_kind(reader: GgufReader, metadata: Mapping[str, Value], tensors: int) -> None:
    """Refuse what is GGUF but not a whole model to chat with."""
    name = reader.path.name
    if metadata.get("general.type", "model") != "model" or not tensors:
        what = tr("“{file}” holds no model to chat with.", file=name)
        raise ModelProblem(what, tr("Choose another file."))
    parts = metadata.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        what = tr("“{file}” is one of {parts} parts of a model.", file=name, parts=parts)
        raise ModelProblem(what, tr("Choose a model that is one file."))
    if not metadata.get("general.architecture"):
        what = tr("“{file}” does not name its architecture.", file=name)
        raise ModelProblem(what, tr("Choose another file of this model."))


def _quantization(metadata: Mapping[str, Value], weights: Counter[str]) -> str:
    """llama.cpp's name for the mixture; without one, the type that most weights have."""
    mixture = metadata.get("general.file_type")
    if isinstance(mixture, int) and mixture & ~GUESSED in MIXTURES:
        return MIXTURES[mixture & ~GUESSED]
    return weights.most_common(1)[0][0]


def _name(path: Path, metadata: Mapping[str, Value], quantization: str) -> str:
    """The file's name without its quantization, which people know better than general.name."""
    stem = path.stem
    if stem.lower().endswith(quantization.lower()):
        stem = stem[: -len(quantization)].rstrip("-._")
    named = metadata.get("general.name")
    if stem.lower() in GENERIC_NAMES and isinstance(named, str) and named.isprintable():
        return named.strip() or path.stem
    return stem or path.stem


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
