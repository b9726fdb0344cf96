"""Lends this computer's devices to ChatDesk on other computers of a trusted network."""

import contextlib
import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.workers.process import child_environment, worker_command

_START_S = 60.0  # for a cold disk and a large CUDA library; normally 0.4 s
_LOOK_S = 0.05
_END_S = 1.0


def lend_devices(host: str, port: int, threads: int | None, say: Callable[[str], None]) -> NoReturn:
    """Serve at `host` and `port` until interrupted; `say` gets sentences for the user.

    Raises `EnvironmentProblem`.
    """
    address = _check_free(host, port)
    say(
        tr(
            "Warning: the traffic is neither encrypted nor authenticated. Anyone who reaches this "
            "port can use this computer's memory and processor, and possibly take the computer "
            "over. Use this in a network you trust only."
        )
    )
    command = [*worker_command("device"), address, str(port), str(threads or 0)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,  # the child ends when it closes
        stdout=subprocess.DEVNULL,
        env=child_environment(),
        start_new_session=sys.platform != "win32",  # Ctrl+C is ours to handle
    ) as process:
        try:
            _wait_until_up(process, address, port)
            say(
                tr(
                    "This computer lends its devices at {host}:{port}. Ctrl+C ends it.",
                    host=host,
                    port=port,
                )
            )
            process.wait()
        finally:
            _end(process)
    raise _ended()


def _check_free(host: str, port: int) -> str:
    """Return the IPv4 address of `host`, if it is this computer's and the port is free there."""
    try:
        if not host:  # for the system that is every address of this computer
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        address = socket.gethostbyname(host)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            if sys.platform != "win32":  # Windows would share a port that is in use
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((address, port))
    except (OSError, UnicodeError) as problem:
        if getattr(problem, "errno", None) == errno.EADDRINUSE:
            raise EnvironmentProblem(
                tr("Port {port} is in use.", port=port), tr("Choose another one with --port.")
            ) from None
        reason = getattr(problem, "strerror", None) or str(problem)
        raise EnvironmentProblem(
            tr("{host}:{port} cannot be used: {reason}.", host=host, port=port, reason=reason),
            tr("Choose an address of this computer with --host, and a port from 1024 to 65535."),
        ) from None
    return address


def _wait_until_up(process: "subprocess.Popen[bytes]", address: str, port: int) -> None:
    """Raise `EngineProblem` when it does not start."""
    target = "127.0.0.1" if address == "0.0.0.0" else address  # noqa: S104 - compared only
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((target, port), _LOOK_S):
            return
        time.sleep(_LOOK_S)
    raise _ended()


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
        return
    process.kill()


def _ended() -> EngineProblem:
    return EngineProblem(
        tr("The device server of this computer stopped unexpectedly."), tr("Try again.")
    )
