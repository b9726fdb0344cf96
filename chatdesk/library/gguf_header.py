"""What a GGUF file says of itself: its metadata and the shapes of its tensors.

The format is ggml's `docs/gguf.md`, version 2 and 3. Whether llama.cpp can run the architecture is
for llama.cpp to say; here a file is refused that cannot be a whole model to chat with.
"""

import os
import stat
from collections import Counter
from collections.abc import Mapping
from math import prod
from pathlib import Path

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelHeader
from chatdesk.library.gguf_reader import GgufReader, Value
from chatdesk.library.gguf_types import MIXTURES, TENSOR_TYPES

MAX_ENTRIES = 1024  # a model has some 40 entries of metadata
MAX_TENSORS = 65_536  # and some hundred tensors
MAX_DIMENSIONS = 4  # GGML_MAX_DIMS
MAX_SHAPE = 1 << 20  # layers, heads, widths; their product stays a 64-bit number
MAX_TOKENS = (1 << 31) - 1
MAX_WEIGHTS = (1 << 63) - 1
DEFAULT_ALIGNMENT = 32
GUESSED = 1024  # a flag of general.file_type
KV_BYTES = 2  # f16
GENERIC_NAMES = ("", "model", "ggml-model")
MB = 1_000_000


def read_header(path: Path) -> ModelHeader:
    """The header of a model file. Raises `ModelProblem`, which names the file, and nothing else."""
    name = path.name
    if not name.isprintable():  # bytes that are no text in any language; no sentence can name it
        what = tr("The file name {file} is not valid text.", file=ascii(name))
        raise ModelProblem(what, tr("Rename the file."))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelProblem(tr("“{file}” is not a file.", file=name), tr("Choose a GGUF file."))
        with path.open("rb") as file:
            return _header(GgufReader(file, path, status.st_size))
    except FileNotFoundError:
        what = tr("“{file}” is not there.", file=name)
        raise ModelProblem(what, tr("Check where it was moved to.")) from None
    except PermissionError:
        what = tr("“{file}” may not be read.", file=name)
        raise ModelProblem(what, tr("Give yourself the permission to read it.")) from None
    except OSError as problem:
        reason = os.strerror(problem.errno) if problem.errno else str(problem)
        what = tr("“{file}” cannot be read: {reason}.", file=name, reason=reason)
        raise ModelProblem(what, tr("Check the disk it lies on.")) from None


def _header(reader: GgufReader) -> ModelHeader:
    tensors, entries = _counts(reader)
    metadata = {reader.string() or "": reader.value() for _ in range(entries)}
    _check_kind(reader, metadata, tensors)
    weights = _weights(reader, metadata, tensors)
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
    )


def _counts(reader: GgufReader) -> tuple[int, int]:
    """Check the first bytes; the number of tensors and of metadata entries."""
    name = reader.path.name
    if reader.size < 4 or reader.take(4) != b"GGUF":
        what = tr("“{file}” is not a GGUF file.", file=name)
        raise ModelProblem(what, tr("Choose a file that ends in .gguf."))
    version = reader.u32()
    if version and version & 0xFFFF == 0:  # its bytes are swapped; llama.cpp's own test
        what = tr("“{file}” was made for big-endian computers.", file=name)
        raise ModelProblem(what, tr("Choose another file of this model."))
    if version not in (2, 3):
        what = tr("“{file}” is of GGUF version {version}.", file=name, version=version)
        raise ModelProblem(what, tr("Choose a file of GGUF version 2 or 3."))
    tensors, entries = reader.u64(), reader.u64()
    if tensors > MAX_TENSORS or entries > MAX_ENTRIES:
        reader.damaged()
    return tensors, entries


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


def _weights(reader: GgufReader, metadata: Mapping[str, Value], tensors: int) -> Counter[str]:
    """How many weights there are of each tensor type; the file must be long enough for them."""
    weights: Counter[str] = Counter()
    data_bytes = 0
    for _ in range(tensors):
        reader.string()
        dimensions = reader.u32()
        if not 0 < dimensions <= MAX_DIMENSIONS:
            reader.damaged()
        shape = [reader.u64() for _ in range(dimensions)]
        kind, offset, count = reader.u32(), reader.u64(), prod(shape)
        if kind not in TENSOR_TYPES:
            what = tr("“{file}” is quantized in an unknown way.", file=reader.path.name)
            raise ModelProblem(what, tr("Choose another file of this model."))
        packing = TENSOR_TYPES[kind]
        if count > MAX_WEIGHTS or offset > MAX_WEIGHTS or shape[0] % packing.block_weights:
            reader.damaged()
        weights[packing.name] += count
        size = count // packing.block_weights * packing.block_bytes
        data_bytes = max(data_bytes, offset + size)
    _check_length(reader, metadata, data_bytes)
    return weights


def _check_length(reader: GgufReader, metadata: Mapping[str, Value], data_bytes: int) -> None:
    """Refuse a file that ends before its tensors do."""
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 0 < alignment <= MAX_SHAPE:
        reader.damaged()
    expected = -(-reader.at // alignment) * alignment + data_bytes
    if expected <= reader.size:
        return
    sizes = {"file": reader.path.name, "found": reader.size, "expected": expected}
    what = tr("“{file}” is cut short: it has {found:,} of {expected:,} bytes.", **sizes)
    if reader.size // MB < expected // MB:
        sizes |= {"found": reader.size // MB, "expected": expected // MB}
        what = tr("“{file}” is cut short: it has {found:,} of {expected:,} MB.", **sizes)
    raise ModelProblem(what, tr("Download it again, or choose another model."))


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
