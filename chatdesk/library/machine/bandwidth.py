"""This computer's memory bandwidth, which limits the decoding speed more than anything else."""

import ctypes
import json
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from chatdesk.core.files import write_json
from chatdesk.core.units import GIB

_log = logging.getLogger(__name__)

MOST_THREADS = 4  # so many use the whole bandwidth of nearly every computer
COPIED_BYTES = 64 << 20  # by all threads together; more than caches hold
ROUNDS = 5  # the fastest counts: others were disturbed


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """The best that was measured, 0 before; `times` in moments in which the computer was quiet."""

    bytes_per_s: float = 0.0
    times: int = 0


def read_bandwidth(file: Path) -> Bandwidth:
    """Return what is saved in `file` of this computer."""
    try:
        kept = json.loads(file.read_bytes())
        measured, times = float(kept["bytes_per_s"]), int(kept.get("times", 0))
        if kept["computer"] == _computer() and 0 < measured < math.inf:
            return Bandwidth(measured, times)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as problem:
        _log.warning("%s: %s", file.name, type(problem).__name__)
    return Bandwidth()


def measure_bandwidth(file: Path, *, quiet: bool) -> Bandwidth:
    """Measure the bandwidth, in some 200 ms, and save it in `file`, if that can be written.

    The best value so far stays. `quiet`: nothing else needs the computer now, so that it counts.
    """
    threads = min(psutil.cpu_count(logical=False) or 1, MOST_THREADS)
    before = read_bandwidth(file)
    best = Bandwidth(max(before.bytes_per_s, _measure(threads)), before.times + quiet)
    kept = {"bytes_per_s": best.bytes_per_s, "times": best.times, "computer": _computer()}
    try:
        write_json(file, kept)
    except OSError as problem:
        _log.warning("%s: %s", file.name, type(problem).__name__)
    return best


def _computer() -> list[int]:
    """Return cores and GiB of memory, so that a copied folder does not give wrong values."""
    return [psutil.cpu_count() or 0, round(psutil.virtual_memory().total / GIB)]


def _measure(threads: int) -> float:
    """Return the bytes read and written per second by so many threads, each with its own buffer."""
    copies = [_copier(COPIED_BYTES // threads) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        best = min(_seconds(pool, copies) for _ in range(ROUNDS))
    return 2 * COPIED_BYTES / best


def _seconds(pool: ThreadPoolExecutor, copies: list[Callable[[], object]]) -> float:
    started = time.perf_counter()
    for running in [pool.submit(copy) for copy in copies]:
        running.result()
    return time.perf_counter() - started


def _copier(count: int) -> Callable[[], object]:
    """Return a function that copies a buffer of `count` bytes without the interpreter's lock."""
    source, target = ctypes.create_string_buffer(count), ctypes.create_string_buffer(count)
    for buffer in (source, target):
        ctypes.memset(buffer, 1, count)  # memory is only allocated when it is written to
    return lambda: ctypes.memmove(target, source, count)
