"""Loads a model with its layers on given devices, for real or as a simulation."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llama_cpp import llama_cpp as lib

from chatdesk.core.loading import LoadOptions
from chatdesk.inference.loading.buffer_log import read_needs
from chatdesk.inference.loading.parameters import context_parameters, model_parameters
from chatdesk.inference.loading.placement import Layers, Needs, Sizes, native_split
from chatdesk.inference.native.bindings import AbortFlag, native_log
from chatdesk.inference.native.context import Context
from chatdesk.inference.native.devices import NativeDevice
from chatdesk.inference.native.model import Model


@dataclass(frozen=True, slots=True)
class Loader:
    """A model file with its load options. The methods raise `LoadError` and `Aborted`."""

    path: Path
    options: LoadOptions
    sizes: Sizes
    devices: tuple[NativeDevice, ...]
    abort: AbortFlag
    progress: Callable[[float], None]

    def model(self, placed: Layers, *, on_paper: bool = False) -> Model:
        """Return the weights, with so many layers on each device; `on_paper`, only their sizes."""
        handles = [each.handle for each in self.devices] if any(placed) else []
        devices = (ctypes.c_void_p * (len(handles) + 1))(*handles, None)
        parameters = model_parameters(self.options)
        parameters.devices = ctypes.cast(devices, ctypes.c_void_p)
        parameters.tensor_split = (ctypes.c_float * lib.llama_max_devices())(*native_split(placed))
        parameters.n_gpu_layers = sum(placed) + 1 if any(placed) else 0  # with the output layer
        if on_paper:
            parameters.no_alloc = True
            parameters.load_mode = lib.LLAMA_LOAD_MODE_NONE  # the file is not mapped either
        progress = (lambda _: None) if on_paper else self.progress
        return Model(self.path, parameters, self.abort, progress)

    def context(self, model: Model, placed: Layers, window: int, kv_type: str) -> Context:
        """Return a context of that model."""
        on_gpu = any(placed)
        parameters = context_parameters(self.options, self.sizes, window, kv_type, on_gpu=on_gpu)
        return Context(model, parameters, self.abort)

    def needs(self, placed: Layers, window: int, kv_type: str) -> Needs:
        """Return the memory that these layers need, as llama.cpp itself calculates it."""
        model = self.model(placed, on_paper=True)
        try:
            context = self.context(model, placed, window, kv_type)
            lines = native_log().lines()
            context.close()
        finally:
            model.close()
        return read_needs(lines, self.sizes, self.devices)
