"""Requests that the API refuses, and its answers to bad input."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import openai
import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.settings import Settings
from chatdesk.server import routes
from chatdesk.server.api_server import ApiServer
from chatdesk.server.guard import MAX_OPEN
from chatdesk.server.routes import MAX_BODY_BYTES
from tests.helpers import FAKE_ENGINE
from tests.server.conftest import TIMEOUT_S, Served

CHAT = "/v1/chat/completions"
HELLO = {"messages": [{"role": "user", "content": "say: hello"}]}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Served with a key."""
    served = Served(tmp_path_factory.mktemp("home"), FAKE_ENGINE, "sésame", Settings())
    served.services.load_default_model()
    served.services.engine.wait_loaded(TIMEOUT_S)
    yield served
    served.close()


# Names and pages


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}", "evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}x",
        "192.168.0.1:{port}", "0.0.0.0:{port}", "localhost.evil.example:{port}", "", "[::1]",
        "127.0.0.1:{port}@evil.example", "user@127.0.0.1:{port}", ":{port}", "[:{port}",
    ],
)  # fmt: skip
def test_a_forged_host_gets_nothing(fake: Served, host: str) -> None:
    headers = {"Host": host.format(port=fake.port)}
    for method, path in (("GET", "/v1/models"), ("GET", "/health"), ("OPTIONS", CHAT)):
        reply = fake.call(method, path, headers=headers)
        assert reply.status in (400, 421)  # h11 itself refuses a request without one
        assert b"SmolLM" not in reply.body


