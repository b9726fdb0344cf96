import queue
import time
from collections.abc import Iterator

import pytest

from chatdesk.services.engine import idle
from chatdesk.services.engine.idle import IdleWatch

TIMEOUT_S = 20.0


class Watched:
    """Something that is idle after `limit` seconds, and says so in a queue."""

    def __init__(self) -> None:
        self.limit = 0.2
        self.is_busy = False
        self.told: queue.Queue[float] = queue.Queue()
        self.watch = IdleWatch(lambda: self.limit, self._on_idle)

    def _on_idle(self) -> bool:
        self.told.put(time.monotonic())
        return not self.is_busy


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.watch.stop()


def test_it_is_told_once(watched: Watched) -> None:
    begun = time.monotonic()
    watched.watch.start()
    assert watched.told.get(timeout=TIMEOUT_S) >= begun + 0.2
    with pytest.raises(queue.Empty):
        watched.told.get(timeout=0.5)


def test_use_puts_it_off(watched: Watched) -> None:
    watched.watch.start()
    for _ in range(10):
        time.sleep(0.05)
        watched.watch.touch()
    touched = time.monotonic()
    assert watched.told.get(timeout=TIMEOUT_S) >= touched + 0.15


def test_who_is_busy_after_all_is_asked_again(watched: Watched) -> None:
    watched.is_busy = True
    watched.watch.start()
    first = watched.told.get(timeout=TIMEOUT_S)
    watched.is_busy = False
    assert watched.told.get(timeout=TIMEOUT_S) >= first + 0.2


def test_a_watch_that_was_stopped_says_nothing(watched: Watched) -> None:
    watched.watch.start()
    watched.watch.stop()
    with pytest.raises(queue.Empty):
        watched.told.get(timeout=0.5)


def test_a_limit_may_be_set_later(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "LOOK_EVERY_S", 0.1)
    watched.limit = 0.0  # never
    watched.watch.start()
    with pytest.raises(queue.Empty):
        watched.told.get(timeout=0.5)
    watched.limit = 0.2
    assert watched.told.get(timeout=TIMEOUT_S)
