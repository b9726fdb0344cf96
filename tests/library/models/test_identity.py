import hashlib
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from chatdesk.library.models.identity import CHUNK_BYTES, sha256_of


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 1])
def test_hash(tmp_path: Path, size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    (tmp_path / "file").write_bytes(data)
    assert sha256_of(tmp_path / "file", lambda: False) == hashlib.sha256(data).hexdigest()


def test_cancelled_in_the_middle(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(10 * CHUNK_BYTES))
    asked: list[None] = []

    def cancelled() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(CancelledError):
        sha256_of(tmp_path / "file", cancelled)
    assert len(asked) == 3


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "file", lambda: False)
