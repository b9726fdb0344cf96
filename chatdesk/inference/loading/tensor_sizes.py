"""The size of a model, from its file's header, before it is loaded."""

import re
from collections import Counter
from pathlib import Path

from chatdesk.core.errors import ModelProblem
from chatdesk.core.generation import FailureCode
from chatdesk.formats.gguf.model import GgufModel, read_model
from chatdesk.formats.gguf.parts import parts_of
from chatdesk.formats.gguf.reader import CutShort
from chatdesk.inference.loading.placement import Sizes
from chatdesk.inference.native.load_errors import LoadError, check_file

_MOST_BLOCKS = 512  # LLAMA_MAX_LAYERS
_BLOCK = re.compile(r"blk\.(\d+)\.")


def read_sizes(path: Path) -> Sizes:
    """Return the sizes of a model, with all parts of a split one. Raises `LoadError`."""
    model = _read(path)
    weights: Counter[str] = Counter()
    for tensor in model.tensors:
        block = _BLOCK.match(tensor.name)
        weights[block[1] if block else tensor.name.partition(".")[0]] += tensor.bytes
    _check_blocks(_number(model, "block_count"))
    is_tied = not weights["output"]
    blocks = sorted((int(name), size) for name, size in weights.items() if name.isdecimal())
    return Sizes(
        layers=tuple(size for _, size in blocks),
        output=weights["token_embd" if is_tied else "output"] + weights["output_norm"],
        total=weights.total(),
        is_tied=is_tied,
        embedding=_number(model, "embedding_length") or 0,
        trained_context=_number(model, "context_length") or 0,
    )


def _read(path: Path) -> GgufModel:
    for part in parts_of(path):
        check_file(part)
    try:
        return read_model(path)
    except CutShort as problem:
        raise LoadError(FailureCode.TRUNCATED, str(problem.what)) from None
    except ModelProblem as problem:
        raise LoadError(FailureCode.LOAD_FAILED, str(problem.what)) from None


def _number(model: GgufModel, key: str) -> int | None:
    """Return a number of the architecture; None when there is none."""
    found = model.metadata.get(f"{model.architecture}.{key}")
    return found if isinstance(found, int) else None


def _check_blocks(count: int | None) -> None:
    # llama.cpp ends the process for a count outside these bounds.
    if count is not None and not 0 < count <= _MOST_BLOCKS:
        raise LoadError(FailureCode.LOAD_FAILED, f"block_count = {count}")
