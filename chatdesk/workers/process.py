"""One wrapper around a child process that uses the protocol.

The child's stdout carries messages and nothing else; its stderr goes to the log, and its last lines
are kept to report the cause of a crash.
"""

import contextlib
import logging
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from chatdesk.core.paths import is_frozen
from chatdesk.workers.codec import Codec, ProtocolError

Message = TypeVar("Message")

STDERR_LINES_KEPT = 20
_SIGKILL = 9  # Windows has no name for it
_SECRET = re.compile(r"(^|_)(KEY|APIKEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.I)


def worker_command(worker: str) -> list[str]:
    """Return the command of a child: the same executable with a hidden first argument."""
    start = [sys.executable] if is_frozen() else [sys.executable, "-m", "chatdesk"]
    return [*start, "--worker", worker]


def child_environment() -> dict[str, str]:
    """Return this process's environment without what sounds like a secret: no child needs one."""
    return {name: value for name, value in os.environ.items() if not _SECRET.search(name)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a child. `exit_code` is negative for a signal, as in `subprocess`."""

    exit_code: int
    asked_to_stop: bool
    last_stderr: tuple[str, ...]

    def was_successful(self) -> bool:
        """True if the child ended on request, or in good order by itself."""
        return self.asked_to_stop or self.exit_code == 0

    def was_killed_from_outside(self) -> bool:
        """True if another process killed it, as the system does when memory runs out."""
        return not self.asked_to_stop and self.exit_code == -_SIGKILL

    def state_str(self) -> str:
        """Return a few words for logs: 'exited with 1', 'killed by SIGKILL'."""
        if self.exit_code >= 0:
            return f"exited with {self.exit_code}"
        try:
            return f"killed by {signal.Signals(-self.exit_code).name}"
        except ValueError:
            return f"killed by signal {-self.exit_code}"


class ChildProcess(Generic[Message]):
    """A running child. The constructor starts it.

    `on_event` and `on_protocol_error` are called on the reader thread, one at a time and in order;
    `on_exit` is called there once, after the last event. Raises `OSError` when the process cannot
    start.
    """

    def __init__(
        self,
        command: Sequence[str],
        codec: Codec[Message],
        *,
        name: str,
        on_event: Callable[[Message], None],
        on_exit: Callable[[Outcome], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._codec = codec
        self._log = logging.getLogger(f"chatdesk.worker.{name}")
        self._on_event = on_event
        self._on_exit = on_exit
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES_KEPT)
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stopping = False
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**child_environment(), **(environment or {}), "PYTHONUTF8": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            # Ctrl+C in a terminal is the parent's to handle: it asks the child to stop.
            start_new_session=sys.platform != "win32",
        )
        self._writer = self._thread("stdin", self._write)
        self._stderr_reader = self._thread("stderr", self._read_stderr)
        self._reader = self._thread("stdout", self._read_events)

    @property
    def pid(self) -> int:
        """The operating system's number for the child."""
        return self._process.pid

    def _thread(self, what: str, target: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=target, name=f"{self._log.name}.{what}", daemon=True)
        thread.start()
        return thread

    def send(self, message: object) -> None:
        """Send a message to the child. Returns at once, also when the child does not read.

        A message to a child that is gone is lost; `on_exit` reports that end.
        """
        self._outbox.put(self._codec.encode(message))

    def stop(
        self, grace_s: float = 1.0, *, farewell: object | None = None, farewell_s: float = 0.0
    ) -> None:
        """End the child: close its input, then terminate, then kill, `grace_s` apart each.

        A `farewell` is a message that asks it to end by itself, within `farewell_s`.
        """
        self._stopping = True
        if farewell is not None:
            self.send(farewell)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(farewell_s)
        self._outbox.put(None)
        for push in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(grace_s)
                break
            except subprocess.TimeoutExpired:
                push()
        self._process.wait()
        if threading.current_thread() is not self._reader:
            self._reader.join(grace_s)

    def _read_events(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                try:
                    event = self._codec.decode(line)
                except ProtocolError as problem:
                    self._log.error("protocol error: %s", problem)
                    continue
                try:
                    self._on_event(event)
                except Exception:
                    # A bug in a listener must not end the reading: the answer would hang.
                    self._log.exception("a listener failed on %s", type(event).__name__)
        exit_code = self._process.wait()
        self._outbox.put(None)
        self._writer.join(1.0)
        self._stderr_reader.join(1.0)
        outcome = Outcome(exit_code, self._stopping, tuple(self._stderr))
        if outcome.was_successful():
            self._log.info("%s", outcome.state_str())
        else:
            last = "\n".join(outcome.last_stderr)
            self._log.error("%s; its last lines:\n%s", outcome.state_str(), last)
        self._on_exit(outcome)

    def _write(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as stdin:  # the child is gone
            while (line := self._outbox.get()) is not None:
                stdin.write(line)
                stdin.flush()

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            for line in stderr:
                text = line.decode("utf-8", "replace").rstrip()
                self._stderr.append(text)
                self._log.info("%s", text)
