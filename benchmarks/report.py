"""What every bench prints: a table for people, and one JSON line for scripts."""

import json
import platform
from collections.abc import Mapping, Sequence

from chatdesk import __version__
from chatdesk.library.hardware import read_hardware


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed; 0.0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def print_report(
    bench: str,
    figures: Mapping[str, float],
    baseline: Mapping[str, float],
    ratios: Mapping[str, float],
    limits: Mapping[str, float],
    at_least: Mapping[str, float] | None = None,
) -> None:
    """The table, then the line.

    `limits` are the figures' wanted maxima, `at_least` the ratios' wanted minima.
    """
    print(f"{'figure':24} {'measured':>14} {'at most':>14}")
    for name, value in figures.items():
        limit = limits.get(name)
        mark = "" if limit is None else ("  ok" if value <= limit else "  MISSED")
        wanted = "" if limit is None else _shown(limit)
        print(f"{name:24} {_shown(value):>14} {wanted:>14}{mark}")
    for name, value in baseline.items():
        print(f"{'baseline ' + name:38} {_shown(value):>14}")
    for name, value in ratios.items():
        minimum = (at_least or {}).get(name)
        mark = "" if minimum is None else ("  ok" if value >= minimum else "  MISSED")
        wanted = "" if minimum is None else f"at least {_shown(minimum)}"
        print(f"{'ratio ' + name:24} {_shown(value):>14} {wanted:>18}{mark}")
    hardware = read_hardware()
    machine = {
        "system": platform.platform(),
        "cpu": hardware.cpu,
        "cores": hardware.physical_cores,
        "memory_bytes": hardware.total_bytes,
        "python": platform.python_version(),
    }
    document = {
        "bench": bench,
        "version": __version__,
        "machine": machine,
        "figures": figures,
        "baseline": baseline,
        "ratios": ratios,
    }
    print(json.dumps(document))


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3f}"
