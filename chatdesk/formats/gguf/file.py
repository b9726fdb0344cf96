"""The part of a GGUF file before its data: counts, metadata, names and shapes of tensors.

The format is ggml's `docs/gguf.md`, version 2 and 3.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import NamedTuple

from chatdesk.core.errors import ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.core.unicode import is_one_line
from chatdesk.core.units import MB
from chatdesk.formats.gguf.reader import CutShort, GgufReader, Value
from chatdesk.formats.gguf.types import TENSOR_TYPES, TensorType

MAX_ENTRIES = 1024  # a model has some 40 entries of metadata
MAX_TENSORS = 65_536  # and some hundred tensors
MAX_DIMENSIONS = 4  # GGML_MAX_DIMS
MAX_ALIGNMENT = 1 << 20
MAX_WEIGHTS = (1 << 63) - 1
DEFAULT_ALIGNMENT = 32


class Tensor(NamedTuple):
    """A tensor as the file describes it: the length of a row comes first in its shape.

    `offset` is in bytes from where the data begins.
    """

    name: str
    shape: tuple[int, ...]
    packing: TensorType
    offset: int

    @property
    def weights(self) -> int:
        """The number of its weights."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """The length of its data."""
        return self.weights // self.packing.block_weights * self.packing.block_bytes

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.offset + self.bytes


def check_name(name: str) -> None:
    """Refuse bytes that are not text; no sentence can name the file."""
    if not is_one_line(name):
        what = tr("The file name {file} is not valid text.", file=ascii(name))
        raise ModelProblem(what, tr("Rename the file."))


@contextmanager
def opened(path: Path) -> Iterator[GgufReader]:
    """A reader at the start of a file. Raises `ModelProblem`, which names the file."""
    name = path.name
    check_name(name)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelProblem(tr("“{file}” is not a file.", file=name), tr("Choose a GGUF file."))
        with path.open("rb") as file:
            yield GgufReader(file, path, status.st_size)
    except FileNotFoundError:
        what = tr("“{file}” is not there.", file=name)
        raise ModelProblem(what, tr("Check where it was moved to.")) from None
    except PermissionError:
        what = tr("You have no permission to read “{file}”.", file=name)
        raise ModelProblem(what, tr("Change its permissions so that you can read it.")) from None
    except OSError as problem:
        reason = os.strerror(problem.errno) if problem.errno else str(problem)
        what = tr("“{file}” cannot be read: {reason}.", file=name, reason=reason)
        raise ModelProblem(what, tr("Check the disk it is on.")) from None


def read_counts(reader: GgufReader) -> tuple[int, int]:
    """Check the first bytes; return the number of tensors and of metadata entries."""
    name = reader.path.name
    if reader.size < 4 or reader.take(4) != b"GGUF":
        what = tr("“{file}” is not a GGUF file: its first four bytes are not “GGUF”.", file=name)
        todo = tr("It may be damaged, or another kind of file. Choose another, or fetch it again.")
        raise ModelProblem(what, todo)
    version = reader.u32()
    if version and version & 0xFFFF == 0:  # swapped bytes; llama.cpp's own test
        what = tr("“{file}” was made for big-endian computers.", file=name)
        raise ModelProblem(what, tr("Choose another file of this model."))
    if version not in (2, 3):
        what = tr("“{file}” is of GGUF version {version}.", file=name, version=version)
        raise ModelProblem(what, tr("Choose a file of GGUF version 2 or 3."))
    tensors, entries = reader.u64(), reader.u64()
    if tensors > MAX_TENSORS or entries > MAX_ENTRIES:
        reader.damaged()
    return tensors, entries


def read_metadata(reader: GgufReader, entries: int) -> dict[str, Value]:
    """Read the metadata, which follows the counts."""
    return {reader.string() or "": reader.value() for _ in range(entries)}


def read_tensors(
    reader: GgufReader, metadata: Mapping[str, Value], tensors: int
) -> tuple[Tensor, ...]:
    """Read the tensors, which follow the metadata; the file must be long enough for all of them."""
    found = tuple(_tensor(reader) for _ in range(tensors))
    _check_length(reader, metadata, max((tensor.end for tensor in found), default=0))
    return found


def data_start(reader: GgufReader, metadata: Mapping[str, Value]) -> int:
    """Return where the data begins, after everything before it is read."""
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 0 < alignment <= MAX_ALIGNMENT:
        reader.damaged()
    return -(-reader.at // alignment) * alignment


def _tensor(reader: GgufReader) -> Tensor:
    name = reader.string() or ""
    dimensions = reader.u32()
    if not 0 < dimensions <= MAX_DIMENSIONS:
        reader.damaged()
    shape = tuple(reader.u64() for _ in range(dimensions))
    kind, offset = reader.u32(), reader.u64()
    if kind not in TENSOR_TYPES:
        what = tr("“{file}” is quantized in an unknown way.", file=reader.path.name)
        raise ModelProblem(what, tr("Choose another file of this model."))
    tensor = Tensor(name, shape, TENSOR_TYPES[kind], offset)
    if max(tensor.weights, offset) > MAX_WEIGHTS or shape[0] % tensor.packing.block_weights:
        reader.damaged()
    return tensor


def _check_length(reader: GgufReader, metadata: Mapping[str, Value], data_bytes: int) -> None:
    """Refuse a file that ends before its tensors do."""
    expected = data_start(reader, metadata) + data_bytes
    if expected <= reader.size:
        return
    sizes = {"file": reader.path.name, "found": reader.size, "expected": expected}
    what = tr("“{file}” is cut short: it has {found:,} of {expected:,} bytes.", **sizes)
    if reader.size // MB < expected // MB:
        sizes |= {"found": reader.size // MB, "expected": expected // MB}
        what = tr("“{file}” is cut short: it has {found:,} of {expected:,} MB.", **sizes)
    raise CutShort(what, tr("Download it again, or choose another model."))
