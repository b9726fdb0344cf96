"""Whole models in GGUF: their metadata and tensors, also of models split into several files.

llama.cpp's `llama-gguf-split` splits them. Only the first file describes the model; the others have
tensors, and `split.no`, which counts files from 0.
"""

import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.formats.gguf.file import (
    Tensor,
    data_start,
    opened,
    read_counts,
    read_metadata,
    read_tensors,
)
from chatdesk.formats.gguf.parts import parts_of
from chatdesk.formats.gguf.reader import GgufReader, Value

EMBEDDING = "token_embd.weight"
OUTPUT = "output.weight"
_TYPES = ("model", "mmproj")  # the latter lets a model see or hear


class Part(NamedTuple):
    """One file of a model: its size, the start of its data (both in bytes), and its tensors."""

    path: Path
    bytes: int
    data: int
    tensors: tuple[Tensor, ...]


class GgufModel(NamedTuple):
    """Everything before the data in the files of a model."""

    metadata: Mapping[str, Value]
    parts: tuple[Part, ...]

    @property
    def architecture(self) -> str:
        """llama.cpp's name for the architecture."""
        return str(self.metadata["general.architecture"])

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors of all parts."""
        return tuple(chain.from_iterable(part.tensors for part in self.parts))

    @property
    def bytes(self) -> int:
        """The size of all parts."""
        return sum(part.bytes for part in self.parts)


def read_model(path: Path) -> GgufModel:
    """Read the model in a file, or in the parts after the first part `path`.

    Raises `ModelProblem`.
    """
    with opened(path) as reader:
        metadata, (first,) = read_first_part(reader)
    others = [_read_part(part, number) for number, part in enumerate(parts_of(path)[1:], 1)]
    return GgufModel(metadata, (first, *others))


def read_first_part(reader: GgufReader) -> GgufModel:
    """Read the model from its first file, without the tensors of further parts."""
    name = reader.path.name
    count, entries = read_counts(reader)
    metadata = read_metadata(reader, entries)
    is_whole = _check_parts(reader, metadata)
    if metadata.get("general.type", "model") not in _TYPES or (is_whole and not count):
        what = tr("“{file}” holds no model to chat with.", file=name)
        raise ModelProblem(what, tr("Choose another file."))
    architecture = metadata.get("general.architecture")
    if not architecture:
        what = tr("“{file}” does not name its architecture.", file=name)
        raise ModelProblem(what, tr("Choose another file of this model."))
    if not isinstance(architecture, str) or not architecture.isprintable():
        reader.damaged()
    return GgufModel(metadata, (_part(reader, metadata, count),))


def _check_parts(reader: GgufReader, metadata: Mapping[str, Value]) -> bool:
    """Return True if the file is the whole model.

    Raises `ModelProblem` when the model does not begin here, or its parts could not be found by
    name.
    """
    name = reader.path.name
    number, count = metadata.get("split.no", 0), metadata.get("split.count", 1)
    if not isinstance(number, int) or not isinstance(count, int):
        reader.damaged()
    count = max(count, 1)  # a whole model may say 0
    first, *others = parts_of(reader.path)
    if len(others) != count - 1:
        what = tr("“{file}” is not named as the parts of its model should be.", file=name)
        raise ModelProblem(what, tr("Give all parts the names they were published with."))
    if number or first != reader.path:
        what = tr("“{file}” is not the first part of its model.", file=name)
        raise ModelProblem(what, tr("Choose “{file}”.", file=first.name))
    return count == 1


def _read_part(path: Path, number: int) -> Part:
    """Read a further part; `number` counts from 0."""
    if not os.access(path, os.F_OK):
        what = tr("“{file}” is missing, a part of the model.", file=path.name)
        raise ModelProblem(what, tr("Put all parts of the model into one folder."))
    with opened(path) as reader:
        count, entries = read_counts(reader)
        metadata = read_metadata(reader, entries)
        if metadata.get("split.no") != number:
            reader.damaged()
        return _part(reader, metadata, count)


def _part(reader: GgufReader, metadata: Mapping[str, Value], tensors: int) -> Part:
    found = read_tensors(reader, metadata, tensors)
    return Part(reader.path, reader.size, data_start(reader, metadata), found)
