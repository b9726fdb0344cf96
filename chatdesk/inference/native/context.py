"""A llama.cpp context: the KV cache of several sequences, and the computation on them."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import FailureCode
from chatdesk.inference.native.bindings import AbortFlag, native_log
from chatdesk.inference.native.load_errors import LoadError, classify
from chatdesk.inference.native.model import Aborted, Model

_NO_ROOM, _ABORTED = 1, 2  # llama_decode's results

# A prototype of our own: making llama-cpp-python's pointer and a view of it takes longer.
_ADDRESS = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32)
_logits_address = _ADDRESS(("llama_get_logits_ith", lib._lib))

Logits = npt.NDArray[np.float32]
State = bytes | memoryview  # the KV state of a sequence


class NoRoom(Exception):
    """The KV cache has no cells left for this batch; nothing of it was computed."""


class Batch:
    """Tokens of any sequences to compute in one step, at most `capacity`.

    llama.cpp only points at the arrays, so they are made once and filled again.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._sequences = (ctypes.c_int32 * capacity)()
        places = [
            ctypes.pointer(ctypes.c_int32.from_buffer(self._sequences, 4 * n))
            for n in range(capacity)
        ]
        self._pointers = (ctypes.POINTER(ctypes.c_int32) * (capacity + 1))(*places)
        self._tokens = (ctypes.c_int32 * capacity)()
        self._positions = (ctypes.c_int32 * capacity)()
        self._counts = (ctypes.c_int32 * capacity)(*([1] * capacity))
        self._outputs = (ctypes.c_int8 * capacity)()
        self.native = lib.llama_batch(
            n_tokens=0,
            token=self._tokens,
            pos=self._positions,
            n_seq_id=self._counts,
            seq_id=self._pointers,
            logits=self._outputs,
        )

    def clear(self) -> None:
        """Begin the next step."""
        self.size = 0

    @property
    def room(self) -> int:
        """The number of tokens that still fit."""
        return self.capacity - self.size

    def add(self, token: int, position: int, sequence: int, output: bool) -> int:
        """Add a token; return the row of its logits, which it has if `output`."""
        row = self.size
        self._tokens[row] = token
        self._positions[row] = position
        self._sequences[row] = sequence
        self._outputs[row] = output
        self.size = row + 1
        return row

    def add_part(self, tokens: Sequence[int], position: int, sequence: int) -> None:
        """Add consecutive tokens from `position`, without output."""
        start, end = self.size, self.size + len(tokens)
        count = len(tokens)
        self._tokens[start:end] = list(tokens)
        self._positions[start:end] = list(range(position, position + count))
        self._sequences[start:end] = [sequence] * count
        self._outputs[start:end] = [0] * count
        self.size = end

    def want_output(self, row: int) -> None:
        """Compute the logits of this row as well."""
        self._outputs[row] = 1


class Context:
    """The KV cache of a model and the computations on it. One thread at a time may use it.

    `window` is the number of cells, in tokens, that all sequences share.
    """

    def __init__(self, model: Model, parameters: Any, abort: AbortFlag) -> None:
        """Make a context with `llama_context_params`. Raises `LoadError`."""
        self.model = model
        self._abort = abort
        parameters.abort_callback = abort.callback
        parameters.abort_callback_data = abort.address
        log = native_log()
        log.clear()
        self.handle: Any = lib.llama_init_from_model(model.handle, parameters)
        if not self.handle:
            raise classify(log.lines(), log.errors(), or_else=FailureCode.OUT_OF_MEMORY)
        self._views: dict[int, Logits] = {}  # of llama.cpp's memory, one for a row
        self._memory: Any = lib.llama_get_memory(self.handle)
        if not self._memory:
            self.close()
            raise LoadError(FailureCode.UNSUPPORTED_ARCHITECTURE, model.architecture)
        # llama.cpp decides "auto" by itself and reports it only in its log.
        self.flash_attention = any("Flash Attention enabled" in line for line in log.lines())
        self.window = int(lib.llama_n_ctx(self.handle))
        self.sequences = int(lib.llama_n_seq_max(self.handle))
        self.batch = int(lib.llama_n_batch(self.handle))
        self.can_shift = bool(lib.llama_memory_can_shift(self._memory))
        self.is_recurrent = model.is_recurrent

    def decode(self, batch: Batch) -> None:
        """Compute a batch. Raises `NoRoom` and `Aborted`; in both cases nothing was read."""
        batch.native.n_tokens = batch.size
        with native_log().silent_if(self._abort.is_set):  # llama.cpp logs an abort as an error
            result = lib.llama_decode(self.handle, batch.native)
        if result == 0:
            return
        if result == _NO_ROOM:
            raise NoRoom
        if result == _ABORTED:
            raise Aborted
        raise RuntimeError(f"llama_decode: {result} ({'; '.join(native_log().errors()[-1:])})")

    def warm_up(self) -> None:
        """Touch every weight, so that the first answer need not wait for the disk."""
        batch = Batch(1)
        batch.add(0, 0, 0, output=True)
        lib.llama_set_warmup(self.handle, True)
        self.decode(batch)
        lib.llama_set_warmup(self.handle, False)
        self.clear()

    def logits(self, row: int) -> Logits:
        """Return the logits of a row of the last batch, one for each token of the vocabulary.

        A view of llama.cpp's memory, valid until the next `decode`.
        """
        address = _logits_address(self.handle, row)
        view = self._views.get(address)
        if view is None:
            native = (ctypes.c_float * self.model.vocabulary.size).from_address(address)
            view = self._views[address] = np.ctypeslib.as_array(native)
        return view

    # Sequences in the KV cache

    def length(self, sequence: int) -> int:
        """Return the number of a sequence's tokens in the cache."""
        return int(lib.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def cut(self, sequence: int, length: int) -> bool:
        """Drop a sequence's tokens from `length` on. False where the model cannot go back."""
        return bool(lib.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def drop(self, sequence: int) -> None:
        """Drop a sequence."""
        lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def share(self, source: int, target: int, length: int) -> None:
        """Let `target` begin with the first `length` tokens of `source`; no data is copied."""
        lib.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def close_gap(self, sequence: int, start: int, end: int) -> None:
        """Drop the tokens from `start` to `end`, and move the following ones to their place.

        Those were computed with the dropped ones in view, so the result is close to, but not the
        same as, reading the rest again.
        """
        lib.llama_memory_seq_rm(self._memory, sequence, start, end)
        lib.llama_memory_seq_add(self._memory, sequence, end, -1, start - end)

    def clear(self) -> None:
        """Drop every sequence."""
        lib.llama_memory_clear(self._memory, True)

    def state(self, sequence: int) -> bytes:
        """Return the KV state of a sequence, for `restore`."""
        size = int(lib.llama_state_seq_get_size(self.handle, sequence))
        buffer = bytearray(size)
        native = (ctypes.c_uint8 * size).from_buffer(buffer)
        written = int(lib.llama_state_seq_get_data(self.handle, native, size, sequence))
        del native
        del buffer[written:]
        return bytes(buffer)

    def restore(self, sequence: int, state: State) -> bool:
        """Load a state of this model and KV type into a sequence; False if it has no room."""
        where = np.frombuffer(state, np.uint8).ctypes.data
        native = ctypes.cast(where, ctypes.POINTER(ctypes.c_uint8))
        read = int(lib.llama_state_seq_set_data(self.handle, native, len(state), sequence))
        if read == 0:
            self.drop(sequence)
        return read > 0

    def close(self) -> None:
        """Free the memory."""
        if self.handle:
            lib.llama_free(self.handle)
            self.handle = None
