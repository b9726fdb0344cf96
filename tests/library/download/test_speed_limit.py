"""A limit over all downloads, which may change while they wait."""

import threading
import time

from chatdesk.library.download.speed_limit import SpeedLimit


def test_pieces_of_all_downloads_share_the_limit() -> None:
    limit = SpeedLimit(lambda: 1_000_000)

    def download() -> None:
        for _ in range(5):
            limit.spend(20_000, time.sleep)

    downloads = [threading.Thread(target=download) for _ in range(2)]
    began = time.monotonic()
    for each in downloads:
        each.start()
    for each in downloads:
        each.join()
    assert time.monotonic() - began >= 0.2  # 2 times 5 times 20 ms


def test_without_a_limit_nothing_waits() -> None:
    slept: list[float] = []
    SpeedLimit(lambda: 0).spend(1 << 40, slept.append)
    assert slept == []


def test_a_limit_that_is_lifted_frees_those_who_wait() -> None:
    rates = iter([1, 1, 1, 1])
    slept: list[float] = []
    limit = SpeedLimit(lambda: next(rates, 0))
    limit.spend(1_000_000, slept.append)  # eleven days
    assert 0 < len(slept) <= 3
    limit.spend(1_000_000, slept.append)
    assert len(slept) <= 3
