"""When a run holds still, and that it goes on again."""

import queue
from collections.abc import Iterator
from typing import NamedTuple

import psutil
import pytest

from chatdesk.core.settings import LearningSettings, Settings
from chatdesk.services.personalize.run import schedule
from chatdesk.services.personalize.run.idleness import is_in_use
from chatdesk.services.personalize.run.schedule import Schedule, is_hot, on_battery

PATIENCE_S = 10.0


@pytest.fixture
def heard() -> "queue.SimpleQueue[str]":
    return queue.SimpleQueue()


@pytest.fixture
def watch(heard: "queue.SimpleQueue[str]", monkeypatch: pytest.MonkeyPatch) -> Iterator[Schedule]:
    monkeypatch.setattr(schedule, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(schedule, "QUIET_S", 0.05)
    monkeypatch.setattr(schedule, "on_battery", lambda: False)
    monkeypatch.setattr(schedule, "is_hot", lambda: False)
    watch = Schedule(Settings, heard.put)
    yield watch
    watch.close()


def test_an_answer_is_waited_for_at_once(watch: Schedule, heard: "queue.SimpleQueue[str]") -> None:
    watch.answering(True)
    assert heard.get_nowait() == "waits while you chat"
    watch.answering(False)
    assert heard.get(timeout=PATIENCE_S) == ""


def test_the_person_pauses_it_for_as_long_as_wanted(
    watch: Schedule, heard: "queue.SimpleQueue[str]"
) -> None:
    watch.pause(True)
    assert heard.get_nowait() == "paused"
    watch.answering(True)
    watch.answering(False)
    with pytest.raises(queue.Empty):
        heard.get(timeout=0.3)
    assert watch.is_paused
    watch.pause(False)
    assert heard.get(timeout=PATIENCE_S) == ""


def test_battery_and_heat_hold_it_unless_the_settings_say_otherwise(
    heard: "queue.SimpleQueue[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LOOK_EVERY_S", 0.05)
    for name, field in (("on_battery", "on_battery"), ("is_hot", "when_hot")):
        monkeypatch.setattr(schedule, "on_battery", lambda: False)
        monkeypatch.setattr(schedule, "is_hot", lambda: False)
        monkeypatch.setattr(schedule, name, lambda: True)
        settings = Settings()
        watch = Schedule(lambda: settings, heard.put)  # noqa: B023
        assert heard.get(timeout=PATIENCE_S).startswith("waits ")
        settings = settings.edited("learning", **{field: True})
        assert heard.get(timeout=PATIENCE_S) == ""
        watch.close()


def test_what_the_system_tells_of_its_battery_and_heat(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = {"coretemp": [_Reading(96.0, 95.0)]}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: readings, raising=False)
    assert is_hot()
    readings["coretemp"] = [_Reading(60.0, 95.0), _Reading(60.0, None)]
    assert not is_hot()
    readings["nvme"] = [_Reading(96.0, 80.0)]  # a disk's heat is not the trainer's
    assert not is_hot()
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    assert not on_battery()
    for plugged, expected in ((True, False), (False, True), (None, False)):
        state = _Battery(plugged)
        monkeypatch.setattr(psutil, "sensors_battery", lambda: state, raising=False)  # noqa: B023
        assert on_battery() is expected


class _Reading:
    def __init__(self, current: float, high: float | None) -> None:
        self.current = current
        self.high = high


class _Battery:
    def __init__(self, power_plugged: bool | None) -> None:
        self.power_plugged = power_plugged


def test_it_waits_until_nobody_uses_the_computer_if_that_is_wanted(
    heard: "queue.SimpleQueue[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(schedule, "IDLE_S", 0.0)
    monkeypatch.setattr(schedule, "is_in_use", lambda: True)
    watch = Schedule(lambda: Settings(learning=LearningSettings(when_idle=True)), heard.put)
    assert heard.get(timeout=PATIENCE_S) == "waits until nobody uses the computer"
    monkeypatch.setattr(schedule, "is_in_use", lambda: False)
    assert heard.get(timeout=PATIENCE_S) == ""
    monkeypatch.setattr(schedule, "IDLE_S", 60.0)
    watch.answering(False)  # an answer has just ended
    assert heard.get(timeout=PATIENCE_S) == "waits until nobody uses the computer"
    watch.close()


def test_the_use_of_the_computer_is_without_niced_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for user, nice, expected in ((5.0, 95.0, False), (60.0, 20.0, True)):
        spent = _Spent(user, nice, 3.0)
        monkeypatch.setattr(psutil, "cpu_times_percent", lambda _: spent)  # noqa: B023
        assert is_in_use() is expected


class _Spent(NamedTuple):
    user: float
    nice: float
    system: float
