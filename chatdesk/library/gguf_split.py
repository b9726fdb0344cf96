"""Models that are split into several GGUF files.

llama.cpp's `llama-gguf-split` makes them. Only the first part describes the model; the others have
tensors, and `split.no`, which counts parts from 0.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.library.gguf_file import Tensor, opened, read_counts, read_metadata, read_tensors
from chatdesk.library.gguf_reader import GgufReader, Value
from chatdesk.library.parts import parts_of


def count_parts(reader: GgufReader, metadata: Mapping[str, Value]) -> int:
    """How many parts the model has that begins with this file.

    Raises `ModelProblem` when it does not begin here, or its parts could not be found by name.
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
    return count


def read_part(path: Path, number: int) -> tuple[int, tuple[Tensor, ...]]:
    """The size and the tensors of a later part; `number` counts from 0. Raises `ModelProblem`."""
    if not os.access(path, os.F_OK):
        what = tr("“{file}” is missing, a part of the model.", file=path.name)
        raise ModelProblem(what, tr("Put all parts of the model into one folder."))
    with opened(path) as reader:
        count, entries = read_counts(reader)
        metadata = read_metadata(reader, entries)
        if metadata.get("split.no") != number:
            reader.damaged()
        return reader.size, read_tensors(reader, metadata, count)
