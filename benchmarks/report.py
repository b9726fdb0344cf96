"""The output of every benchmark: a table for people, and one JSON line for scripts."""

import json
import platform
from collections.abc import Mapping, Sequence

from chatdesk import __version__
from chatdesk.library.machine.hardware import read_hardware


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

    `limits` are the wanted maxima of figures and ratios, `at_least` the wanted minima.
    """
    print(f"{'figure':24} {'measured':>14} {'wanted':>18}")
    for name, value in figures.items():
        print(f"{name:24} {_shown(value):>14} {_judged(name, value, limits, at_least or {})}")
    for name, value in baseline.items():
        print(f"{'baseline ' + name:24} {_shown(value):>14}")
    for name, value in ratios.items():
        judged = _judged(name, value, limits, at_least or {})
        print(f"{'ratio ' + name:24} {_shown(value):>14} {judged}")
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


def _judged(
    name: str, value: float, limits: Mapping[str, float], at_least: Mapping[str, float]
) -> str:
    """Return the limit of a number, and if it is met; "" without one."""
    if name in limits:
        wanted, good = f"at most {_shown(limits[name])}", value <= limits[name]
    elif name in at_least:
        wanted, good = f"at least {_shown(at_least[name])}", value >= at_least[name]
    else:
        return ""
    return f"{wanted:>18}  {'ok' if good else 'MISSED'}"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3f}"
