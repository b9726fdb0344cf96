"""The process that streams into a message: its name, and a check that it still lives."""

import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

_BOOT = Path("/proc/sys/kernel/random/boot_id")  # another one after each start of the system


@cache
def this_writer() -> str:
    """Name this process `<pid>@<its start>`; a bare pid is soon reused."""
    return _name(psutil.Process())


def is_alive(writer: str | None) -> bool:
    """Return True if the process that `this_writer` named, here or elsewhere, still runs."""
    if writer is None:
        return False
    try:
        process = psutil.Process(int(writer.partition("@")[0]))
        return process.status() != psutil.STATUS_ZOMBIE and _name(process) == writer
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or its pid is another user's now
        return False


def _name(process: psutil.Process) -> str:
    """Name a process the same for its whole life, whatever becomes of the clock.

    Linux counts from the start of the system, whose moment moves when the clock is set.
    """
    started, boot = process.create_time(), ""
    if sys.platform == "linux":
        started -= psutil.boot_time()
        with suppress(OSError):
            boot = f"+{_BOOT.read_text('ascii').strip()}"
    return f"{process.pid}@{started:.2f}{boot}"
