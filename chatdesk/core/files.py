"""Files that are written whole: after a crash the old one is there or the new one, never half."""

import contextlib
import glob
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

_ABANDONED_S = 60.0  # nothing small takes as long to be written
PRIVATE = 0o600
PUBLIC = 0o666  # less what the user's umask takes away


@contextlib.contextmanager
def whole_file(
    path: Path, *, durable: bool = False, mode: int = PRIVATE, partial: Path | None = None
) -> Iterator[Path]:
    """An empty file beside `path` to write to; it replaces `path` when the block succeeds.

    `durable` makes it survive a power cut: after the block, file and folder are on the disk.
    Several threads and processes may write the same `path`: each gets a partial file of its own.
    Where there is only one writer, a fixed `partial` lets it replace what a killed one left.
    Raises `OSError`; `path` is then as it was, and the partial file is gone.
    """
    partial = partial or path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode, exist_ok=False)
        yield partial
        if durable:
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
        partial.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Replace a private file in one step, in a folder that is made where it is missing.

    Raises `OSError`; see `whole_file`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole_file(path, durable=durable) as file:
        file.write_bytes(data)
    _remove_abandoned(path)


def _remove_abandoned(path: Path) -> None:
    """Remove what killed processes left half-written beside a file: it may hold private words."""
    moment = time.time()
    for partial in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):  # another process was faster
            if abs(moment - partial.stat().st_mtime) > _ABANDONED_S:  # clocks may go back
                partial.unlink()


def write_json(path: Path, value: object, *, durable: bool = False) -> None:
    """Replace a private JSON file in one step. Raises `OSError`; see `write_whole`."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    # Lone surrogates cannot be written.
    write_whole(path, text.encode("utf-8", "replace"), durable=durable)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut, where the system can do that."""
    if os.name != "posix":  # elsewhere folders cannot be opened
        return
    with contextlib.suppress(OSError):  # not all network disks can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
