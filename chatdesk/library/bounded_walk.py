"""Walks through folders of unknown content: limited in time, without cycles, without errors."""

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MOST_ENTRIES = 50_000  # a walk ends after so many files and folders
MOST_BYTES = 1 << 20  # settings and manifests have some kilobytes


def files_below(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the files of a folder and of those below it, `depth` levels in all, in order.

    Links to folders are not followed; what cannot be read is left out.
    """
    return (
        Path(entry.path) for entry in islice(_walk(folder, depth), MOST_ENTRIES) if _is_file(entry)
    )


def _walk(folder: Path | str, depth: int) -> Iterator["os.DirEntry[str]"]:
    """Yield everything below a folder."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(islice(found, MOST_ENTRIES), key=lambda entry: entry.name)
    except (OSError, ValueError):  # ValueError: a path with a NUL
        return
    for entry in entries:
        yield entry
        if depth > 1 and entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, depth - 1)


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """Return True if it is a file, or a link to one."""
    try:
        return entry.is_file()
    except OSError:
        return False


def read_small(file: Path) -> bytes:
    """Return the content of a small file; empty if it is larger, not a file, or unreadable."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would block
            return b""
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        return b""
    return content if len(content) <= MOST_BYTES else b""
