"""`chatdesk serve-device`, as the person who lends a computer and the one who uses it meet it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.devices.device_server import lend_devices

HELLO = b"\x0e" + (24).to_bytes(8, "little") + bytes(24)  # llama.cpp's RPC_CMD_HELLO
PATIENCE_S = 20.0


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


@contextmanager
def lending(home: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    # A test run in the background may have been told to ignore it, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "chatdesk", "serve-device", "--port", str(port), "--threads", "1"],
        env=os.environ | {"CHATDESK_HOME": str(home), "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_gone(child: psutil.Process) -> None:
    child.wait(PATIENCE_S)
    assert not child.is_running()


@pytest.mark.engine
def test_devices_are_lent_until_ctrl_c(tmp_path: Path) -> None:
    port = free_port()
    with lending(tmp_path, port) as process:
        assert process.stdout
        warning, up = process.stdout.readline(), process.stdout.readline()
        assert "neither encrypted nor authenticated" in warning
        assert f"127.0.0.1:{port}" in up
        (child,) = psutil.Process(process.pid).children()
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as client:
            client.sendall(HELLO)
            with client.makefile("rb") as answer:
                assert answer.read(8) == (28).to_bytes(8, "little")
                assert answer.read(1) == b"\x07"  # the version that rpc_devices.py asks for
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, out, err) == (130, "", "")
        wait_gone(child)


@pytest.mark.engine
def test_a_killed_parent_leaves_nothing_behind(tmp_path: Path) -> None:
    with lending(tmp_path, free_port()) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.readline()
        (child,) = psutil.Process(process.pid).children()
        process.kill()
        wait_gone(child)


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with lending(tmp_path, port) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (1, "")
    assert err == f"chatdesk: Port {port} is in use. Choose another one with --port.\n"


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid", "a" * 70, ""])
def test_an_address_of_another_computer_is_refused(host: str) -> None:
    said: list[str] = []
    with pytest.raises(EnvironmentProblem, match=r"cannot be used: .+\. Choose an address"):
        lend_devices(host, free_port(), None, said.append)
    assert said == []


@pytest.mark.engine
def test_a_server_that_dies_is_told(tmp_path: Path) -> None:
    with lending(tmp_path, free_port()) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.readline()
        (child,) = psutil.Process(process.pid).children()
        child.kill()
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert err == "chatdesk: The device server of this computer stopped unexpectedly. Try again.\n"
