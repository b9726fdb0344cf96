"""Which process streams into a message, and whether it still lives."""

import os
from functools import cache

import psutil

# Linux works a process's start out from the time of boot, which a corrected clock shifts a little.
CLOCK_SLACK_S = 5.0


@cache
def this_writer() -> str:
    """This process as `<pid>@<creation time, seconds since 1970>`; a bare pid is soon reused."""
    return f"{os.getpid()}@{psutil.Process().create_time():.2f}"


def is_alive(writer: str | None) -> bool:
    """Whether the process that `this_writer` named so, here or in another process, still runs."""
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
