"""GGUF LoRA adapters: loaded once, applied to a whole context."""

import ctypes
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import Adapter
from chatdesk.inference.native.bindings import native_log
from chatdesk.inference.native.context import Context
from chatdesk.inference.native.model import Model

AdapterKey = tuple[tuple[str, float], ...]
"""Adapters with their scales: the hash of each file, so that a changed file is another adapter."""

_LARGEST_SCALE = 100.0


class AdapterError(Exception):
    """An adapter that cannot be used; the text gives the file and the reason."""


class Adapters:
    """The adapters of one model. `identify` may be called from any thread, the rest from one."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._digests: dict[tuple[str, int, int], str] = {}  # by path, size and time
        self._paths: dict[str, Path] = {}
        self._handles: dict[str, Any] = {}
        self._applied: AdapterKey = ()

    def identify(self, adapters: Sequence[Adapter]) -> AdapterKey:
        """Identify adapters by their content. Raises `AdapterError`."""
        key = []
        for adapter in adapters:
            if not -_LARGEST_SCALE <= adapter.scale <= _LARGEST_SCALE:  # also refuses NaN
                raise AdapterError(f"a scale of {adapter.scale}")
            if adapter.scale:
                key.append((self._digest(Path(adapter.path)), adapter.scale))
        if len({digest for digest, _ in key}) < len(key):
            raise AdapterError("the same adapter twice")
        return tuple(key)

    def _digest(self, path: Path) -> str:
        try:
            about = path.stat()
            stamp = (str(path), about.st_size, about.st_mtime_ns)
            if stamp not in self._digests:
                content = path.read_bytes()
                digest = hashlib.blake2b(content, digest_size=16).hexdigest()
                self._paths[digest] = path
                self._digests[stamp] = digest
            return self._digests[stamp]
        except OSError as problem:
            raise AdapterError(f"{path.name}: {problem.strerror}") from problem

    def load(self, key: AdapterKey) -> None:
        """Read the new ones. Raises `AdapterError`."""
        for digest, _ in key:
            if digest not in self._handles:
                self._handles[digest] = self._read(self._paths[digest])

    def _read(self, path: Path) -> Any:
        log = native_log()
        log.clear()
        handle = lib.llama_adapter_lora_init(self._model.handle, os.fsencode(path))
        if not handle:
            reason = (log.errors()[-1:] or ["llama.cpp gave no reason"])[0]
            raise AdapterError(f"{path.name}: {reason}")
        return handle

    def apply(self, context: Context, key: AdapterKey) -> None:
        """Run the next computations with these loaded adapters and no others."""
        if key == self._applied:
            return
        handles = (lib.llama_adapter_lora_p_ctypes * len(key))(
            *(self._handles[digest] for digest, _ in key)
        )
        scales = (ctypes.c_float * len(key))(*(scale for _, scale in key))
        if lib.llama_set_adapters_lora(context.handle, handles, len(key), scales) != 0:
            raise RuntimeError("llama_set_adapters_lora failed")
        self._applied = key
