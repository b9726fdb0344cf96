"""Crashes of the engine: the sentence for the user, and what is not tried again."""

import signal
import sys
import time
from collections import deque

from chatdesk.core.errors import EngineProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import ModelFile
from chatdesk.services.engine.problems import out_of_memory
from chatdesk.workers.process import Outcome

CRASHES_ALLOWED = 3  # within CRASH_WINDOW_S; after more, another restart does not help
CRASH_WINDOW_S = 60.0
_FAULTS = {
    -number
    for name in ("SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE")
    if (number := getattr(signal, name, None))
}
_ABORTED = 3  # the exit code of abort() on Windows
_FIRST_FAULT = 0xC0000000  # and there the least code of an exception


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


class HarmfulLoads:
    """Loads that ended the engine by a fault of its own: another try ends it again.

    A load is a model's file as it was, and the options.
    """

    def __init__(self) -> None:
        self._known: set[tuple[str, int, LoadOptions]] = set()

    def add(self, model: ModelFile, options: LoadOptions) -> None:
        """Remember a load."""
        self._known.add((model.path, model.mtime_ns, options))

    def __contains__(self, load: tuple[ModelFile, LoadOptions]) -> bool:
        model, options = load
        return (model.path, model.mtime_ns, options) in self._known


def is_fault(outcome: Outcome) -> bool:
    """Return True if a child ended by a fault of its own, as llama.cpp does over bad data."""
    code = outcome.exit_code
    return not outcome.asked_to_stop and (
        code in _FAULTS or (sys.platform == "win32" and (code == _ABORTED or code >= _FIRST_FAULT))
    )


def harmful(model: ModelFile) -> EngineProblem:
    """Return the problem of a load that ended the engine."""
    return EngineProblem(
        tr("{model} ended the engine while it was loaded.", model=model.header.name),
        tr("Its file may be damaged: fetch it again, try other options, or choose another model."),
    )


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
