import socket

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.devices.addresses import answers, device_address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("192.168.1.20", "192.168.1.20:50052"),
        (" studio.local:0600 ", "studio.local:600"),
        ("10.0.0.3:65535", "10.0.0.3:65535"),
    ],
)
def test_an_address(typed: str, address: str) -> None:
    assert device_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ":50052",
        "host:",
        "host:0",
        "host:65536",
        "host:x",
        "host:٣",
        "a b",
        "http://a",
        "::1",
    ],
)
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(EnvironmentProblem, match=r"192\.168\.1\.20:50052"):
        device_address(typed)


def test_whether_it_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = f"127.0.0.1:{listening.getsockname()[1]}"
        assert answers(there)
    assert not answers(there)
    assert not answers("nowhere.invalid:50052")
    assert not answers(f"{'x' * 300}:50052")  # no host name can be so long
