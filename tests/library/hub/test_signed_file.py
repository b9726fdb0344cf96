"""Over real https: accepted and refused files, and the contents of a request."""

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chatdesk.library.hub import signed_file
from chatdesk.library.hub.signed_file import (
    MAX_SIGNED,
    NotGenuine,
    Unreachable,
    fetch_signed,
    open_signed,
)
from tests.signed_server import PUBLIC, Answer, SignedServer, running, signed, trusted

BODY = b'{"version": "1.0.0"}\n\xe8\x8c\xb6'


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SignedServer]:
    with trusted(tmp_path, monkeypatch) as server:
        server.answers["/good"] = Answer(signed(BODY))
        yield server


def fetch(server: SignedServer, path: str) -> bytes:
    return fetch_signed(server.address + path, PUBLIC)


def to(target: str) -> Answer:
    """Return a redirect that asks for identification."""
    return Answer(status=302, headers={"Location": target, "Set-Cookie": "id=1; Path=/"})


def test_what_was_signed_comes_and_nothing_is_disclosed(server: SignedServer) -> None:
    server.answers["/moved"] = to("/again")
    server.answers["/again"] = to(f"{server.address}/good")
    assert fetch(server, "/moved") == BODY
    assert [path for path, _ in server.asked] == ["/moved", "/again", "/good"]
    expected = {
        "host": server.address.removeprefix("https://"),
        "user-agent": "chatdesk",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "keep-alive",
    }
    assert all(headers == expected for _, headers in server.asked)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        BODY,
        b"\n" + BODY,
        signed(BODY, Ed25519PrivateKey.generate()),
        signed(BODY)[:-1],
        signed(BODY).replace(b"1.0.0", b"2.0.0"),
        signed(BODY).replace(b"\n", b"\r\n"),
        signed(b"x" * MAX_SIGNED),
        gzip.compress(signed(BODY)),
        b"<html>Please log in to this network.</html>",
        "é\n".encode() + BODY,
    ],
)
def test_what_nobody_signed_is_refused(server: SignedServer, body: bytes) -> None:
    server.answers["/bad"] = Answer(body, headers={"Content-Encoding": "gzip"})
    with pytest.raises(NotGenuine):
        fetch(server, "/bad")


def test_the_largest_that_is_taken() -> None:
    body = b"x" * (MAX_SIGNED - len(signed(b"")))
    assert open_signed(signed(body), PUBLIC) == body
    with pytest.raises(NotGenuine):
        open_signed(signed(body + b"x"), PUBLIC)


def test_no_more_is_read_than_it_may_hold(server: SignedServer) -> None:
    # An endless answer: its reader has to hang up.
    server.answers["/huge"] = Answer(signed(BODY) + bytes(200 * 1024**2))
    with pytest.raises(NotGenuine):
        fetch(server, "/huge")


def test_who_trickles_is_left(server: SignedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_file, "WHOLE_S", 0.3)
    server.answers["/slow"] = Answer(signed(BODY), pause_s=0.05)
    with pytest.raises(Unreachable):
        fetch(server, "/slow")
    monkeypatch.setattr(signed_file, "WAIT_S", 0.1)
    server.answers["/silent"] = Answer(signed(BODY), pause_s=1.0)
    with pytest.raises(Unreachable):
        fetch(server, "/silent")


@pytest.mark.parametrize("path", ["/none", "/around", "/file", "/nonsense"])
def test_what_leads_nowhere(server: SignedServer, path: str) -> None:
    server.answers["/around"] = to("/around")
    server.answers["/file"] = to("file:///etc/passwd")
    server.answers["/nonsense"] = to("https://[")
    with pytest.raises(Unreachable):
        fetch(server, path)


def test_it_is_fetched_over_https_only(server: SignedServer) -> None:
    with running() as plain:
        plain.answers["/good"] = Answer(signed(BODY))
        server.answers["/open"] = to(f"{plain.address}/good")
        for address in (f"{plain.address}/good", f"{server.address}/open"):
            with pytest.raises(Unreachable):
                fetch_signed(address, PUBLIC)
        assert plain.asked == []


def test_a_certificate_nobody_vouches_for(
    server: SignedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unreachable):
        fetch(server, "/good")
    assert server.asked == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "http://127.0.0.1:{closed}"),
        ("HTTPS_PROXY", "socks5://127.0.0.1:{closed}"),
        ("HTTPS_PROXY", "nonsense://proxy"),
        ("SSL_CERT_FILE", "/nowhere.pem"),
    ],
)
def test_a_system_that_is_set_up_wrong(
    server: SignedServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        closed = trial.getsockname()[1]
    monkeypatch.setenv(variable, value.format(closed=closed))
    with pytest.raises(Unreachable):
        fetch(server, "/good")
    assert server.asked == []
