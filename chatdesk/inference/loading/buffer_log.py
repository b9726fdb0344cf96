"""The memory that a model took on each device, read from llama.cpp's log."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from chatdesk.core.loading import Placement
from chatdesk.core.units import MIB
from chatdesk.inference.loading.placement import Layers, Needs, Sizes, cpu_weights
from chatdesk.inference.native.devices import NativeDevice

_BUFFER = re.compile(r"^\w+:\s+(\S+)\s+(.+?) buffer size =\s*([\d.]+) MiB")
_CACHE = re.compile(r"^\w+:\s+(?:.*, )?size =\s*([\d.]+) MiB")
_KINDS = {"model": "weights", "compute": "compute", "output": "compute"}  # the rest are caches

Buffers = Counter[tuple[int | None, str]]
"""Bytes of each kind on each device by its index; None is the processor."""


def read_buffers(lines: Iterable[str], devices: Sequence[NativeDevice]) -> Buffers:
    """Add up the buffers in a log."""
    buffers: Buffers = Counter()
    for line in lines:
        if found := _BUFFER.match(line):
            kind = _KINDS.get(found[2], "kv")
            buffers[_owner(found[1], devices), kind] += round(float(found[3]) * MIB)
    return buffers


def _owner(buffer: str, devices: Sequence[NativeDevice]) -> int | None:
    """Return the device of a buffer. A device's pinned memory ("CUDA_Host") is the computer's."""
    for index, device in enumerate(devices):
        if buffer == device.buffer or buffer.startswith(f"{device.buffer}_"):
            return index
    return None


def read_needs(lines: Sequence[str], sizes: Sizes, devices: Sequence[NativeDevice]) -> Needs:
    """Return the needs of a context, from the log of a simulated one."""
    buffers = read_buffers(lines, devices)
    caches = sum(float(found[1]) * MIB for line in lines if (found := _CACHE.match(line)))
    return Needs(
        kv_layer=int(caches / max(1, len(sizes.layers))),
        compute=tuple(buffers[index, "compute"] for index in range(len(devices))),
        cpu_compute=buffers[None, "compute"],
    )


def placements(
    buffers: Buffers, sizes: Sizes, placed: Layers, devices: Sequence[NativeDevice], cpu: str
) -> tuple[Placement, ...]:
    """Return the parts of a model on each device that has one, and on the processor, `cpu`."""
    return tuple(_placements(buffers, sizes, placed, devices, cpu))


def _placements(
    buffers: Buffers, sizes: Sizes, placed: Layers, devices: Sequence[NativeDevice], cpu: str
) -> Iterator[Placement]:
    for index, (device, layers) in enumerate(zip(devices, placed, strict=True)):
        if layers:
            yield Placement(
                device=device.device.name,
                description=device.device.description,
                layers=layers,
                weight_bytes=buffers[index, "weights"],
                kv_bytes=buffers[index, "kv"],
                compute_bytes=buffers[index, "compute"],
            )
    yield Placement(
        device="CPU",
        description=cpu,
        layers=len(sizes.layers) - sum(placed),
        # The log has the mapped size of the file, which may be all of it.
        weight_bytes=cpu_weights(sizes, placed),
        kv_bytes=buffers[None, "kv"],
        compute_bytes=buffers[None, "compute"],
    )
