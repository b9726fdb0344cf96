"""The size of a model, from its file's header, before it is loaded.

The functions are declared in `gguf.h`; https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
describes the format.
"""

import ctypes
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatdesk.core.generation import FailureCode
from chatdesk.inference.loading.placement import Sizes
from chatdesk.inference.native.bindings import ggml, native_log
from chatdesk.inference.native.load_errors import LoadError, check_file, classify

_UINT32, _STRING = 4, 8  # enum gguf_type
_MOST_BLOCKS = 512  # LLAMA_MAX_LAYERS
_BLOCK = re.compile(r"blk\.(\d+)\.")
_FIRST_PART = re.compile(r"-00001-of-(\d{5})\.gguf$")  # llama.cpp's own naming of split files


class _InitParameters(ctypes.Structure):
    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


class _Header:
    """An open header."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def tensors(self) -> Iterator[tuple[str, int]]:
        """Yield name and bytes of each tensor."""
        count = ggml("gguf_get_n_tensors", ctypes.c_int64, ctypes.c_void_p)(self._handle)
        at = (ctypes.c_void_p, ctypes.c_int64)
        name = ggml("gguf_get_tensor_name", ctypes.c_char_p, *at)
        size = ggml("gguf_get_tensor_size", ctypes.c_size_t, *at)
        for index in range(count):
            yield name(self._handle, index).decode("utf-8", "replace"), size(self._handle, index)

    def number(self, key: str) -> int | None:
        """Return an unsigned number; None when there is none."""
        found = self._find(key, _UINT32)
        at = (ctypes.c_void_p, ctypes.c_int64)
        return found and ggml("gguf_get_val_u32", ctypes.c_uint32, *at)(*found)

    def text(self, key: str) -> str:
        """Return a text; "" when there is none."""
        found = self._find(key, _STRING)
        at = (ctypes.c_void_p, ctypes.c_int64)
        value = b"" if found is None else ggml("gguf_get_val_str", ctypes.c_char_p, *at)(*found)
        return value.decode("utf-8", "replace")

    def _find(self, key: str, kind: int) -> tuple[int, int] | None:
        # A request for a value of another type ends the process.
        at = (ctypes.c_void_p, ctypes.c_int64)
        find = ggml("gguf_find_key", ctypes.c_int64, ctypes.c_void_p, ctypes.c_char_p)
        index: int = find(self._handle, key.encode())
        if index < 0 or ggml("gguf_get_kv_type", ctypes.c_int, *at)(self._handle, index) != kind:
            return None
        return self._handle, index


@contextmanager
def _open(path: Path) -> Iterator[_Header]:
    log = native_log()
    log.clear()
    init = ggml("gguf_init_from_file", ctypes.c_void_p, ctypes.c_char_p, _InitParameters)
    handle = init(os.fsencode(path), _InitParameters(no_alloc=True, context=None))
    if not handle:
        raise classify(log.lines(), log.errors())
    try:
        yield _Header(handle)
    finally:
        ggml("gguf_free", None, ctypes.c_void_p)(handle)


def read_sizes(path: Path) -> Sizes:
    """Return the sizes of a model, with all parts of a split one. Raises `LoadError`."""
    weights: Counter[str] = Counter()
    for part in _parts(path):
        check_file(part)
        with _open(part) as header:
            for name, size in header.tensors():
                block = _BLOCK.match(name)
                weights[block[1] if block else name.partition(".")[0]] += size
            if part == path:
                architecture = header.text("general.architecture")
                embedding = header.number(f"{architecture}.embedding_length") or 0
                trained_context = header.number(f"{architecture}.context_length") or 0
                _check_blocks(header.number(f"{architecture}.block_count"))
    is_tied = not weights["output"]
    blocks = sorted((int(name), size) for name, size in weights.items() if name.isdecimal())
    return Sizes(
        layers=tuple(size for _, size in blocks),
        output=weights["token_embd" if is_tied else "output"] + weights["output_norm"],
        total=weights.total(),
        is_tied=is_tied,
        embedding=embedding,
        trained_context=trained_context,
    )


def _check_blocks(count: int | None) -> None:
    # llama.cpp ends the process for a count outside these bounds.
    if count is not None and not 0 < count <= _MOST_BLOCKS:
        raise LoadError(FailureCode.LOAD_FAILED, f"block_count = {count}")


def _parts(path: Path) -> Iterator[Path]:
    split = _FIRST_PART.search(path.name)
    yield path
    if split:
        for number in range(2, int(split[1]) + 1):
            yield path.with_name(f"{path.name[: split.start()]}-{number:05}-of-{split[1]}.gguf")
