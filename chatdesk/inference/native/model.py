"""The weights of a GGUF model in llama.cpp, and the metadata of its file.

Over llama-cpp-python's low-level bindings of `llama.h`; the high-level class is slower and uses
half the cores.
"""

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import FailureCode
from chatdesk.inference.native.bindings import AbortFlag, native_log
from chatdesk.inference.native.load_errors import LoadError, check_file, classify
from chatdesk.inference.native.vocabulary import Vocabulary

_PROGRESS_INTERVAL_S = 0.1


class Aborted(Exception):
    """The abort flag was set; the aborted computation has no effect."""


class Model:
    """Loaded weights. `close` frees the memory, after every context on it is closed.

    `buffers` are the lines of llama.cpp's log with the memory taken on each device.
    """

    def __init__(
        self,
        path: Path,
        parameters: Any,
        abort: AbortFlag,
        progress: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Load `path` with llama.cpp's `llama_model_params`.

        `progress` gets fractions of 1, at most every 100 ms. Raises `LoadError`, and `Aborted` when
        the flag is set during the load.
        """
        check_file(path)
        self.handle: Any = None
        self._read(path, parameters, abort, progress)
        try:
            self.layers = int(lib.llama_model_n_layer(self.handle))
            self.architecture = self.metadata("general.architecture") or ""
            self._check()
            self.vocabulary = Vocabulary(self.handle)
        except BaseException:
            self.close()
            raise

    def _read(
        self, path: Path, parameters: Any, abort: AbortFlag, progress: Callable[[float], None]
    ) -> None:
        reported = 0.0

        def on_progress(fraction: float, _user_data: Any) -> bool:
            nonlocal reported
            now = time.monotonic()
            if now - reported >= _PROGRESS_INTERVAL_S or fraction >= 1:
                reported = now
                progress(fraction)
            return not abort.is_set()

        callback = lib.llama_progress_callback(on_progress)  # referenced until the load returns
        parameters.progress_callback = callback
        log = native_log()
        log.clear()
        with log.silent_if(abort.is_set):  # llama.cpp calls being aborted an error
            self.handle = lib.llama_model_load_from_file(os.fsencode(path), parameters)
        if abort.is_set():
            self.close()
            raise Aborted
        if not self.handle:
            raise classify(log.lines(), log.errors())
        self.buffers = [line for line in log.lines() if "buffer size" in line]

    def _check(self) -> None:
        if lib.llama_model_has_encoder(self.handle) or not lib.llama_model_has_decoder(self.handle):
            raise LoadError(FailureCode.UNSUPPORTED_ARCHITECTURE, self.architecture)
        if lib.llama_vocab_type(lib.llama_model_get_vocab(self.handle)) == 0:
            raise LoadError(FailureCode.LOAD_FAILED, "the file has no vocabulary")

    def metadata(self, key: str) -> str | None:
        """Return a value of the file's header as text; None when it has none."""
        name = key.encode()
        size = int(lib.llama_model_meta_val_str(self.handle, name, None, 0))
        if size < 0:
            return None
        value = ctypes.create_string_buffer(size + 1)
        lib.llama_model_meta_val_str(self.handle, name, value, len(value))
        return value.value.decode("utf-8", "replace")

    @property
    def trained_context(self) -> int:
        """The longest context that the model was trained for, in tokens."""
        return int(lib.llama_model_n_ctx_train(self.handle))

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return int(lib.llama_model_n_params(self.handle))

    @property
    def bytes(self) -> int:
        """The size of the tensors."""
        return int(lib.llama_model_size(self.handle))

    @property
    def is_recurrent(self) -> bool:
        """True if its state, or a part of it, cannot go back to an earlier token."""
        return bool(
            lib.llama_model_is_recurrent(self.handle) or lib.llama_model_is_hybrid(self.handle)
        )

    def close(self) -> None:
        """Free the memory."""
        if self.handle:
            lib.llama_model_free(self.handle)
            self.handle = None
