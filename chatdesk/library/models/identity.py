"""A model's identity: the hash of its content."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path

from chatdesk.formats.gguf.parts import parts_of

CHUNK_BYTES = 1 << 20


def sha256_of(path: Path, cancelled: Callable[[], bool]) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal; a gigabyte takes about a second.

    Calls `cancelled` between chunks; raises `CancelledError` when it returns true, and `OSError`.
    """
    return _sha256([path], cancelled)


def sha256_of_model(path: Path, cancelled: Callable[[], bool]) -> str:
    """Return `sha256_of` the model that begins in a file: of all its parts, in order."""
    return _sha256(parts_of(path), cancelled)


def _sha256(files: Sequence[Path], cancelled: Callable[[], bool]) -> str:
    digest = hashlib.sha256()
    buffer = bytearray(CHUNK_BYTES)
    view = memoryview(buffer)
    for path in files:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                if cancelled():
                    raise CancelledError
                digest.update(view[:count])
    return digest.hexdigest()
