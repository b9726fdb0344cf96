"""The thread count that computes fastest on this machine."""

import os
import sys
import time

import psutil
from llama_cpp import llama_cpp as lib

from chatdesk.inference.native.context import Batch, Context

_ROUNDS = 3
_PATIENCE_S = 0.3  # no further round after that
_CLEARLY = 0.9  # of the usual count's time: less is no measuring error
_BUSY = 0.15  # share of the cores' time used by other programs


def useful_threads() -> int:
    """Return the usual best count: the physical cores, as far as this process may use them."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return min(physical, _allowed())


def _allowed() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def candidates() -> tuple[int, ...]:
    """Return the thread counts worth a trial, the usual one first.

    Fewer are faster where cores have two speeds, or where a container may use only a part of them;
    more, where a core runs two threads.
    """
    usual = useful_threads()
    return tuple(dict.fromkeys((usual, max(1, usual // 2), max(1, usual // 4), _allowed())))


def use_threads(context: Context, count: int) -> None:
    """Set the thread count of further computations."""
    lib.llama_set_n_threads(context.handle, count, count)


def fastest(context: Context, counts: tuple[int, ...]) -> int | None:
    """Return the count with the fastest decode step; the first unless another is clearly better.

    The counts take turns, and the best step of each counts. None when other programs kept the cores
    so busy that the measurement is of them and not of the cores. Leaves the context empty. Raises
    `Aborted`.
    """
    best = dict.fromkeys(counts, float("inf"))
    batch = Batch(1)
    begun, others = time.monotonic(), _others_s()
    for position, count in enumerate(counts * _ROUNDS):
        use_threads(context, count)
        batch.clear()
        batch.add(0, position, 0, output=True)
        started = time.monotonic()
        context.decode(batch)
        best[count] = min(best[count], time.monotonic() - started)
        if position % len(counts) == len(counts) - 1 and time.monotonic() - begun > _PATIENCE_S:
            break
    context.clear()
    if _others_s() - others > _BUSY * _allowed() * (time.monotonic() - begun):
        return None
    winner = min(counts, key=best.__getitem__)
    return winner if best[winner] < _CLEARLY * best[counts[0]] else counts[0]


def _others_s() -> float:
    """Return the processor time of other processes, in seconds."""
    times = psutil.cpu_times()
    spent = times.user + times.system
    spent += sum(getattr(times, other, 0.0) for other in ("nice", "steal"))  # where they exist
    return spent - time.process_time()
