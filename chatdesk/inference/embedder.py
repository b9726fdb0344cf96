"""A loaded embedder: it makes vectors of texts, and nothing else.

It joins the vectors of a text's tokens as its file says. Most embedders read a text in both
directions, so they have no KV cache: a text is read whole, many in one step.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as lib

from chatdesk.core.errors import ModelProblem
from chatdesk.core.generation import (
    Embed,
    Embedded,
    Failed,
    FailureCode,
    ForgetSession,
    KeepSessions,
    ModelRequest,
    RestoreSession,
    SessionForgotten,
    SessionRestored,
    SessionsKept,
)
from chatdesk.core.loading import LoadModel, LoadOptions, ModelLoaded
from chatdesk.core.protocol import Terminal
from chatdesk.formats.gguf.model import read_model
from chatdesk.inference.decoding.failures import failed
from chatdesk.inference.loading.parameters import model_parameters
from chatdesk.inference.loading.report import report
from chatdesk.inference.native.bindings import AbortFlag, native_log, start_backends
from chatdesk.inference.native.context import Batch
from chatdesk.inference.native.load_errors import LoadError, classify
from chatdesk.inference.native.model import Aborted, Model
from chatdesk.inference.native.thread_count import useful_threads
from chatdesk.inference.open_requests import Requests
from chatdesk.inference.prompt.context_view import TooLong

_POOLINGS = (1, 2, 3)  # mean, first and last token; a fourth kind ranks
_TOGETHER = 64  # texts in one step
_STEP = 1024  # tokens in one step, if no text is longer
_ABORTED = 2  # llama.cpp's result


def is_embedder(path: Path) -> bool:
    """Return True for a model whose header says how it embeds texts, or that reads both ways."""
    try:
        metadata = read_model(path).metadata
    except ModelProblem:  # told by llama.cpp
        return False
    architecture = metadata.get("general.architecture")
    pooling = metadata.get(f"{architecture}.pooling_type")
    if pooling is None:
        return metadata.get(f"{architecture}.attention.causal") is False
    return pooling in _POOLINGS


class LoadedEmbedder:
    """The model, and the texts that are to be embedded. `prepare` runs on another thread."""

    def __init__(
        self,
        path: Path,
        options: LoadOptions,
        abort: AbortFlag,
        requests: Requests,
        progress: Callable[[float], None],
    ) -> None:
        """Load it. Raises `LoadError`, and `Aborted`."""
        start_backends()
        self._abort = abort
        self._requests = requests
        self._threads = options.threads or useful_threads()
        parameters = model_parameters(options)
        parameters.n_gpu_layers = 0
        self._model = Model(path, parameters, abort, progress)
        trained = self._model.trained_context or options.context_window
        self._window = min(trained, options.context_window)
        self._texts: list[_Texts] = []
        self._computing: str | None = None
        try:
            self._check_vocabulary()
            self._context = self._make_context()
        except BaseException:
            self._model.close()
            raise
        self._memory: Any = lib.llama_get_memory(self._context)
        self._batch = Batch(max(self._window, _STEP))

    def _check_vocabulary(self) -> None:
        """Raise `LoadError` where llama.cpp would end the process with the first text."""
        vocabulary = lib.llama_model_get_vocab(self._model.handle)
        if lib.llama_vocab_type(vocabulary) != lib.LLAMA_VOCAB_TYPE_WPM:
            return
        if min(lib.llama_vocab_bos(vocabulary), lib.llama_vocab_sep(vocabulary)) < 0:
            raise LoadError(FailureCode.LOAD_FAILED, "the file does not say how a text begins.")

    def _make_context(self) -> Any:
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = max(self._window, _STEP)
        parameters.n_seq_max = _TOGETHER
        parameters.embeddings = True
        if self._model.metadata(f"{self._model.architecture}.pooling_type") is None:
            parameters.pooling_type = lib.LLAMA_POOLING_TYPE_MEAN
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = self._threads
        parameters.abort_callback = self._abort.callback
        parameters.abort_callback_data = self._abort.address
        log = native_log()
        log.clear()
        context = lib.llama_init_from_model(self._model.handle, parameters)
        if not context:
            raise classify(log.lines(), log.errors(), or_else=FailureCode.OUT_OF_MEMORY)
        return context

    def loaded(self, request: LoadModel, started: float) -> ModelLoaded:
        """Return the report of the load."""
        loaded = report(request, started, self._model, window=self._window, threads=self._threads)
        return replace(loaded, batch=self._batch.capacity)

    # Requests

    def prepare(self, request: ModelRequest) -> Terminal | Callable[[], None]:
        """Return the answer to a request, or the rest of its work. Raises what prevents it."""
        request_id = request.request_id
        match request:
            case Embed():
                texts = _Texts(request_id, [self._tokens(text) for text in request.texts])
                return lambda: self._texts.append(texts)
            case KeepSessions():
                return SessionsKept(request_id, 0, 0)
            case RestoreSession():
                return SessionRestored(request_id, 0)
            case ForgetSession():
                return SessionForgotten(request_id)
            case _:
                architecture = self._model.architecture
                return Failed(request_id, FailureCode.UNSUPPORTED_ARCHITECTURE, architecture)

    def _tokens(self, text: str) -> list[int]:
        if not text:
            raise ValueError("an empty text")
        tokens = self._model.vocabulary.tokenize(text, parse_special=False, add_special=True)
        if len(tokens) > self._window:
            raise TooLong(len(tokens), self._window)
        return tokens

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to compute."""
        return not self._texts

    def is_computing(self, request_id: str) -> bool:
        """Return True if a request is in the step being computed. Any thread may call."""
        return request_id == self._computing

    @property
    def is_in_background(self) -> bool:
        """Return False: nothing that it computes can wait."""
        return False

    def step(self) -> None:
        """Read the next texts of the first request."""
        if self.is_empty:
            return
        texts = self._texts[0]
        if not self._requests.end_cancelled(texts.request_id):
            self._computing = texts.request_id
            try:
                self._read(texts)
            except Aborted:
                return
            except Exception as problem:
                self._requests.end(failed(texts.request_id, problem))
            else:
                if texts.left:
                    return
                self._requests.end(texts.embedded())
            finally:
                self._computing = None
        self._texts.remove(texts)

    def _read(self, texts: "_Texts") -> None:
        group = texts.next(self._batch.capacity)
        self._batch.size = 0
        for number, index in enumerate(group):
            for position, token in enumerate(texts.tokens[index]):
                self._batch.add(token, position, number, output=True)
        if group:
            self._compute()
        width = int(lib.llama_model_n_embd(self._model.handle))
        for number, index in enumerate(group):
            pointer = lib.llama_get_embeddings_seq(self._context, number)
            texts.vectors[index] = np.ctypeslib.as_array(pointer, (width,)).astype(np.float64)
        del texts.left[: len(group)]

    def _compute(self) -> None:
        self._abort.clear()
        self._batch.native.n_tokens = self._batch.size
        if self._memory:
            lib.llama_memory_clear(self._memory, True)
        compute = lib.llama_decode if self._memory else lib.llama_encode
        with native_log().silent_if(self._abort.is_set):
            result = compute(self._context, self._batch.native)
        if result == _ABORTED:
            raise Aborted
        if result:
            raise RuntimeError(f"embedding: {result} ({'; '.join(native_log().errors()[-1:])})")

    # The end

    def keep_idle(self) -> None:
        """Keep nothing: no conversation is held with it."""

    def finish(self) -> None:
        """Finish all requests."""
        while not self.is_empty:
            self.step()  # cancelled requests end here

    def close(self) -> None:
        """Finish, and free the memory. No other thread may use it any more."""
        self.finish()
        lib.llama_free(self._context)
        self._model.close()


class _Texts:
    """The texts of one request; those of `left` are still to be read, the longest last."""

    def __init__(self, request_id: str, tokens: Sequence[Sequence[int]]) -> None:
        self.request_id = request_id
        self.tokens = tokens
        self.left = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        self.vectors: dict[int, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}

    def next(self, room: int) -> list[int]:
        """Return those that are read together next: as many as there is room for."""
        group: list[int] = []
        for index in self.left[:_TOGETHER]:
            room -= len(self.tokens[index])
            if room < 0:
                break
            group.append(index)
        return group

    def embedded(self) -> Embedded:
        """Return the answer: vectors of length 1, in the order of the texts."""
        vectors = []
        for index in range(len(self.tokens)):
            vector = self.vectors[index]
            length = float(np.linalg.norm(vector))
            vectors.append(tuple((vector / length if length else vector).tolist()))
        return Embedded(self.request_id, tuple(vectors), sum(map(len, self.tokens)))
