"""`chatdesk serve`, started and ended as a person does it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tiny_models import not_a_model, tiny_model

TIMEOUT_S = 60.0


def start(home: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    # A test run in the background may ignore it, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "chatdesk", "serve", *arguments],
            env={**os.environ, "CHATDESK_HOME": str(home), "LC_ALL": "C.UTF-8", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def serving(home: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """A server and the address it prints; ended by Ctrl+C, in good order."""
    process = start(home, "--port", "0", *arguments, **environment)
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://\S+/v1", line)
        assert found, process.communicate(timeout=TIMEOUT_S)
        yield found[0]
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=TIMEOUT_S) == ("", "")
        assert process.returncode == 130
    finally:
        process.kill()
        process.communicate()


def refused(home: Path, *arguments: str) -> str:
    process = start(home, *arguments)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out) == (1, "")
    assert err.startswith("chatdesk: ")
    assert err.count("\n") == 1
    return err


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf", answer=b"abc")


def test_it_serves_until_ctrl_c(tmp_path: Path, tiny: Path) -> None:
    with serving(tmp_path, "--model", str(tiny), CHATDESK_API_KEY="secret") as url:
        request = urllib.request.Request(
            f"{url}/chat/completions",
            json.dumps({"messages": [{"role": "user", "content": "secret words"}]}).encode(),
            {"Authorization": "Bearer secret"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            answer = json.load(reply)
        assert answer["choices"][0]["message"]["content"] == "abc"
    for log in (tmp_path / "logs").iterdir():
        assert "secret" not in log.read_text("utf-8")


def test_a_name_that_is_allowed_on_the_command_line(tmp_path: Path, tiny: Path) -> None:
    allowed = ("--allow-host", "host.docker.internal", "--allow-origin", "app://obsidian.md")
    with serving(tmp_path, "--model", str(tiny), *allowed) as url:
        headers = {"Host": "host.docker.internal", "Origin": "app://obsidian.md"}
        request = urllib.request.Request(f"{url}/models", None, headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            assert reply.status == 200


def test_ctrl_c_while_an_answer_is_being_written(tmp_path: Path) -> None:
    endless = tiny_model(tmp_path / "endless.gguf", answer=b"abc", context_length=60_000, loop=True)
    with serving(tmp_path / "home", "--model", str(endless)) as url:
        data = json.dumps({"prompt": "a\n", "stream": True}).encode()
        reply = urllib.request.urlopen(f"{url}/completions", data, timeout=TIMEOUT_S)
        assert reply.read(20)
    reply.close()


def test_it_refuses_to_start(tmp_path: Path, tiny: Path) -> None:
    message = refused(tmp_path, "--host", "0.0.0.0")
    assert "0.0.0.0" in message
    assert "--api-key" in message
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refused(tmp_path, "--port", port, "--model", str(tiny))
    not_a_model(tmp_path / "zip.gguf")
    assert "not a GGUF file" in refused(tmp_path, "--model", str(tmp_path / "zip.gguf"))


def test_wrong_usage(tmp_path: Path) -> None:
    process = start(tmp_path, "--port", "65536")
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 2
    assert "--port" in err
