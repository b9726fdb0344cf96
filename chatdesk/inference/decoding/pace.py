"""How much of a prompt a step reads beside running answers, so that nobody notices a gap."""

import time
from collections.abc import Callable

from chatdesk.inference.speculation.speculation import StepCosts

# A gap of 250 ms is noticed: two steps, when the first token shows nothing yet, and one that takes
# twice as long as expected, fit into it.
_STEP_S = 0.08
_SMALLEST_SLICE = 8  # tokens
_SMOOTHING = 0.3
_LARGEST_SURPRISE = 2.0  # times the expected time of a token: a longer step was disturbed


class Pace:
    """Learns what a prompt token costs in a step; the rows of answers are known to `costs`.

    A slower machine is believed at once, up to half as fast, and a faster one by and by.
    """

    def __init__(self, costs: StepCosts, clock: Callable[[], float] = time.monotonic) -> None:
        self._costs = costs
        self._clock = clock
        self._token_s = 0.0  # seconds for a prompt token beside answers
        self._ended = 0.0  # when the last step ended
        self._is_late = False

    def slice(self, rows: int) -> int:
        """Return how many prompt tokens the next step may read beside so many rows of answers."""
        late = self._clock() - self._ended
        # Something was moved in memory: the answers have waited enough. Not where it is so always,
        # because other work takes its turns.
        self._is_late = late > _STEP_S and not self._is_late
        if self._is_late:
            return 1
        if not self._token_s:
            return _SMALLEST_SLICE
        left = _STEP_S - self._costs.expected(rows) - (late if late < _STEP_S else 0)
        return max(_SMALLEST_SLICE, int(left / self._token_s))

    def measured(self, rows: int, read: int, seconds: float) -> None:
        """Learn from a step that has just ended."""
        self._ended = self._clock()
        if read == 0:
            self._costs.measured(rows, seconds)
        if rows == 0 or read < _SMALLEST_SLICE:
            return  # a batch without answers reads faster
        each = (seconds - self._costs.expected(rows)) / read
        if each <= 0:
            return
        before = self._token_s or each
        share = _SMOOTHING if each < before else 1.0
        self._token_s = before + share * (min(each, _LARGEST_SURPRISE * before) - before)
