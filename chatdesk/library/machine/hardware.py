"""This computer's processor and memory, as plain values."""

import ctypes
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Hardware:
    """Processor and memory. `available_bytes` is what programs can get without swapping."""

    cpu: str
    physical_cores: int
    logical_cores: int
    total_bytes: int
    available_bytes: int


def read_hardware() -> Hardware:
    """Read the present values of this computer."""
    memory = psutil.virtual_memory()
    logical = psutil.cpu_count() or 1
    return Hardware(
        cpu=_cpu_name(),
        physical_cores=psutil.cpu_count(logical=False) or logical,
        logical_cores=logical,
        total_bytes=memory.total,
        available_bytes=memory.available,
    )


def available_memory() -> int:
    """Return the bytes that programs can get without swapping."""
    available: int = psutil.virtual_memory().available
    return available


def _cpu_name() -> str:
    """Return the processor's commercial name, where the system has it without a child process."""
    name = ""
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        name = next((line.partition(":")[2] for line in lines if line.startswith("model name")), "")
    elif sys.platform == "darwin":
        text = ctypes.create_string_buffer(256)
        size = ctypes.byref(ctypes.c_size_t(len(text)))
        ctypes.CDLL(None).sysctlbyname(b"machdep.cpu.brand_string", text, size, None, 0)
        name = text.value.decode("utf-8", "replace")
    elif sys.platform == "win32":
        import winreg

        place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
    return name.strip() or platform.processor() or platform.machine()
