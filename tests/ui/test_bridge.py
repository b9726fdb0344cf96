import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.chat.facts import ConversationsChanged, TextArrived
from chatdesk.services.facts import Fact
from chatdesk.ui.bridge import Bridge


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


def test_work_runs_elsewhere_and_its_result_comes_back_here(bridge: Bridge, qtbot: QtBot) -> None:
    threads: list[str] = []

    def done(result: int) -> None:
        threads.append(threading.current_thread().name)
        assert result == 42

    def work() -> int:
        threads.append(threading.current_thread().name)
        return 42

    bridge.run(work, done)
    qtbot.waitUntil(lambda: len(threads) == 2)
    assert threads[0].startswith("quick")
    assert threads[1] == threading.current_thread().name


def test_a_problem_goes_to_who_takes_it(bridge: Bridge, qtbot: QtBot) -> None:
    told: list[EnvironmentProblem] = []
    problem = EnvironmentProblem("The disk is full.")

    def work() -> None:
        raise problem

    bridge.run(work, None, told.append)
    qtbot.waitUntil(lambda: told == [problem])


def test_a_bug_and_an_untaken_problem_are_told(bridge: Bridge, qtbot: QtBot) -> None:
    for bug in (EnvironmentProblem("x"), ZeroDivisionError()):

        def work(bug: Exception = bug) -> None:
            raise bug

        with qtbot.waitSignal(bridge.bug_found) as told:
            bridge.run(work)
        assert told.args == [bug]


@pytest.mark.parametrize("ends_in", [None, EnvironmentProblem("x"), ZeroDivisionError()])
def test_an_end_is_told_before_whatever_came_of_it(
    bridge: Bridge, qtbot: QtBot, ends_in: Exception | None
) -> None:
    def work() -> None:
        if ends_in:
            raise ends_in

    told: list[str] = []
    bridge.bug_found.connect(lambda _: told.append("bug"))
    bridge.run(
        work,
        lambda _: told.append("done"),
        lambda _: told.append("failed"),
        ended=lambda: told.append("ended"),
    )
    outcomes = {type(None): "done", EnvironmentProblem: "failed", ZeroDivisionError: "bug"}
    qtbot.waitUntil(lambda: told == ["ended", outcomes[type(ends_in)]])


def test_pieces_that_arrive_together_are_joined(bridge: Bridge, qtbot: QtBot) -> None:
    arrived: list[Fact] = []
    bridge.subscribe(Fact, arrived.append)
    for start, text in ((0, "a"), (1, "bc"), (3, "d")):
        bridge.publish(TextArrived("c", "m", start, text))
    bridge.publish(TextArrived("c", "other", 0, "x"))
    bridge.publish(TextArrived("c", "m", 9, "gap"))
    bridge.publish(ConversationsChanged())
    qtbot.waitUntil(lambda: len(arrived) == 4)
    assert arrived == [
        TextArrived("c", "m", 0, "abcd"),
        TextArrived("c", "other", 0, "x"),
        TextArrived("c", "m", 9, "gap"),
        ConversationsChanged(),
    ]


def test_nothing_is_delivered_after_closing(bridge: Bridge, qtbot: QtBot) -> None:
    done: list[int] = []
    bridge.run(lambda: 1, done.append)
    bridge.close()
    bridge.run(lambda: 2, done.append)
    qtbot.wait(50)
    assert done in ([], [1])
    assert 2 not in done
