"""The speed of the memory is measured in quiet moments, and told when it is better than known."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.library.machine import bandwidth
from chatdesk.library.machine.bandwidth import read_bandwidth
from chatdesk.services.facts import Fact
from chatdesk.services.machine import memory_speed
from chatdesk.services.machine.facts import MachineMeasured
from chatdesk.services.machine.memory_speed import ENOUGH, MemorySpeed

TIMEOUT_S = 20.0


class Computer:
    """Its memory, what else it does, and what was told of it."""

    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = file
        self.found = [9e9]  # by the measurements to come; the last one stays
        self.percent = 0.0
        self.is_needed = False
        self.looked = threading.Semaphore(0)  # at the processors, or at what the engine does
        self.told: list[Fact] = []
        monkeypatch.setattr(memory_speed, "LOOK_EVERY_S", 0.01)
        monkeypatch.setattr("psutil.cpu_percent", self._look)
        monkeypatch.setattr(bandwidth, "_measure", self._measure)
        self.speed = MemorySpeed(file, self._engine, self.told.append)

    def _engine(self) -> bool:
        if self.is_needed:
            self.looked.release()
        return self.is_needed

    def _look(self, interval: float) -> float:
        self.looked.release()
        return self.percent

    def _measure(self, threads: int) -> float:
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]

    def wait_looks(self, times: int) -> None:
        for _ in range(times):
            assert self.looked.acquire(timeout=TIMEOUT_S)

    def wait_end(self) -> None:
        self.speed._thread.join(TIMEOUT_S)
        assert not self.speed._thread.is_alive()


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Computer]:
    computer = Computer(tmp_path / "bandwidth.json", monkeypatch)
    yield computer
    computer.speed.close()


def test_a_busy_computer_is_not_judged(computer: Computer) -> None:
    computer.percent = 80.0
    computer.speed.start()
    computer.wait_looks(3)
    assert computer.speed.bytes_per_s == 0
    assert computer.told == []
    computer.percent = 3.0  # what held it up has ended
    computer.wait_end()
    assert computer.speed.bytes_per_s == 9e9
    assert computer.told == [MachineMeasured()]


def test_nothing_is_measured_beside_an_answer(computer: Computer) -> None:
    computer.is_needed = True
    computer.speed.start()
    computer.wait_looks(3)
    assert computer.speed.bytes_per_s == 0
    computer.is_needed = False
    computer.wait_end()
    assert computer.speed.bytes_per_s == 9e9


def test_the_best_of_some_quiet_moments_stays(computer: Computer) -> None:
    computer.found = [20e9, 22e9, 7e9]
    computer.speed.start()
    computer.wait_end()
    assert computer.speed.bytes_per_s == 22e9
    assert computer.told == [MachineMeasured(), MachineMeasured()]
    assert read_bandwidth(computer.file).times == ENOUGH
    again = MemorySpeed(computer.file, lambda: False, computer.told.append)
    assert again.bytes_per_s == 22e9
    again.start()  # it knows enough
    again.close()
    assert len(computer.told) == 2


def test_a_command_measures_at_once(computer: Computer) -> None:
    computer.percent = 100.0
    computer.speed.measure()
    assert computer.speed.bytes_per_s == 9e9
    assert read_bandwidth(computer.file).times == 0  # a quiet moment may show better
