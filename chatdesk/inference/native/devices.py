"""ggml's devices: the processors of this computer, and their handles for llama.cpp.

The functions are declared in `ggml-backend.h`.
"""

import ctypes
from dataclasses import dataclass
from typing import Any

import psutil

from chatdesk.core.loading import Device
from chatdesk.inference.native.bindings import ggml, start_backends

_KINDS = {0: "cpu", 1: "gpu", 2: "igpu", 3: "accel"}  # enum ggml_backend_dev_type


@dataclass(frozen=True, slots=True)
class NativeDevice:
    """A device and ggml's handle for it.

    `buffer` is the name of its memory in llama.cpp's log; `address` is the other computer that it
    belongs to, "" for this one.
    """

    device: Device
    handle: int
    buffer: str
    address: str = ""


def devices() -> tuple[Device, ...]:
    """Return this computer's devices, in ggml's order; memory in bytes, free memory as of now."""
    return tuple(each.device for each in local_devices())


def local_devices() -> tuple[NativeDevice, ...]:
    """Return the devices of this computer with their handles, in ggml's order."""
    count = ggml("ggml_backend_dev_count", ctypes.c_size_t)()
    get = ggml("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
    return tuple(native_device(get(index)) for index in range(count))


def native_device(handle: int, address: str = "") -> NativeDevice:
    """Return ggml's data of a device. For another computer this is a network request."""
    size = ctypes.POINTER(ctypes.c_size_t)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ggml("ggml_backend_dev_memory", None, ctypes.c_void_p, size, size)(handle, free, total)
    kind = _KINDS.get(_ask("ggml_backend_dev_type", ctypes.c_int, handle), "accel")
    variant = start_backends() if kind == "cpu" else ""
    device = Device(
        name=_text("ggml_backend_dev_name", handle),
        description=_text("ggml_backend_dev_description", handle)
        + (f" ({variant})" if variant else ""),
        kind=kind,
        # ggml reports all of the system's memory as free.
        free_bytes=psutil.virtual_memory().available if kind == "cpu" else free.value,
        total_bytes=total.value,
    )
    buffer = _ask("ggml_backend_dev_buffer_type", ctypes.c_void_p, handle)
    return NativeDevice(device, handle, _text("ggml_backend_buft_name", buffer), address)


def _ask(name: str, result: Any, handle: int) -> Any:
    return ggml(name, result, ctypes.c_void_p)(handle)


def _text(name: str, handle: int) -> str:
    text: bytes = _ask(name, ctypes.c_char_p, handle)
    return text.decode("utf-8", "replace")
