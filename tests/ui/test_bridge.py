import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.app import App
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

    bridge.run_now(work, done)
    qtbot.waitUntil(lambda: len(threads) == 2)
    assert threads[0].startswith("quick")
    assert threads[1] == threading.current_thread().name


def test_a_problem_goes_to_who_takes_it(bridge: Bridge, qtbot: QtBot) -> None:
    told: list[EnvironmentProblem] = []
    problem = EnvironmentProblem("The disk is full.")

    def work() -> None:
        raise problem

    bridge.run_now(work, None, told.append)
    qtbot.waitUntil(lambda: told == [problem])


def test_a_bug_and_an_untaken_problem_are_told(bridge: Bridge, qtbot: QtBot) -> None:
    for bug in (EnvironmentProblem("x"), ZeroDivisionError()):

        def work(bug: Exception = bug) -> None:
            raise bug

        with qtbot.waitSignal(bridge.bug_found) as told:
            bridge.run_now(work)
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
    bridge.run_now(
        work,
        lambda _: told.append("done"),
        lambda _: told.append("failed"),
        ended=lambda: told.append("ended"),
    )
    outcomes = {type(None): "done", EnvironmentProblem: "failed", ZeroDivisionError: "bug"}
    qtbot.waitUntil(lambda: told == ["ended", outcomes[type(ends_in)]])


def test_what_is_asked_before_the_services_are_open_is_kept(bridge: Bridge, qtbot: QtBot) -> None:
    told: list[str] = []
    bridge.opened.connect(lambda: bridge.run(name_of, lambda _: told.append("read at once")))
    bridge.run(name_of, told.append)
    bridge.run_now(lambda: "no services", told.append)
    qtbot.waitUntil(lambda: told == ["no services"])
    bridge.open(cast(App, SimpleNamespace(name="ours")))
    bridge.run(name_of, lambda name: told.append(f"{name} again"))
    qtbot.waitUntil(lambda: told[1:] == ["read at once", "ours", "ours again"])


def test_what_is_kept_is_refused_where_the_services_cannot_be_opened(
    bridge: Bridge, qtbot: QtBot
) -> None:
    told: list[object] = []
    problem = EnvironmentProblem("The database is damaged.")
    bridge.bug_found.connect(told.append)
    bridge.run(name_of, told.append, told.append, ended=lambda: told.append("ended"))
    bridge.run(name_of, told.append, ended=lambda: told.append("ended too"))
    bridge.fail(problem)
    assert told == ["ended", problem, "ended too"]
    bridge.run(name_of, told.append)
    bridge.open(cast(App, SimpleNamespace(name="ours")))  # the person tried again
    qtbot.waitUntil(lambda: told[3:] == ["ours"])


def name_of(app: App) -> str:
    return str(app.name)  # type: ignore[attr-defined]


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
    bridge.run_now(lambda: 1, done.append)
    bridge.close()
    bridge.run_now(lambda: 2, done.append)
    qtbot.wait(50)
    assert done in ([], [1])
    assert 2 not in done
