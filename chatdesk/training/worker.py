"""The trainer process: requests arrive as JSON lines on stdin, events go out on stdout.

One thread reads requests, so that a pause acts at once; this one computes. Everything worth keeping
is in checkpoints, so that the process may end at any moment; it ends when stdin does.
"""

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn, get_args

import psutil

from chatdesk.core.protocol import Cancel, Shutdown
from chatdesk.core.training import (
    PauseTraining,
    ResumeTraining,
    Train,
    TrainerReady,
    TrainerRequest,
    TrainingFailed,
    TrainingFailure,
)
from chatdesk.training.gate import PauseGate
from chatdesk.workers.channel import EventWriter, lines, take_stdout
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec, ProtocolError

_ENVIRONMENT = {  # must be set before torch is imported
    "GOMP_SPINCOUNT": "1000",  # some microseconds, then idle threads sleep
    "KMP_BLOCKTIME": "0",
    "OMP_DYNAMIC": "false",  # always the same number of threads, for the same sums
    "HF_HUB_OFFLINE": "1",  # no network access
}

_log = logging.getLogger(__name__)


def main() -> NoReturn:
    """Serve until `Shutdown` or the end of stdin."""
    writer = EventWriter(take_stdout())
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to handle
    _step_back()
    os.environ.update(_ENVIRONMENT)
    server = _Server(writer)
    threading.Thread(target=server.read, name="requests", daemon=True).start()
    server.compute()


def _step_back() -> None:
    """Give every other program priority, and make the kernel's OOM killer choose this one first."""
    if sys.platform == "win32":
        psutil.Process().nice(psutil.IDLE_PRIORITY_CLASS)
    else:
        os.nice(19)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


class _Server:
    """Passes requests from the reading thread to the computing one."""

    def __init__(self, writer: EventWriter) -> None:
        self._send = writer.send
        self._arrived: queue.SimpleQueue[Train] = queue.SimpleQueue()
        self._gates: dict[str, PauseGate] = {}

    def read(self) -> NoReturn:
        """Read requests until the end of stdin; the process ends with it."""
        codec = Codec[TrainerRequest](get_args(TrainerRequest))
        for line in lines(0):
            try:
                request = codec.decode(line)
            except ProtocolError as problem:
                _log.error("protocol error: %s", problem)
                continue
            if isinstance(request, Shutdown):
                break
            self._take(request)
        os._exit(0)

    def _take(self, request: Train | PauseTraining | ResumeTraining | Cancel) -> None:
        if isinstance(request, Train):
            self._gates[request.request_id] = PauseGate()
            self._arrived.put(request)
        elif gate := self._gates.get(request.request_id):
            match request:
                case PauseTraining():
                    gate.close()
                case ResumeTraining():
                    gate.open()
                case Cancel():
                    gate.stop()

    def compute(self) -> NoReturn:
        """Do the requests, one run after another."""
        try:
            import torch

            from chatdesk.training.run import answer
        except ImportError as problem:
            self._refuse(problem.name or "torch")
        self._send(TrainerReady(PROTOCOL_VERSION, str(torch.__version__)))
        while True:
            request = self._arrived.get()
            gate = self._gates[request.request_id]
            self._send(answer(request, self._send, gate))

    def _refuse(self, missing: str) -> NoReturn:
        self._send(TrainerReady(PROTOCOL_VERSION, ""))
        while True:
            request = self._arrived.get()
            self._send(TrainingFailed(request.request_id, TrainingFailure.MISSING, missing))
