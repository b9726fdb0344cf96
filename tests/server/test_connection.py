"""Clients that say nothing, or do not read, harm nobody."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import msgspec
import pytest

from chatdesk.core.settings import Settings
from chatdesk.server import connection
from tests.helpers import FAKE_ENGINE
from tests.server.conftest import Served
from tests.server.test_guard import CHAT, HELLO, user


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Served with a key."""
    served = Served(tmp_path_factory.mktemp("home"), FAKE_ENGINE, "key", Settings())
    served.services.load_default_model()
    served.services.engine.wait_loaded(60)
    yield served
    served.close()


def silent(served: Served, words: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", served.port), 10)
    made.sendall(words)
    return made


def ends(made: socket.socket) -> bool:
    """The server closes it, within the socket's timeout."""
    with suppress(ConnectionResetError):
        while made.recv(1000):
            pass
    return True


@pytest.mark.parametrize("words", [b"", b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_three_hundred_that_say_nothing_lock_nobody_out(fake: Served, words: bytes) -> None:
    with ExitStack() as clients:
        for _ in range(300):
            clients.enter_context(closing(silent(fake, words)))
        assert fake.call("GET", "/health").status == 200
        assert fake.call("POST", CHAT, HELLO).status == 200


def test_strangers_do_not_take_the_places_of_those_with_the_key(
    locked: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_PER_ADDRESS", 20)
    key = {"Authorization": "Bearer key"}
    ask = f"GET /v1/models HTTP/1.1\r\nHost: {locked.host}\r\n\r\n".encode()
    with ExitStack() as clients:
        for _ in range(30):  # each is refused, keeps its connection and asks again and again
            stranger = clients.enter_context(closing(silent(locked, ask * 3)))
            assert stranger.recv(12) == b"HTTP/1.1 401"
        assert locked.call("POST", CHAT, HELLO, key).status == 200


def test_a_request_in_progress_is_never_closed_for_another(
    fake: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_PER_ADDRESS", 4)
    body = {"messages": user("slow"), "stream": True}
    fake.until(lambda: fake.running() == 0)
    with ExitStack() as clients:
        streams = [clients.enter_context(closing(fake.open(CHAT, body))) for _ in range(4)]
        for stream in streams:
            assert stream.recv(15) == b"HTTP/1.1 200 OK"
        refused = fake.call("GET", "/health")
        assert (refused.status, refused.error["code"]) == (503, "too_many_requests")
        assert int(refused.headers["retry-after"]) > 0
        for stream in streams:
            assert stream.recv(10)
    fake.until(lambda: fake.call("GET", "/health").status == 200 and fake.running() == 0)


@pytest.mark.parametrize("words", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: x\r\n"])
def test_the_head_of_a_request_has_a_deadline(
    fake: Served, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.3)
    with closing(silent(fake)) as made:
        began = time.monotonic()
        for byte in words:
            made.sendall(bytes([byte]))  # a little at a time gives no more time
        assert ends(made)
        assert time.monotonic() - began < 5


def test_the_head_of_a_second_request_has_a_deadline(
    fake: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_TIMEOUT_S", 0.3)
    with closing(silent(fake, f"GET /health HTTP/1.1\r\nHost: {fake.host}\r\n\r\n".encode())) as it:
        assert it.recv(1000)
        it.sendall(b"GET")
        assert ends(it)


def test_a_reader_that_does_not_read_is_left(fake: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READ_TIMEOUT_S", 0.5)
    fake.until(lambda: fake.running() == 0)
    body = {"messages": user("slow long"), "stream": True, "logprobs": True, "top_logprobs": 20}
    with closing(socket.socket()) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect(("127.0.0.1", fake.port))

        data = msgspec.json.encode(body)
        head = f"POST {CHAT} HTTP/1.1\r\nHost: {fake.host}\r\nContent-Length: {len(data)}\r\n\r\n"
        lazy.sendall(head.encode() + data)
        fake.until(lambda: fake.running() == 1)
        fake.until(lambda: fake.running() == 0)
        assert not fake.services.engine.busy
