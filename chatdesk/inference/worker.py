"""The engine process: requests come in as JSON lines on stdin, events go out on stdout.

Three threads: this one loads and generates, one reads requests so that a cancel acts at once,
and one counts tokens while an answer is being generated.
"""

import logging
import os
import signal
import sys
import threading
import time

import llama_cpp
from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import (
    Cancel,
    Cancelled,
    CountTokens,
    EngineReady,
    EngineRequest,
    Failed,
    FailureCode,
    Generate,
    LoadModel,
    Shutdown,
)
from chatdesk.inference.channel import EventWriter, lines, take_stdout
from chatdesk.inference.engine import Engine
from chatdesk.inference.native import AbortFlag, devices, native_log
from chatdesk.inference.scheduler import Scheduler
from chatdesk.workers.protocol import PROTOCOL_VERSION, Codec, ProtocolError

_PATIENCE_S = 0.5  # for the main thread to end by itself

log = logging.getLogger(__name__)


def main() -> int:
    """Serve until `Shutdown` or the end of stdin."""
    writer = EventWriter(take_stdout())
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent to understand
    native_log()
    lib.llama_backend_init()
    writer.send(
        EngineReady(
            protocol=PROTOCOL_VERSION,
            llama_cpp=llama_cpp.__version__,
            gpu_offload=bool(lib.llama_supports_gpu_offload()),
            devices=devices(),
        )
    )
    server = _Server(writer)
    threading.Thread(target=server.read_requests, name="requests", daemon=True).start()
    threading.Thread(target=server.count, name="counting", daemon=True).start()
    server.generate()
    return 0


class _Server:
    """Hands each request to the thread that serves it."""

    def __init__(self, writer: EventWriter) -> None:
        self._send = writer.send
        abort = AbortFlag()
        self._engine = Engine(abort, self._send)
        self._jobs = Scheduler[LoadModel | Generate](abort, self._tell_cancelled, _is_background)
        self._counts = Scheduler[CountTokens](AbortFlag(), self._tell_cancelled)

    def generate(self) -> None:
        """Load models and generate answers, until the end."""
        self._jobs.serve(self._serve)
        self._engine.close()

    def count(self) -> None:
        """Count tokens, until the end."""
        self._counts.serve(self._serve)

    def read_requests(self) -> None:
        """Take requests from stdin; at its end everything stops."""
        try:
            self._take_requests()
        except Exception:  # an engine that is deaf is of no use
            log.exception("reading requests failed")
        self._counts.close()
        self._jobs.close()
        time.sleep(_PATIENCE_S)
        os._exit(0)  # the main thread hangs in native code or in a template

    def _take_requests(self) -> None:
        codec = Codec[EngineRequest]([LoadModel, Generate, CountTokens, Cancel, Shutdown])
        for line in lines(0):
            try:
                request = codec.decode(line)
            except ProtocolError as problem:
                self._send(Failed("", FailureCode.PROTOCOL, str(problem)))
                continue
            match request:
                case Shutdown():
                    return
                case Cancel():
                    self._jobs.cancel(request.request_id)
                    self._counts.cancel(request.request_id)
                case CountTokens():
                    self._counts.add(request)
                case LoadModel() | Generate():
                    self._jobs.add(request)

    def _serve(self, job: LoadModel | Generate | CountTokens) -> None:
        try:
            match job:
                case LoadModel():
                    self._engine.load(job)
                case Generate():
                    self._engine.generate(job)
                case CountTokens():
                    self._engine.count(job)
        except Exception as problem:  # a bug must not cost the answers after it
            log.exception("%s failed", type(job).__name__)
            self._send(Failed(job.request_id, FailureCode.INTERNAL, type(problem).__name__))

    def _tell_cancelled(self, job: LoadModel | Generate | CountTokens) -> None:
        self._send(Cancelled(job.request_id, None))


def _is_background(job: LoadModel | Generate) -> bool:
    return isinstance(job, Generate) and job.background
