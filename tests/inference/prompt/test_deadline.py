"""The time limit ends work that takes too long, and nothing else."""

import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from chatdesk.inference.prompt import deadline
from chatdesk.inference.prompt.deadline import Overdue, call_within


@pytest.fixture
def fast_switching() -> Iterator[None]:
    """Threads take turns so often that a strike may come after any line."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def loop(seconds: float = 60.0) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "done"


def test_work_in_time_returns_and_raises_as_ever() -> None:
    assert call_within(60, lambda: "done") == "done"
    with pytest.raises(ZeroDivisionError):
        call_within(60, lambda: 1 / 0)


def test_an_endless_loop_ends_in_time() -> None:
    started = time.monotonic()
    with pytest.raises(Overdue):
        call_within(0.2, loop)
    assert 0.2 <= time.monotonic() - started < 5


def test_no_handler_of_the_work_stops_that() -> None:
    def stubborn() -> None:
        while True:
            try:
                loop()
            except Exception:
                continue

    with pytest.raises(Overdue):
        call_within(0.2, stubborn)


def test_a_lost_strike_is_followed_by_another() -> None:
    def losing() -> None:
        try:
            loop()
        except BaseException:
            loop()

    started = time.monotonic()
    with pytest.raises(Overdue):
        call_within(0.2, losing)
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("fast_switching")
@pytest.mark.parametrize("again", [0.5, 0.0])
def test_nothing_strikes_after_the_end(again: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "_AGAIN_S", again)  # at once: the end is struck as well
    chance = random.Random(7)
    ended = {"done": 0, "overdue": 0}
    for _ in range(3000):
        seconds = chance.uniform(0.0003, 0.0007)
        try:
            ended[call_within(0.0005, partial(loop, seconds))] += 1
        except Overdue:
            ended["overdue"] += 1
        for _ in range(50):  # a late strike would be raised here
            len("later code")
    assert min(ended.values()) > 100


@pytest.mark.usefixtures("fast_switching")
def test_threads_have_their_own_deadlines() -> None:
    def one(number: int) -> str:
        try:
            return call_within(0.1 if number % 2 else 60, lambda: loop(60 if number % 2 else 0.2))
        except Overdue:
            return "overdue"

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(24))) == ["done", "overdue"] * 12


def test_no_thread_outlives_the_work() -> None:
    before = set(threading.enumerate())
    for _ in range(200):
        call_within(60, lambda: None)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
