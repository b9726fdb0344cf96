"""A real process that lends its processor: llama.cpp sees a GPU with its own memory."""

import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import psutil

from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.native.rpc_devices import check_answers

PATIENCE_S = 30.0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


class DeviceProcess:
    """A device process to use with `with`; it is gone afterwards."""

    def __init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        host, port = self.address.split(":")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatdesk", "--worker", "device", host, port, "2"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                check_answers(self.address)
            except LoadError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdin
        self.process.stdin.close()

    def limit(self, spare_bytes: int) -> None:
        """Limit its memory to so much more than it has now."""
        limit_memory(self.process.pid, spare_bytes)


def limit_memory(pid: int, spare_bytes: int) -> None:
    """Limit a process' memory to so much more than it has now (Linux only)."""
    process = psutil.Process(pid)
    limit = process.memory_info().vms + spare_bytes
    process.rlimit(psutil.RLIMIT_AS, (limit, limit))