@pytest.mark.parametrize("host", ["localhost:{port}", "LocalHost:{port}", "[::1]:{port}"])
def test_this_computer_by_its_names(fake: Served, host: str) -> None:
    assert fake.call("GET", "/health", headers={"Host": host.format(port=fake.port)}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://{host}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_gets_nothing(fake: Served, headers: dict[str, str]) -> None:
    headers = {name: value.format(host=fake.host) for name, value in headers.items()}
    preflight = {**headers, "Access-Control-Request-Method": "POST"}
    for method, path, body, sent in (
        ("POST", CHAT, HELLO, headers),
        ("GET", "/metrics", None, headers),
        ("GET", "/nowhere", None, headers),
        ("OPTIONS", CHAT, None, preflight),
    ):
        reply = fake.call(method, path, body, sent)
        assert (reply.status, reply.error["code"]) == (403, "wrong_origin")
        assert not any(name.lower().startswith("access-control") for name in reply.headers)


def test_our_own_pages_and_no_cors_for_anybody(fake: Served) -> None:
    own = {"Origin": f"http://{fake.host}", "Sec-Fetch-Site": "same-origin"}
    reply = fake.call("POST", CHAT, HELLO, own)
    assert reply.status == 200
    assert not any(name.lower().startswith("access-control") for name in reply.headers)
    reply = fake.call("OPTIONS", CHAT, headers=own)
    assert (reply.status, reply.error["code"]) == (405, "method_not_allowed")


@pytest.fixture
def open_door(fake: Served) -> Iterator[int]:
    """The port of a server that answers to one more name, and to pages of two origins."""
    hosts = ("host.docker.internal", "chat.example.org:8443")
    origins = ("app://obsidian.md", "https://docs.example.org")
    server = ApiServer(fake.services, port=0, hosts=hosts, origins=origins)
    server.start()
    yield int(server.url.split(":")[2].removesuffix("/v1"))
    server.stop()


def test_names_that_were_allowed(open_door: int) -> None:
    for host, status in (
        (f"host.docker.internal:{open_door}", 200), ("HOST.docker.internal", 200),
        ("host.docker.internal:1", 200), ("chat.example.org:8443", 200),
        (f"localhost:{open_door}", 200), (f"chat.example.org:{open_door}", 421),
        (f"x.host.docker.internal:{open_door}", 421), ("host.docker.internal.evil.example", 421),
    ):  # fmt: skip
        reply = Served.call_port(open_door, "GET", "/v1/models", headers={"Host": host})
        assert reply.status == status, host
        if status == 421:
            assert host in reply.error["message"]
            assert "--allow-host" in reply.error["message"]


def test_origins_that_were_allowed(open_door: int) -> None:
    trusted = {"Origin": "app://obsidian.md", "Sec-Fetch-Site": "cross-site"}
    reply = Served.call_port(open_door, "POST", CHAT, HELLO, trusted)
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "app://obsidian.md"
    preflight = {
        **trusted,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    reply = Served.call_port(open_door, "OPTIONS", CHAT, headers=preflight)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-headers"] == "authorization,content-type"
    for origin in ("https://evil.example", "app://obsidian.md.evil.example", "null"):
        reply = Served.call_port(open_door, "POST", CHAT, HELLO, {"Origin": origin})
        assert (reply.status, reply.error["code"]) == (403, "wrong_origin")
        assert "--allow-origin" in reply.error["message"]
        assert "access-control-allow-origin" not in reply.headers


def test_a_key_is_needed_for_everything_but_health(locked: Served) -> None:
    for sent in ("", "Bearer", "Bearer wrong", "Basic sésame", "sésame", "Bearer sésame2"):
        headers = {"Authorization": sent.encode().decode("latin-1")}
        for method, path in (
            ("GET", "/v1/models"), ("GET", "/metrics"), ("POST", CHAT), ("OPTIONS", CHAT),
            ("GET", "/nowhere"), ("GET", "/health/"),
        ):  # fmt: skip
            reply = locked.call(method, path, headers=headers)
            assert (reply.status, reply.error["code"]) == (401, "invalid_api_key")
            assert reply.headers["www-authenticate"] == "Bearer"
    assert locked.call("GET", "/health").status == 200
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} sésame".encode().decode("latin-1")}
        assert locked.call("GET", "/v1/models", headers=headers).status == 200
        assert locked.call("POST", CHAT, HELLO, headers).status == 200
    anthropic = {"x-api-key": "sésame".encode().decode("latin-1")}
    assert locked.call("POST", CHAT, HELLO, anthropic).status == 200
    assert locked.call("POST", CHAT, HELLO, {"x-api-key": "wrong"}).status == 401


def test_a_key_does_not_open_the_door_to_pages(locked: Served) -> None:
    headers = {"Authorization": "Bearer sésame".encode().decode("latin-1"), "Origin": "null"}
    assert locked.call("POST", CHAT, HELLO, headers).status == 403


def test_other_addresses_need_a_key(fake: Served) -> None:
    for host in ("0.0.0.0", "::"):
        with pytest.raises(EnvironmentProblem, match=r"without a key\. .*--api-key"):
            ApiServer(fake.services, host, 0).start()
    server = ApiServer(fake.services, "0.0.0.0", 0, "key")
    server.start()
    try:
        assert server.running
        port = int(server.url.split(":")[2].removesuffix("/v1"))
        for host, status in (
            ("0.0.0.0", 200), ("127.0.0.1", 200), ("192.168.0.1", 200), ("localhost", 200),
            (socket.gethostname(), 200), ("evil.example", 421),
        ):  # fmt: skip
            headers = {"Host": f"{host}:{port}"}
            reply = Served.call_port(port, "GET", "/health", headers=headers)
            assert reply.status == status, host
    finally:
        server.stop()
    assert not server.running


def test_addresses_that_cannot_be_listened_on(fake: Served) -> None:
    for host, port in (
        ("127.0.0.1", fake.port), ("no.such.host.invalid", 0), ("127.0.0.1", 99999),
        ("x" * 300, 0),
    ):  # fmt: skip
        with pytest.raises(EnvironmentProblem, match="cannot be listened on"):
            ApiServer(fake.services, host, port).start()


# Too much


def test_bodies_have_a_limit(fake: Served) -> None:
    headers = {"Content-Length": str(MAX_BODY_BYTES + 1)}
    assert fake.call("POST", CHAT, b"", headers).error["code"] == "too_long"
    piece = b" " * 65536
    endless = (piece for _ in range(2 * MAX_BODY_BYTES // len(piece)))
    reply = fake.call("POST", CHAT, endless)
    assert (reply.status, reply.error["code"]) == (413, "too_long")
    padded = json.dumps(HELLO).encode() + b" " * (MAX_BODY_BYTES - 1000)
    assert fake.call("POST", CHAT, padded).status == 200
    chunks = iter([json.dumps(HELLO)[:20].encode(), json.dumps(HELLO)[20:].encode()])
    assert fake.call("POST", CHAT, chunks).status == 200


def test_a_body_that_does_not_come(fake: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "BODY_TIMEOUT_S", 0.1)
    reply = fake.call("POST", CHAT, b"{", {"Content-Length": "100"})
    assert (reply.status, reply.error["code"]) == (408, "timeout")


def test_headers_have_a_limit(fake: Served) -> None:
    with suppress(ConnectionResetError):  # it need not read the whole request
        assert fake.call("GET", "/health", headers={"X": "x" * 1_000_000}).status == 400
    assert fake.call("GET", "/health", headers={"X": "x" * 10_000}).status == 200


def test_so_many_requests_at_a_time(fake: Served) -> None:
    body = {"messages": [{"role": "user", "content": "slow"}], "stream": True}
    with ExitStack() as clients:
        for _ in range(MAX_OPEN):
            clients.enter_context(closing(fake.open(CHAT, body)))
        fake.until(lambda: fake.running() == MAX_OPEN)
        reply = fake.call("POST", CHAT, HELLO)
        assert (reply.status, reply.error["code"]) == (503, "too_many_requests")
        assert int(reply.headers["retry-after"]) > 0
        assert fake.call("GET", "/health").status == 200
    fake.until(lambda: fake.running() == 0)
    assert fake.call("POST", CHAT, HELLO).status == 200


# Bad input


@pytest.mark.parametrize(
    "body",
    [
        b"", b"hello", b"[]", b'"x"', b"null", b'{"messages": [',
        b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}',
        b'{"messages": [{"role": "user", "content": "Gr\xfc\xdfe"}]}',
        b'{"messages": [], "temperature": NaN}',
        b'{"messages": [], "temperature": 1e999}',
        b'{"messages": [], "metadata": ' + b"[" * 100_000,
        b'{"messages": [], "response_format": {"type": "x", "json_schema": {"schema": '
        + b'{"a":' * 100_000,
        b'{"messages": [{"role": "user", "content": "x"}], "seed": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_bodies_that_are_no_requests(fake: Served, body: bytes) -> None:
    reply = fake.call("POST", CHAT, body)
    assert reply.status == 400
    assert reply.error["type"] == "invalid_request_error"


def user(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    [
        ({"messages": []}, "messages", "no message"),
        ({"messages": "hello"}, "messages", "array"),
        ({"messages": [{"role": "king", "content": "1"}]}, "messages[0].role", "role"),
        ({"messages": user(5)}, "messages[0].content", "int"),
        (
            {"messages": user([{"type": "image_url", "image_url": {"url": "data:,"}}])},
            "messages[0].content[0]",
            "no images",
        ),
        (
            {"messages": user([{"type": "text", "text": "a"}, {"type": "input_audio"}])},
            "messages[0].content[1]",
            "text only",
        ),
        ({"tools": [{"type": "function"}]}, "tools", "Tools"),
        ({"tools": [{"type": "function"}], "tool_choice": "auto"}, "tools", "Tools"),
        ({"tool_choice": "required"}, "tools", "Tools"),
        ({"functions": [{"name": "f"}]}, "functions", "Tools"),
        ({"modalities": ["text", "audio"]}, "modalities", "text only"),
        ({"max_tokens": 6000.5}, "max_tokens", "int"),
        ({"max_tokens": "16"}, "max_tokens", "int"),
        ({"top_k": True}, "top_k", "int"),
        ({"messages": [{}]}, "messages[0].role", "role"),
        ({"n": 9}, "n", "8"),
        ({"n": 0}, "n", "1"),
        ({"max_tokens": 0}, "max_tokens", "at least 1"),
        ({"temperature": "hot"}, "temperature", "float"),
        ({"temperature": True}, "temperature", "float"),
        ({"stop": 5}, "stop", "int"),
        ({"stop": ["x"] * 65}, "stop", "64"),
        ({"seed": 2**63}, "seed", "9223372036854775807"),
        ({"logit_bias": {"x": 1}}, "logit_bias", "int"),
        ({"top_logprobs": 3}, "top_logprobs", "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "20"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "json_schema"),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema.schema",
            "missing",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"type": "object"}}},
            "response_format.json_schema.schema",
            "missing",
        ),
        (
            {"response_format": {"type": "json_object", "json_schema": {"type": "object"}}},
            "response_format.json_schema.schema",
            "missing",
        ),
        (
            {"json_schema": {"type": "object"}, "response_format": {"type": "json_schema"}},
            "response_format.json_schema.schema",
            "missing",
        ),
        (
            {
                "json_schema": {"type": "object"},
                "response_format": {"type": "json_schema", "schema": {"type": "string"}},
            },
            "response_format.json_schema.schema",
            "two",
        ),
        ({"format": {"type": "object"}}, "format", "response_format.json_schema.schema"),
        ({"guided_json": {"type": "object"}}, "guided_json", "response_format"),
        ({"guided_choice": ["a", "b"]}, "guided_choice", "response_format"),
        ({"response_format": {"type": "json_object"}, "grammar": "x"}, "grammar", "exclude"),
    ],
)
def test_chats_that_cannot_be_served(
    fake: Served, fields: dict[str, Any], param: str, message: str
) -> None:
    reply = fake.call("POST", CHAT, {**HELLO, **fields})
    assert reply.status == 400
    assert reply.error["param"] == param
    assert message in reply.error["message"]


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("/v1/completions", {}, "prompt"),
        ("/v1/completions", {"prompt": []}, "prompt"),
        ("/v1/completions", {"prompt": ["a", []]}, "prompt[1]"),
        ("/v1/completions", {"prompt": ["a", 5]}, "prompt[1]"),
        ("/v1/completions", {"prompt": ["a"] * 129}, "prompt"),
        ("/v1/completions", {"prompt": ["a"] * 17, "n": 8}, "prompt"),
        ("/v1/completions", {"prompt": "a", "best_of": 2}, "best_of"),
        ("/v1/completions", {"prompt": "a", "suffix": "b"}, "suffix"),
        ("/v1/completions", {"prompt": "a", "logprobs": True}, "logprobs"),
        ("/v1/embeddings", {}, "input"),
        ("/v1/embeddings", {"input": []}, "input"),
        ("/v1/embeddings", {"input": ["a", ""]}, "input[1]"),
        ("/v1/embeddings", {"input": ""}, "input"),
        ("/v1/embeddings", {"input": [1, 2]}, "input"),
        ("/v1/embeddings", {"input": [[1], [2]]}, "input"),
        ("/v1/embeddings", {"input": ["a"] * 2049}, "input"),
        ("/v1/embeddings", {"input": "a", "dimensions": 1}, "dimensions"),
        ("/v1/embeddings", {"input": "a", "encoding_format": "x"}, "encoding_format"),
    ],
)
def test_others_that_cannot_be_served(
    fake: Served, path: str, fields: dict[str, Any], param: str | None
) -> None:
    reply = fake.call("POST", path, fields)
    assert (reply.status, reply.error["param"]) == (400, param)


