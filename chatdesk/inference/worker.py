"""The engine process: requests arrive as JSON lines on stdin, events go out on stdout.

Three threads: one reads requests, so that a cancel acts at once; one prepares them (templates,
tokens, files), so that nothing slow comes between two steps; this one loads and computes.
"""

import logging
import os
import queue
import signal
import sys
import threading
import time
from typing import NoReturn, get_args

import llama_cpp
from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import (
    EngineRequest,
    Failed,
    FailureCode,
    ForgetSession,
    Generate,
    ModelRequest,
)
from chatdesk.core.loading import EngineReady, LoadModel, Quantize
from chatdesk.core.protocol import Cancel, Shutdown, Terminal
from chatdesk.inference.decoding.failures import failed
from chatdesk.inference.embedder import LoadedEmbedder
from chatdesk.inference.loaded_model import LoadedModel, Work, load
from chatdesk.inference.native.bindings import AbortFlag, start_backends
from chatdesk.inference.native.devices import devices
from chatdesk.inference.open_requests import Requests
from chatdesk.inference.quantize import quantize
from chatdesk.workers.channel import EventWriter, lines, take_stdout
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec, ProtocolError

_PATIENCE_S = 5.0  # for saving conversations at the end

Asked = LoadModel | Quantize | ModelRequest

log = logging.getLogger(__name__)


def main() -> NoReturn:
    """Serve until `Shutdown` or the end of stdin."""
    writer = EventWriter(take_stdout())
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to handle
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # a crash need not wait for a debugger
    start_backends()
    writer.send(
        EngineReady(
            protocol=PROTOCOL_VERSION,
            llama_cpp=llama_cpp.__version__,
            rpc=bool(lib.llama_supports_rpc()),
            devices=devices(),
        )
    )
    server = _Server(writer)
    threading.Thread(target=server.read, name="requests", daemon=True).start()
    threading.Thread(target=server.prepare, name="preparing", daemon=True).start()
    server.compute()
    logging.shutdown()
    os._exit(0)  # the system frees the model; another thread may still be using it


class _Server:
    """Passes each request through its three threads."""

    def __init__(self, writer: EventWriter) -> None:
        self._send = writer.send
        self._requests = Requests(writer.send)
        self._abort = AbortFlag()
        self._arrived: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._prepared: queue.SimpleQueue[tuple[str, Work] | None] = queue.SimpleQueue()
        self._loading: str | None = None
        self._loaded: LoadedModel | LoadedEmbedder | None = None
        self._load_ended = threading.Event()

    # Reading

    def read(self) -> None:
        """Take requests from stdin; at its end everything stops."""
        try:
            self._take_requests()
        except Exception:  # an engine that does not listen is of no use
            log.exception("reading requests failed")
        self._requests.cancel_all()
        self._abort.set()
        self._arrived.put(None)
        time.sleep(_PATIENCE_S)
        os._exit(0)  # the main thread hangs in native code or on a slow disk

    def _take_requests(self) -> None:
        codec = Codec[EngineRequest](get_args(EngineRequest))
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
                    self._cancel(request.request_id)
                case _ if self._requests.begin(request.request_id):
                    self._arrived.put(request)
                case _:
                    self._send(Failed("", FailureCode.PROTOCOL, "a request id that is in use"))

    def _cancel(self, request_id: str) -> None:
        self._requests.cancel(request_id)
        loaded = self._loaded
        if request_id == self._loading or (loaded and loaded.is_computing(request_id)):
            self._abort.set()

    # Preparing

    def prepare(self) -> None:
        """Prepare requests in their order."""
        while (request := self._arrived.get()) is not None:
            # A deleted conversation is dropped, even if the end comes meanwhile.
            forgets = isinstance(request, ForgetSession)
            if not forgets and self._requests.end_cancelled(request.request_id):
                continue
            try:
                self._prepare(request)
            except Exception as problem:
                self._requests.end(failed(request.request_id, problem))
        self._prepared.put(None)

    def _prepare(self, request: Asked) -> None:
        match request:
            case LoadModel():
                self._load_ended.clear()
                self._loading = request.request_id
                self._hand_over(request, lambda: self._replace_model(request))
                self._load_ended.wait()  # what follows is meant for the new model
            case Quantize():
                self._hand_over(request, lambda: self._requests.end(quantize(request, self._send)))
            case _ if self._loaded:
                self._prepare_for(self._loaded, request)
            case _:
                self._requests.end(Failed(request.request_id, FailureCode.NOT_LOADED, ""))

    def _prepare_for(self, loaded: LoadedModel | LoadedEmbedder, request: ModelRequest) -> None:
        prepared = loaded.prepare(request)
        if isinstance(prepared, Terminal):
            self._requests.end(prepared)
            return
        self._hand_over(request, prepared)
        urgent = isinstance(request, Generate) and not request.background
        if urgent and loaded.is_in_background:
            self._abort.set()

    def _hand_over(self, request: Asked, work: Work) -> None:
        self._prepared.put((request.request_id, work))

    # Computing

    def compute(self) -> None:
        """Load models and compute steps, until the end."""
        while True:
            for work in self._next_work():
                if work is None:
                    if self._loaded:
                        self._loaded.finish()
                    return
                self._begin(*work)
            if self._loaded:
                self._step(self._loaded)

    def _next_work(self) -> list[tuple[str, Work] | None]:
        """Return the prepared work; wait for some when there is nothing to compute."""
        arrived = []
        loaded = self._loaded
        if loaded is None or loaded.is_empty:
            try:
                arrived.append(self._prepared.get(timeout=loaded.keep_idle() if loaded else None))
            except queue.Empty:
                return []
        while not self._prepared.empty():
            arrived.append(self._prepared.get())
        return arrived

    def _begin(self, request_id: str, work: Work) -> None:
        try:
            work()
        except Exception as problem:
            self._requests.end(failed(request_id, problem))

    def _replace_model(self, request: LoadModel) -> None:
        if self._loaded:
            self._loaded.close()  # earlier requests are answered first
            self._loaded = None
        try:
            if not self._requests.end_cancelled(request.request_id):
                self._loaded = load(
                    request, abort=self._abort, requests=self._requests, send=self._send
                )
        except Exception as problem:
            self._requests.end(failed(request.request_id, problem))
        self._loading = None
        self._load_ended.set()

    def _step(self, loaded: LoadedModel | LoadedEmbedder) -> None:
        try:
            loaded.step()
        except Exception:  # a bug must not cost the answers after it
            log.exception("a step failed")
