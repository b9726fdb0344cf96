import signal
import time

import pytest

from chatdesk.core.loading import LoadOptions
from chatdesk.services.engine.crashes import CRASH_WINDOW_S, CrashCount, crash_problem, is_fault
from chatdesk.workers.process import Outcome

KILLED = Outcome(-9, False, ())
EXITED = Outcome(5, False, ())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_third_within_the_window_is_one_too_many(clock: list[float]) -> None:
    crashes = CrashCount()
    assert [crashes.is_one_too_many(), crashes.is_one_too_many(), crashes.is_one_too_many()] == [
        False,
        False,
        True,
    ]
    crashes.clear()
    assert not crashes.is_one_too_many()


def test_crashes_far_apart_are_no_pattern(clock: list[float]) -> None:
    crashes = CrashCount()
    for _ in range(5):
        assert not crashes.is_one_too_many()
        clock[0] += CRASH_WINDOW_S / 2


@pytest.mark.posix
def test_what_is_a_fault_of_the_engine_itself() -> None:
    assert [is_fault(Outcome(-code, False, ())) for code in (signal.SIGABRT, signal.SIGSEGV)]
    assert not is_fault(Outcome(-signal.SIGABRT, True, ()))
    assert not any(map(is_fault, (KILLED, EXITED, Outcome(-signal.SIGTERM, False, ()))))


def test_who_was_killed_is_offered_half_the_window_that_was_reached() -> None:
    smaller = crash_problem(KILLED, LoadOptions(32768), 8192).smaller
    assert smaller == LoadOptions(4096)


@pytest.mark.posix
def test_an_end_without_a_model_wanted_is_no_want_of_memory() -> None:
    problem = crash_problem(KILLED, None, None)
    assert "killed by SIGKILL" in problem.what
    assert problem.smaller is None


def test_another_computer_is_suspected_only_if_there_is_one() -> None:
    assert "exited with 5" in crash_problem(EXITED, LoadOptions(), None).what
    remote = LoadOptions(remote=("there:50052",))
    assert "another computer" in crash_problem(EXITED, remote, None).what
