"""The files of a model that is split into several.

They have the names of llama.cpp's `llama_split_path`: "name-00001-of-00003.gguf" is the first.
"""

import re
from pathlib import Path

MOST_PARTS = 1000  # the largest models have some tens
_PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.DOTALL)


def parts_of(path: Path) -> tuple[Path, ...]:
    """Return all files of the model that `path` belongs to, in order; some may be missing."""
    named = _PART.fullmatch(path.name)
    if named is None:
        return (path,)
    stem, number, count = named[1], int(named[2]), int(named[3])
    if not 1 <= number <= count <= MOST_PARTS:
        return (path,)
    return tuple(path.with_name(f"{stem}-{n:05}-of-{count:05}.gguf") for n in range(1, count + 1))


def stem_of(path: Path) -> str:
    """Return the name that all parts have in common, without a suffix."""
    named = _PART.fullmatch(path.name)
    return named[1] if named else path.stem


def is_further_part(path: Path) -> bool:
    """Return True if a file only continues a model that begins in another one."""
    return parts_of(path)[0] != path
