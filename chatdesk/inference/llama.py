"""A GGUF model in llama.cpp: loading, tokens, and one sequence that remembers what it has read.

Over llama-cpp-python's low-level bindings of `llama.h`; the high-level class is slower and uses
half the cores.
"""

import ctypes
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import FailureCode
from chatdesk.inference.loading import LoadError, check_file, classify
from chatdesk.inference.native import AbortFlag, devices, native_log, useful_threads

_SMALLER_WINDOWS = (4096, 2048)  # tokens, tried when there is no memory for the wanted one
_SMALLEST_WINDOW = 64
# A batch is what one decode call computes. On a CPU 128 tokens are read as fast as 512, and
# progress, abort and memory are four times finer; a GPU wants more work at a time.
_CPU_BATCH, _GPU_BATCH = 128, 512
_PROGRESS_INTERVAL_S = 0.1

_ATTRIBUTE_SPECIAL = lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_UNKNOWN
_ATTRIBUTE_USER_DEFINED = lib.LLAMA_TOKEN_ATTR_USER_DEFINED
_ASIDE = 1  # the sequence of `Model.set_aside`
_ABORTED = 2  # llama_decode's result


class Aborted(Exception):
    """The abort flag was set; the model is in a consistent state."""


class Vocabulary:
    """The tokenizer of a model. Its methods may be called from any thread while the model lives."""

    def __init__(self, model: Any) -> None:
        self._vocab: Any = lib.llama_model_get_vocab(model)
        self._piece = ctypes.create_string_buffer(256)
        self.size = int(lib.llama_vocab_n_tokens(self._vocab))
        first = int(lib.llama_vocab_bos(self._vocab))
        self.bos_text = self.text(first)
        self.eos_text = self.text(int(lib.llama_vocab_eos(self._vocab)))
        self._bos = first if lib.llama_vocab_get_add_bos(self._vocab) and first >= 0 else None

    @property
    def bos(self) -> int | None:
        """The token every prompt must begin with, if the model wants one."""
        return self._bos

    def tokenize(self, text: str, parse_special: bool) -> list[int]:
        """The text's tokens, without anything added; special tokens in it if `parse_special`."""
        data = text.encode("utf-8", "replace")
        if not data:
            return []
        room = len(data) + 2  # no token is shorter than a byte; some models add a space
        tokens = (ctypes.c_int32 * room)()
        count = lib.llama_tokenize(self._vocab, data, len(data), tokens, room, False, parse_special)
        if count < 0:
            raise RuntimeError(f"llama_tokenize: {count} for {len(data)} bytes")
        return tokens[:count]

    def piece(self, token: int) -> bytes:
        """What a token adds to the answer: no or some bytes, perhaps half a character.

        Not for several threads at once: the buffer is shared.
        """
        size = lib.llama_token_to_piece(self._vocab, token, self._piece, len(self._piece), 0, False)
        if size < 0:
            self._piece = ctypes.create_string_buffer(-size)
            return self.piece(token)
        return self._piece.raw[:size]

    def text(self, token: int) -> str:
        """How a token is written in the vocabulary; "" for no token (-1)."""
        if not 0 <= token < self.size:
            return ""
        written: bytes = lib.llama_vocab_get_text(self._vocab, token)
        return written.decode("utf-8", "replace")

    def is_special(self, token: int) -> bool:
        """Whether plain text never contains this token."""
        return bool(lib.llama_vocab_get_attr(self._vocab, token) & _ATTRIBUTE_SPECIAL)

    def is_user_defined(self, token: int) -> bool:
        """Whether this token is found in plain text in front of all merging."""
        return bool(lib.llama_vocab_get_attr(self._vocab, token) & _ATTRIBUTE_USER_DEFINED)

    def ends_generation(self, token: int) -> bool:
        """Whether the model says with this token that it is done."""
        return bool(lib.llama_vocab_is_eog(self._vocab, token))


