"""Crashes of the engine: what the person is told, and when starting again does not help."""

import time
from collections import deque

from chatdesk.core.errors import EngineProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions
from chatdesk.services.engine.problems import out_of_memory
from chatdesk.workers.process import Outcome

CRASHES_ALLOWED = 3  # within CRASH_WINDOW_S; more means that starting again does not help
CRASH_WINDOW_S = 60.0


class CrashCount:
    """How many crashes there were of late."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=CRASHES_ALLOWED)

    def add(self) -> bool:
        """One more, now; whether that is too often to start again."""
        now = time.monotonic()
        self._times.append(now)
        return len(self._times) == CRASHES_ALLOWED and now - self._times[0] < CRASH_WINDOW_S

    def clear(self) -> None:
        """Begin anew: another model, or other options."""
        self._times.clear()


def crash_problem(
    outcome: Outcome, options: LoadOptions | None, window: int | None
) -> EngineProblem:
    """Why the engine ended. `options` are those of the model that was wanted, if one was.

    `window` is the context window it had reached, in tokens, if it got as far as that.
    """
    if options and outcome.was_killed_from_outside():
        return out_of_memory(options, window)
    what = tr("The engine stopped unexpectedly ({how}).", how=outcome.state_str())
    if options and options.remote:  # llama.cpp ends the process when one goes
        what = tr("The engine stopped, most likely because another computer went away.")
    return EngineProblem(what, tr("What was written is kept. Try again."))
