"""The outcome of many damaged inputs of a kind."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

HANG_S = 8.0  # nothing may take longer


@dataclass
class Tried:
    """How many were tried and how many of them were usable; the rest was refused in good order.

    `faults` say of each other outcome what it was: an exception nobody expects, or a hang.
    """

    count: int = 0
    usable: int = 0
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def attempt(
        self, what: str, work: Callable[[], bool], refusals: tuple[type[Exception], ...] = ()
    ) -> None:
        """Do `work`, which says if the input was usable; `refusals` are exceptions that say so."""
        self.count += 1
        started = time.monotonic()
        try:
            self.usable += work()
        except refusals:
            pass
        except Exception as problem:
            self.faults.append(f"{what}: {type(problem).__name__}: {problem}"[:300])
        seconds = time.monotonic() - started
        self.slowest_s = max(self.slowest_s, seconds)
        if seconds > HANG_S:
            self.faults.append(f"{what}: {seconds:.1f} s")
