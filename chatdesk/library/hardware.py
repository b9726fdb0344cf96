"""What this computer has, as plain values."""

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Hardware:
    """Processor and memory. `available_bytes` is what programs can have without swapping."""

    cpu: str
    physical_cores: int
    logical_cores: int
    total_bytes: int
    available_bytes: int


def read_hardware() -> Hardware:
    """This computer, now."""
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
    """Bytes that programs can have without swapping."""
    available: int = psutil.virtual_memory().available
    return available


def _cpu_name() -> str:
    """The processor as its maker calls it, where the system tells without a child process."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
