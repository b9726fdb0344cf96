"""The server's counters, in Prometheus' text format 0.0.4.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum

from chatdesk.core.generation import GenerationStats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TOKENS_PER_S = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)


class Stage(Enum):
    """The stage of a request to the engine."""

    WAITING = "waiting"  # for the model to load, or for a free place
    RUNNING = "running"
    ENDED = "ended"


class Histogram:
    """Counts of values up to each of `bounds`."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str) -> Iterator[str]:
        """The samples of the family `name`."""
        total = 0
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._sum}"
        yield f"{name}_count {total}"


class Metrics:
    """All metrics of the server; use them only on the event loop."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._stages: Counter[Stage] = Counter()
        self._prompt_tokens = 0
        self._cached_tokens = 0
        self._completion_tokens = 0
        self._first_token = Histogram(SECONDS)
        self._speed = Histogram(TOKENS_PER_S)

    def answered(self, route: str, status: int) -> None:
        """Count an HTTP request that has ended."""
        self._requests[route, status] += 1

    def moved(self, old: Stage | None, new: Stage) -> None:
        """Count a request to the engine that has moved to another stage."""
        if old:
            self._stages[old] -= 1
        self._stages[new] += 1

    def first_token(self, seconds: float) -> None:
        """Count an answer that has begun, `seconds` after its request."""
        self._first_token.observe(seconds)

    def finished(self, stats: GenerationStats) -> None:
        """Count an answer that has ended or was cancelled."""
        self._completion_tokens += stats.completion_tokens
        self.read(stats.prompt_tokens, stats.cached_tokens)
        if stats.tokens_per_s is not None:
            self._speed.observe(stats.tokens_per_s)

    def read(self, tokens: int, cached: int = 0) -> None:
        """Count `tokens` of a prompt, of which `cached` were in the cache already."""
        self._prompt_tokens += tokens
        self._cached_tokens += cached

    def text(self) -> str:
        """Return all metrics, as `/metrics` serves them."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _head("requests_total", "counter", "HTTP requests that have ended.")
        for (route, status), count in sorted(self._requests.items()):
            yield f'chatdesk_requests_total{{route="{route}",status="{status}"}} {count}'
        for name, kind, text, value in (
            ("prompt_tokens_total", "counter", "Tokens of prompts.", self._prompt_tokens),
            ("cached_tokens_total", "counter", "Those not read anew.", self._cached_tokens),
            ("completion_tokens_total", "counter", "Tokens written.", self._completion_tokens),
            ("requests_running", "gauge", "Being answered.", self._stages[Stage.RUNNING]),
            ("requests_waiting", "gauge", "Not begun yet.", self._stages[Stage.WAITING]),
        ):
            yield from _head(name, kind, text)
            yield f"chatdesk_{name} {value}"
        for name, text, histogram in (
            ("time_to_first_token_seconds", "From request to first token.", self._first_token),
            ("tokens_per_second", "Speed of each answer.", self._speed),
        ):
            yield from _head(name, "histogram", text)
            yield from histogram.lines(f"chatdesk_{name}")


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP chatdesk_{name} {text}", f"# TYPE chatdesk_{name} {kind}"
