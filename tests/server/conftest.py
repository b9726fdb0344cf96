import http.client
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openai import OpenAI

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import ModelSettings, Settings
from chatdesk.server.api_server import ApiServer
from chatdesk.services.app import App, build
from tests.helpers import FAKE_ENGINE

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> Any:
        """OpenAI's error object; every field is there."""
        error = self.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
        return error


class Served:
    """The API over real services and a real child process, with helpers to call it."""

    def __init__(
        self, home: Path, engine: Sequence[str] | None, key: str | None, settings: Settings
    ) -> None:
        paths = AppPaths.under(home)
        paths.make()
        self.services: App = build(paths, lambda fact: None, lambda: settings, engine)
        self.server = ApiServer(self.services, port=0, key=key)
        self.server.start()
        self.port = int(re.findall(r":(\d+)/v1$", self.server.url)[0])
        self.host = f"127.0.0.1:{self.port}"
        self.client: Any = OpenAI(
            base_url=self.server.url, api_key=key or "none", max_retries=0, timeout=TIMEOUT_S
        )

    def close(self) -> None:
        self.client.close()
        self.server.stop()
        self.services.close()

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a request by hand. A header given as "" is left out; an iterator is chunked."""
        return self.call_port(self.port, method, path, body, headers)

    @staticmethod
    def call_port(
        port: int,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        if isinstance(body, dict):
            body = msgspec.json.encode(body)
        sent = {"Host": f"127.0.0.1:{port}", **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            chunked = body is not None and not isinstance(body, bytes)
            if chunked:
                sent["Transfer-Encoding"] = "chunked"
            elif body is not None:
                sent.setdefault("Content-Length", str(len(body)))
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            connection.endheaders(body, encode_chunked=chunked)
            response = connection.getresponse()
            return Reply(response.status, dict(response.headers), response.read())
        finally:
            connection.close()

    def chat(self, text: str, **more: Any) -> Reply:
        body = {"messages": [{"role": "user", "content": text}], **more}
        return self.call("POST", "/v1/chat/completions", body)

    def open(self, path: str, body: Mapping[str, Any]) -> socket.socket:
        """Send a request and return its socket; the answer is not read."""
        data = msgspec.json.encode(body)
        head = f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(data)}\r\n\r\n"
        connection = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        connection.sendall(head.encode() + data)
        return connection

    def metric(self, name: str) -> float:
        text = self.call("GET", "/metrics").body.decode()
        found = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        assert len(found) == 1, name
        return float(found[0].split()[-1])

    def running(self) -> float:
        return self.metric("chatdesk_requests_running")

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for another process to reach a state."""
        end = time.monotonic() + TIMEOUT_S
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Served by the scripted engine; shared, so every test leaves it idle."""
    served = Served(tmp_path_factory.mktemp("home"), FAKE_ENGINE, None, Settings())
    served.services.load_default_model()
    served.services.engine.wait_loaded(TIMEOUT_S)
    yield served
    served.close()


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Served by the real engine and the starter model."""
    settings = Settings(models=ModelSettings(context_window=1024))
    served = Served(tmp_path_factory.mktemp("home"), None, None, settings)
    served.services.load_default_model()
    served.services.engine.wait_loaded(TIMEOUT_S)
    yield served
    served.close()
