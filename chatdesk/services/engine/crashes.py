"""Crashes of the engine: the sentence for the user, and the limit of restarts."""

import time
from collections import deque

from chatdesk.core.errors import EngineProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions
from chatdesk.services.engine.problems import out_of_memory
from chatdesk.workers.process import Outcome

CRASHES_ALLOWED = 3  # within CRASH_WINDOW_S; after more, another restart does not help
CRASH_WINDOW_S = 60.0


class CrashCount:
    """The number of recent crashes."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=CRASHES_ALLOWED)

    def is_one_too_many(self) -> bool:
        """Count a crash; return True if there are too many for another restart."""
        now = time.monotonic()
        self._times.append(now)
        return len(self._times) == CRASHES_ALLOWED and now - self._times[0] < CRASH_WINDOW_S

    def clear(self) -> None:
        """Reset the count: another model, or other options."""
        self._times.clear()


def crash_problem(
    outcome: Outcome, options: LoadOptions | None, window: int | None
) -> EngineProblem:
    """Return why the engine ended. `options` are those of the requested model, if any.

    `window` is the context window of the loaded model, in tokens, if it was loaded.
    """
    if options and outcome.was_killed_from_outside():
        return out_of_memory(options, window)
    what = tr("The engine stopped unexpectedly ({how}).", how=outcome.state_str())
    if options and options.remote:  # llama.cpp ends the process when one disconnects
        what = tr("The engine stopped, most likely because another computer went away.")
    return EngineProblem(what, tr("What was written is kept. Try again."))
