"""The short form of what `chatdesk bench faults` sends to the API."""

import pytest

from tests.faults.load import requests_and_cancels, streams_at_once
from tests.faults.requests import BODIES, try_bodies
from tests.server.conftest import Served


@pytest.mark.parametrize("address", BODIES)
def test_what_is_damaged_is_sound_at_first(tiny: Served, address: str) -> None:
    assert tiny.call("POST", address, dict(BODIES[address])).status == 200


def test_no_damaged_body_is_a_bug(tiny: Served) -> None:
    tried = try_bodies(tiny, 600)
    assert tried.faults == []
    assert 0 < tried.usable < tried.count == 600


def test_many_streams_at_once_end_once_each(tiny: Served) -> None:
    tiny.until(lambda: tiny.running() == 0)
    assert streams_at_once(tiny, 24) == {"ended": 24}  # of 32 places


def test_no_place_is_lost_to_clients_that_leave(tiny: Served) -> None:
    assert requests_and_cancels(tiny, 100) == {"ended": 80, "left": 20}
    tiny.until(lambda: tiny.running() == 0)
    assert tiny.metric("chatdesk_requests_waiting") == 0
