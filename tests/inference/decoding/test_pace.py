"""How much of a prompt is read in a step, on machines of any speed."""

from itertools import pairwise

import pytest

from chatdesk.inference.decoding.pace import Pace
from chatdesk.inference.speculation.speculation import StepCosts

NOTICED_S = 0.25
ROW_S, TOKEN_S = 0.008, 0.0035  # the starter model on two cores


class Machine:
    """Steps whose duration is simulated; `slowness` may change at any time."""

    def __init__(self) -> None:
        self.slowness = 1.0
        self.now = 1000.0
        self.pace = Pace(StepCosts(), lambda: self.now)

    def step(self, rows: int, read: int, disturbed: float = 1.0) -> float:
        seconds = (ROW_S * (0.3 + 0.7 * rows) + TOKEN_S * read) * self.slowness * disturbed
        self.now += seconds
        self.pace.measured(rows, read, seconds)
        return seconds

    def read(self, rows: int, disturbed: float = 1.0) -> float:
        return self.step(rows, self.pace.slice(rows), disturbed)

    def warm(self, rows: int) -> "Machine":
        """Write some tokens, then read a part of a prompt beside them."""
        for _ in range(30):
            self.step(rows, 0)
        for _ in range(20):
            self.read(rows)
        return self


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
@pytest.mark.parametrize("slowness", [0.2, 1, 2])
def test_no_two_steps_make_a_gap_that_is_noticed(rows: int, slowness: float) -> None:
    machine = Machine()
    machine.slowness = slowness
    machine.step(0, 512)
    machine.warm(rows)
    taken = [machine.read(rows) for _ in range(100)]
    assert max(map(sum, pairwise(taken))) < NOTICED_S


@pytest.mark.parametrize("rows", [1, 3])
def test_a_machine_that_gets_half_as_fast_is_followed_at_once(rows: int) -> None:
    machine = Machine().warm(rows)
    usual = machine.read(rows)
    machine.slowness = 2
    first, second, third = (machine.read(rows) for _ in range(3))
    assert first < NOTICED_S
    assert max(second, third) < 1.3 * usual


def test_what_was_moved_in_memory_counts_as_waiting() -> None:
    machine = Machine().warm(3)
    machine.slowness = 2
    moved = 0.16  # eight thousand tokens, on a machine half as fast
    machine.now += moved
    assert moved + machine.read(3) < NOTICED_S
    assert machine.pace.slice(3) > 1  # only that step was late
    for _ in range(6):  # other work takes turns: every second step reads as usual
        machine.now += moved
        machine.read(3)
    machine.now += moved
    assert sum(machine.pace.slice(3) for _ in range(2)) > 8


def test_one_disturbed_step_costs_little_reading() -> None:
    machine = Machine().warm(3)
    usual = machine.pace.slice(3)
    machine.read(3, disturbed=6)
    lost = 0
    for _ in range(20):
        lost += usual - machine.pace.slice(3)
        machine.read(3)
    assert machine.pace.slice(3) >= usual - 1
    assert 0 < lost < 3 * usual


def test_a_very_slow_machine_still_reads() -> None:
    machine = Machine()
    machine.slowness = 20
    machine.warm(4)
    assert machine.pace.slice(4) >= 8


def test_a_batch_without_answers_does_not_make_the_first_slice_large() -> None:
    machine = Machine()
    for _ in range(3):
        machine.step(0, 512)
    machine.step(3, 0)
    assert machine.pace.slice(3) == 8