def test_addresses_where_nothing_is(fake: Served) -> None:
    assert fake.call("GET", "/").error["code"] == "not_found"
    assert fake.call("GET", "/v1/models/").error["code"] == "not_found"
    reply = fake.call("GET", CHAT)
    assert (reply.status, reply.error["code"]) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "POST"
    assert fake.call("GET", "/%00%ff%2e%2e").status == 404
    assert 'route="other",status="404"' in fake.call("GET", "/metrics").body.decode()


def test_garbage_on_the_line(fake: Served) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\x00" * 70_000):
        with closing(socket.create_connection(("127.0.0.1", fake.port), 10)) as connection:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100)[:12] in (b"HTTP/1.1 400", b"")
    assert fake.call("POST", CHAT, HELLO).status == 200


# Going on and ending


def test_a_bug_is_reported_and_logged_without_its_content(
    fake: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(fake.services.engine, "submit", bug)
        reply = fake.call("POST", CHAT, HELLO)
    assert reply.status == 500
    assert "bug" in reply.error["message"]
    assert [record.getMessage() for record in caplog.records] == ["a bug in the API"]
    assert "say: hello" not in caplog.text
    assert fake.call("POST", CHAT, HELLO).status == 200
    assert fake.running() == fake.metric("chatdesk_requests_waiting") == 0


def test_stopping_ends_what_is_being_answered(tmp_path: Path) -> None:
    served = Served(tmp_path, FAKE_ENGINE, None, Settings())
    served.services.load_default_model()
    try:
        messages: Any = user("slow")
        stream = served.client.chat.completions.create(model="", messages=messages, stream=True)
        next(iter(stream))
        served.server.stop()
        with pytest.raises(openai.APIError):
            list(stream)
        served.until(lambda: not served.services.engine.busy)
        assert not served.server.running
        with pytest.raises(ConnectionRefusedError):
            served.call("GET", "/health")
        again = ApiServer(served.services, port=served.port)
        again.start()  # the same port is free at once
        assert served.call("POST", CHAT, HELLO).status == 200
        again.stop()
    finally:
        served.close()
