"""Checks that a GGUF file is a LoRA adapter for a model, before llama.cpp loads it.

The rules are those of `llama-adapter.cpp`, and its unchecked assumptions: a metadata value of
another type than expected, or weights of a type it cannot multiply with, end its process.
"""

import shutil
from collections.abc import Mapping
from functools import partial
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from chatdesk.core.errors import AdapterProblem, ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.formats.finite import are_finite
from chatdesk.formats.gguf.file import (
    DEFAULT_ALIGNMENT,
    Tensor,
    data_start,
    opened,
    read_counts,
    read_tensors,
)
from chatdesk.formats.gguf.model import EMBEDDING, OUTPUT, read_model
from chatdesk.formats.gguf.reader import GgufReader, Value
from chatdesk.library.adapters.format import Write
from chatdesk.library.adapters.peft_config import unsupported

FLOAT32 = 6  # gguf_metadata_value_type
PACKINGS = ("F32", "F16", "BF16", "Q8_0")  # written by llama.cpp's convert_lora_to_gguf.py
PARTS = ("lora_a", "lora_b")

_Shape = tuple[int, ...]
Pairs = Mapping[str, tuple[_Shape, _Shape]]
"""The shapes of A and B for each of the model's tensors."""


class AdapterBase(NamedTuple):
    """The model that an adapter is for: its metadata, and the shapes of its tensors."""

    metadata: Mapping[str, Value]
    shapes: Mapping[str, _Shape]


class GgufAdapters:
    """The format that llama.cpp itself loads."""

    ending = ".gguf"

    def recognizes(self, path: Path) -> bool:
        """Say whether it is a GGUF file, by its name."""
        return path.suffix.lower() == self.ending

    def name_of(self, path: Path) -> str:
        """Return the name of the file."""
        return path.stem

    def fitted(self, path: Path, model: Path) -> Write:
        """Check that an adapter fits a model; it is copied as it is. Raises `AdapterProblem`."""
        check_adapter(path, model)
        return partial(shutil.copyfile, path)


def check_adapter(path: Path, model: Path) -> None:
    """Raise `AdapterProblem` when llama.cpp could not use the adapter with the model."""
    try:
        with opened(path) as reader:
            architecture, pairs = _read(reader)
    except ModelProblem as problem:
        raise AdapterProblem(problem.what, tr("Get the file again, or choose another.")) from None
    base = read_base(model)
    if architecture != base.metadata.get("general.architecture"):
        raise _other_model(path)
    check_shapes(path, pairs, base)


def read_base(model: Path) -> AdapterBase:
    """Return the base of a model, with all its parts. Raises `ModelProblem`."""
    found = read_model(model)
    return AdapterBase(found.metadata, {each.name: each.shape for each in found.tensors})


def check_shapes(path: Path, pairs: Pairs, base: AdapterBase) -> None:
    """Raise `AdapterProblem` when the file's A and B are not those of the model's tensors."""
    if not all(
        name in base.shapes and _fits(name, base.shapes[name], *pair)
        for name, pair in pairs.items()
    ):
        raise _other_model(path)
    if EMBEDDING in pairs and OUTPUT not in base.shapes:  # llama.cpp ends: one tensor for both
        raise AdapterProblem(
            tr("“{file}” changes the embedding, which this model shares.", file=path.name),
            tr("Choose an adapter that leaves the embedding as it is."),
        )


def _other_model(path: Path) -> AdapterProblem:
    """Return the error for an adapter of another model."""
    return AdapterProblem(
        tr("“{file}” was made for another model.", file=path.name),
        tr("Choose an adapter that was made for this model."),
    )


def _read(reader: GgufReader) -> tuple[str, Pairs]:
    """Return the metadata and tensors of an adapter; its architecture comes first."""
    tensors, entries = read_counts(reader)
    metadata = _metadata(reader, entries)
    if metadata.get("general.type") != "adapter" or metadata.get("adapter.type") != "lora":
        raise ModelProblem(tr("“{file}” is not a LoRA adapter.", file=reader.path.name))
    architecture = metadata.get("general.architecture")
    alpha = metadata.get("adapter.lora.alpha", 0.0)
    halves = read_tensors(reader, metadata, tensors)
    pairs = _pairs(reader, halves)
    _check_places(reader, metadata, halves)
    _check_numbers(reader, data_start(reader, metadata), halves)
    if not isinstance(architecture, str) or not isinstance(alpha, float) or not isfinite(alpha):
        reader.damaged()
    return architecture, pairs


def _metadata(reader: GgufReader, entries: int) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for _ in range(entries):
        key, kind = reader.string() or "", reader.u32()
        found[key] = reader.value_of(kind)
        if key == "adapter.lora.alpha" and kind != FLOAT32:
            reader.damaged()
    return found


def _pairs(reader: GgufReader, tensors: tuple[Tensor, ...]) -> Pairs:
    halves: dict[str, dict[str, _Shape]] = {}
    for tensor in tensors:
        name, _, part = tensor.name.rpartition(".")
        if tensor.name.endswith("_norm.weight"):
            continue  # llama.cpp ignores them
        if part not in PARTS:
            raise unsupported(reader.path, tensor.name)
        if tensor.packing.name not in PACKINGS:
            reader.damaged()
        halves.setdefault(name, {})[part] = tensor.shape
    if not halves or any(len(pair) < len(PARTS) for pair in halves.values()):
        reader.damaged()
    return {name: (pair["lora_a"], pair["lora_b"]) for name, pair in halves.items()}


def _check_places(
    reader: GgufReader, metadata: Mapping[str, Value], tensors: tuple[Tensor, ...]
) -> None:
    """Refuse tensors that are not consecutive, aligned and without gaps, as `gguf.cpp` does."""
    alignment, place = metadata.get("general.alignment", DEFAULT_ALIGNMENT), 0
    assert isinstance(alignment, int)  # `read_tensors` has refused anything else
    for tensor in tensors:
        if tensor.offset != place:
            reader.damaged()
        place = -(-tensor.end // alignment) * alignment


def _check_numbers(reader: GgufReader, start: int, tensors: tuple[Tensor, ...]) -> None:
    """Refuse weights that are not numbers: one of them would stay in the KV cache for good."""
    with reader.path.open("rb") as file:
        for tensor in tensors:
            file.seek(start + tensor.offset)
            if not are_finite(file.read(tensor.end - tensor.offset), tensor.packing.name):
                reader.damaged()


def _fits(name: str, weight: _Shape, a: _Shape, b: _Shape) -> bool:
    """True if W + BA is valid. Shapes begin with the row's length: W is (in, out, experts)."""
    (inputs, outputs), *experts = _matrix(weight)
    (a_inputs, a_rank), *a_experts = _matrix(a)
    (b_rank, b_outputs), *b_experts = _matrix(b)
    if name == EMBEDDING:  # its rows are looked up, so A and B are stored the other way round
        return (inputs, outputs, a_inputs) == (b_outputs, a_rank, b_rank)
    return (inputs, outputs, a_rank) == (a_inputs, b_outputs, b_rank) and (
        experts == a_experts == b_experts
    )


def _matrix(shape: _Shape) -> tuple[_Shape, *_Shape]:
    """Return the first two lengths, and the others."""
    return (*shape, 1)[:2], *shape[2:]
