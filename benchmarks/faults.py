"""`chatdesk bench faults`: thousands of damaged inputs, and more requests than there are places.

The short forms of all of it are tests (`tests/faults`). The baseline is the same server before.
"""

import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.engine_client import EngineClient
from benchmarks.report import print_report
from chatdesk.core.generation import Adapter, Generate
from chatdesk.core.sampling import SamplingParams
from chatdesk.library.models.starter import find_starter
from tests.faults.conftest import tiny_served
from tests.faults.databases import try_cut_journals, try_databases
from tests.faults.files import try_adapters, try_headers, try_templates
from tests.faults.load import memory_bytes, requests_and_cancels, streams_at_once
from tests.faults.requests import try_bodies
from tests.faults.tried import HANG_S, Tried
from tests.server.conftest import Served

BODIES, HEADERS, ADAPTERS, TEMPLATES, DATABASES = 10_000, 5_000, 1_000, 500, 200
AT_ONCE = (4, 32, 100)
REQUESTS, LEAVES_EVERY = 3_000, 5  # 600 clients leave early
LIMITS = {"faults": 0, "slowest_s": HANG_S, "lost_requests": 0, "engine_growth_bytes": 8e6}


def main() -> None:
    """Try everything, then print; what was a fault is said on stderr."""
    starter = find_starter()
    assert starter
    figures: dict[str, float] = {}
    tried: list[Tried] = []

    def report(name: str, found: Tried) -> None:
        print(f"{name}: {found.usable} of {found.count} usable", *found.faults, file=sys.stderr)
        figures[name], figures[f"{name}_usable"] = float(found.count), float(found.usable)
        tried.append(found)

    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-", ignore_cleanup_errors=True) as home:
        folder = Path(home)
        report("headers", try_headers(folder, HEADERS))
        engine = EngineClient(str(starter))
        report("adapters", try_adapters(folder, starter, ADAPTERS, use=_asking_with(engine)))
        engine.close()
        report("templates", try_templates(TEMPLATES))
        report("databases", try_databases(folder, DATABASES))
        report("journals", try_cut_journals(folder))
        served = tiny_served(folder)
        report("bodies", try_bodies(served, BODIES))
        baseline = {"engine_bytes": float(memory_bytes(served))}
        figures |= _load(served)
        figures["engine_growth_bytes"] = memory_bytes(served) - baseline["engine_bytes"]
        served.close()
    figures["faults"] = float(sum(len(each.faults) for each in tried))
    figures["slowest_s"] = max(each.slowest_s for each in tried)
    print_report("faults", figures, baseline, {}, LIMITS)


def _asking_with(engine: EngineClient) -> Callable[[Path], None]:
    """Return what asks the engine with an adapter: it answers or refuses, and lives on."""
    numbers = itertools.count()

    def ask(adapter: Path) -> None:
        params = SamplingParams(max_tokens=1)
        request = Generate(
            f"adapter-{next(numbers)}", (), params, prompt="tea", adapters=(Adapter(str(adapter)),)
        )
        assert engine.send(request).done.wait(HANG_S), "the engine ended or hangs"

    return ask


def _load(served: Served) -> dict[str, float]:
    """Many streams at once, then many requests and leaving clients; how many did not end once."""
    ends: Counter[str] = Counter()
    for count in AT_ONCE:
        found = streams_at_once(served, count)
        print(f"{count} at once: {dict(found)}", file=sys.stderr)
        ends += found
    found = requests_and_cancels(served, REQUESTS, LEAVES_EVERY)
    print(f"{REQUESTS} requests: {dict(found)}", file=sys.stderr)
    ends += found
    served.until(lambda: served.running() == 0)
    asked = sum(AT_ONCE) + REQUESTS
    return {
        "requests": float(asked),
        "left_requests": float(ends["left"]),
        "lost_requests": float(asked - ends["ended"] - ends["left"] - ends["busy"]),
    }


if __name__ == "__main__":
    main()
