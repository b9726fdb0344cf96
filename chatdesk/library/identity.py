"""A file's identity is its content."""

import hashlib
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

CHUNK_BYTES = 1 << 20


def sha256_of(path: Path, cancelled: Callable[[], bool]) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; a gigabyte takes about a second.

    Asks `cancelled` between chunks; raises `CancelledError` once it says so, and `OSError`.
    """
    digest = hashlib.sha256()
    buffer = bytearray(CHUNK_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            if cancelled():
                raise CancelledError
            digest.update(view[:count])
    return digest.hexdigest()