class Model:
    """A loaded model with its context window and KV cache.

    Only one thread may use it at a time, but for `vocabulary`. `close` gives the memory back.
    """

    def __init__(
        self,
        path: Path,
        context_window: int,
        *,
        threads: int | None = None,
        gpu_layers: int | None = None,
        abort: AbortFlag | None = None,
        progress: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Load `path`; `progress` hears fractions of 1, at most every 100 ms.

        Raises `LoadError`, and `Aborted` when the flag is set meanwhile.
        """
        self._abort = abort or AbortFlag()
        native_log().is_silent = self._abort.is_set  # llama.cpp calls being aborted an error
        self._model: Any = None
        self._context: Any = None
        self._read: list[int] = []  # the tokens whose KV is in the cache, in order
        self._aside: list[int] | None = None  # the same of the sequence that is set aside
        self._one = (ctypes.c_int32 * 1)()
        self._one_batch: Any = lib.llama_batch_get_one(self._one, 1)
        check_file(path)
        lib.llama_backend_init()
        gpus = [each for each in devices() if each.kind in ("gpu", "igpu")]
        if not lib.llama_supports_gpu_offload():
            gpus = []
        try:
            self._load(path, bool(gpus), gpu_layers, progress)
            self.vocabulary = Vocabulary(self._model)
            self.threads = threads or useful_threads()
            trained = self.trained_context or context_window
            self._make_context(
                max(min(context_window, trained), _SMALLEST_WINDOW), bool(self.gpu_layers)
            )
            self._warm_up()
        except BaseException:
            self.close()
            raise
        used = gpus if self.gpu_layers else [each for each in devices() if each.kind == "cpu"]
        self.device = ", ".join(each.description for each in used)

    def _load(
        self,
        path: Path,
        has_gpu: bool,
        gpu_layers: int | None,
        progress: Callable[[float], None],
    ) -> None:
        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = (-1 if gpu_layers is None else gpu_layers) if has_gpu else 0
        told = 0.0

        def on_progress(fraction: float, _user_data: Any) -> bool:
            nonlocal told
            now = time.monotonic()
            if now - told >= _PROGRESS_INTERVAL_S or fraction >= 1:
                told = now
                progress(fraction)
            return not self._abort.is_set()

        callback = lib.llama_progress_callback(on_progress)  # referenced until the load returns
        parameters.progress_callback = callback
        log = native_log()
        log.clear()
        self._model = lib.llama_model_load_from_file(os.fsencode(path), parameters)
        if self._abort.is_set():
            raise Aborted
        if not self._model:
            raise classify(log.lines(), log.errors())
        self.layers = int(lib.llama_model_n_layer(self._model))
        wanted = parameters.n_gpu_layers
        self.gpu_layers = self.layers if wanted < 0 else min(wanted, self.layers)
        self.architecture = self.metadata("general.architecture") or ""
        if lib.llama_model_has_encoder(self._model) or not lib.llama_model_has_decoder(self._model):
            raise LoadError(FailureCode.UNSUPPORTED_ARCHITECTURE, self.architecture)
        if lib.llama_vocab_type(lib.llama_model_get_vocab(self._model)) == 0:
            raise LoadError(FailureCode.LOAD_FAILED, "the file has no vocabulary")

    def _make_context(self, window: int, on_gpu: bool) -> None:
        log = native_log()
        for tokens in (window, *(size for size in _SMALLER_WINDOWS if size < window)):
            log.clear()
            self._context = lib.llama_init_from_model(
                self._model, self._context_parameters(tokens, on_gpu)
            )
            if self._context:
                break
        else:
            raise classify(log.lines(), log.errors(), or_else=FailureCode.OUT_OF_MEMORY)
        self._memory: Any = lib.llama_get_memory(self._context)
        if not self._memory:
            raise LoadError(FailureCode.UNSUPPORTED_ARCHITECTURE, self.architecture)
        self.context_window = tokens
        self._batch = int(lib.llama_n_batch(self._context))
        # llama.cpp settles "auto" by itself and tells only its log.
        self.flash_attention = any("Flash Attention enabled" in line for line in log.lines())
        self._is_recurrent = bool(
            lib.llama_model_is_recurrent(self._model) or lib.llama_model_is_hybrid(self._model)
        )

    def _context_parameters(self, window: int, on_gpu: bool) -> Any:
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = window
        parameters.n_batch = parameters.n_ubatch = _GPU_BATCH if on_gpu else _CPU_BATCH
        parameters.n_threads = parameters.n_threads_batch = self.threads
        parameters.n_seq_max = 2  # the one in use, and one set aside; they share the cells
        parameters.kv_unified = True
        parameters.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_AUTO
        parameters.abort_callback = self._abort.callback
        parameters.abort_callback_data = self._abort.address
        return parameters

    def _warm_up(self) -> None:
        """Touch every weight, so that the first answer need not wait for the disk."""
        lib.llama_set_warmup(self._context, True)
        self.read_one(0)
        lib.llama_set_warmup(self._context, False)
        self._clear()

    def metadata(self, key: str) -> str | None:
        """A value of the file's header as text; None when it has none."""
        name = key.encode()
        size = int(lib.llama_model_meta_val_str(self._model, name, None, 0))
        if size < 0:
            return None
        value = ctypes.create_string_buffer(size + 1)
        lib.llama_model_meta_val_str(self._model, name, value, len(value))
        return value.value.decode("utf-8", "replace")

    @property
    def trained_context(self) -> int:
        """The longest context the model was trained for, in tokens."""
        return int(lib.llama_model_n_ctx_train(self._model))

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return int(lib.llama_model_n_params(self._model))

    @property
    def bytes(self) -> int:
        """The size of its tensors."""
        return int(lib.llama_model_size(self._model))

    @property
    def context(self) -> Any:
        """The native context, for a sampler."""
        return self._context

    @property
    def is_full(self) -> bool:
        """Whether the context window has no room for another token."""
        return len(self._read) >= self.context_window

    def reuse(self, tokens: Sequence[int]) -> int:
        """Keep the beginning of the KV cache that `tokens` shares; returns its length.

        At least one token is left to be read, as the logits come from reading.
        """
        shared = 0
        for old, new in zip(self._read, tokens[:-1], strict=False):
            if old != new:
                break
            shared += 1
        if not lib.llama_memory_seq_rm(self._memory, 0, shared, -1):
            self._clear()  # a recurrent state cannot go back
            return 0
        del self._read[shared:]
        return shared

    @contextmanager
    def set_aside(self, room: int) -> Iterator[None]:
        """Keep what is read for later, while at most `room` tokens of something else are.

        Costs no time: the cells of the KV cache only change their sequence. Where there is no room
        beside what is read (or a recurrent state, which has no cells), that is given up.
        """
        if self._is_recurrent or len(self._read) + room > self.context_window:
            yield
            return
        self._move(0, _ASIDE)
        self._aside, self._read = self._read, []
        try:
            yield
        finally:
            if self._aside is not None:
                lib.llama_memory_seq_rm(self._memory, 0, -1, -1)
                self._move(_ASIDE, 0)
                self._read, self._aside = self._aside, None

    def _move(self, source: int, target: int) -> None:
        lib.llama_memory_seq_cp(self._memory, source, target, -1, -1)
        lib.llama_memory_seq_rm(self._memory, source, -1, -1)

    def read(self, tokens: Sequence[int]) -> None:
        """Read more tokens, of any number, into the KV cache. Raises `Aborted`."""
        for start in range(0, len(tokens), self._batch):
            part = tokens[start : start + self._batch]
            native = (ctypes.c_int32 * len(part))(*part)  # the batch only points at it
            self._decode(lib.llama_batch_get_one(native, len(part)))
            self._read += part

    @property
    def batch(self) -> int:
        """How many tokens are computed at a time."""
        return self._batch

    def read_one(self, token: int) -> None:
        """Like `read` for the one token just sampled, without overhead."""
        self._one[0] = token
        self._decode(self._one_batch)
        self._read.append(token)

    def _decode(self, batch: Any) -> None:
        result = lib.llama_decode(self._context, batch)
        if result == 0:
            return
        # What was read before stays; the part being read is to be made anew.
        kept = int(lib.llama_memory_seq_pos_max(self._memory, 0)) + 1
        if self._is_recurrent or kept > len(self._read):
            self._clear()
        else:
            del self._read[kept:]
        if result == _ABORTED:
            raise Aborted
        raise RuntimeError(f"llama_decode: {result} ({'; '.join(native_log().errors()[-1:])})")

    def _clear(self) -> None:
        lib.llama_memory_clear(self._memory, True)
        self._read.clear()
        self._aside = None

    def close(self) -> None:
        """Give the memory back. Nothing else may be called after it."""
        if self._context:
            lib.llama_free(self._context)
            self._context = None
        if self._model:
            lib.llama_model_free(self._model)
            self._model = None
