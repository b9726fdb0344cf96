import threading
import time

import pytest

from chatdesk.training.gate import PauseGate, Stopped

PATIENCE_S = 10.0


def pass_through(gate: PauseGate, passed: threading.Event) -> threading.Thread:
    def through() -> None:
        gate.pass_through()
        passed.set()

    thread = threading.Thread(target=through)
    thread.start()
    return thread


def test_a_closed_gate_holds_back_until_it_is_opened() -> None:
    gate, passed = PauseGate(), threading.Event()
    gate.pass_through()
    gate.close()
    thread = pass_through(gate, passed)
    assert not passed.wait(0.2)
    gate.open()
    assert passed.wait(PATIENCE_S)
    thread.join()
    elapsed = gate.seconds()
    assert 0 <= elapsed < 0.2  # without the pause


def test_who_waits_can_be_stopped() -> None:
    gate = PauseGate()
    gate.close()
    threading.Timer(0.05, gate.stop).start()
    with pytest.raises(Stopped):
        gate.pass_through()
    with pytest.raises(Stopped):
        gate.pass_through()


def test_it_ticks_now_and_then() -> None:
    gate = PauseGate(tick_s=0.05)
    ticks = []
    gate.tick = lambda: ticks.append(time.monotonic())
    while len(ticks) < 3:
        gate.pass_through()
    assert ticks[2] - ticks[0] >= 0.08
