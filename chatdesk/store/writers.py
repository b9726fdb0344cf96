"""The process that streams into a message: its name, and a check that it still lives."""

import os
from functools import cache

import psutil

# Linux calculates a process's start from the boot time, which a clock correction shifts a little.
CLOCK_SLACK_S = 5.0


@cache
def this_writer() -> str:
    """Name this process `<pid>@<creation time, seconds since 1970>`; a bare pid is soon reused."""
    return f"{os.getpid()}@{psutil.Process().create_time():.2f}"


def is_alive(writer: str | None) -> bool:
    """Return True if the process that `this_writer` named, here or elsewhere, still runs."""
    if writer is None:
        return False
    pid, _, created = writer.partition("@")
    try:
        process = psutil.Process(int(pid))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - float(created)) < CLOCK_SLACK_S
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or its pid is another user's now
        return False
