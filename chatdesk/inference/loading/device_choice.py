"""The devices that a model may use."""

from collections.abc import Sequence

import psutil

from chatdesk.core.generation import FailureCode
from chatdesk.core.loading import Device, LoadOptions
from chatdesk.inference.loading.placement import reserve
from chatdesk.inference.native.devices import NativeDevice
from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.native.rpc_devices import remote_devices

_GPUS = ("gpu", "igpu")


def choose_devices(options: LoadOptions, local: Sequence[NativeDevice]) -> tuple[NativeDevice, ...]:
    """Return the devices beside the processor that may hold layers, in llama.cpp's order.

    Other computers come first, because they then send the least, and the largest device last: it is
    filled first, and computes the output. Raises `LoadError` when a device is missing, or a device
    has no share of the model.
    """
    chosen = _choose(options, local)
    shares = options.tensor_split
    if shares and len(shares) != len(chosen):
        detail = f"tensor_split = {len(shares)} values for {len(chosen)} devices"
        raise LoadError(FailureCode.PARAMETER, detail)
    return chosen


def _choose(options: LoadOptions, local: Sequence[NativeDevice]) -> tuple[NativeDevice, ...]:
    if options.gpu_layers == 0 and not options.devices and not options.tensor_split:
        return ()
    remote = [device for address in options.remote for device in remote_devices(address)]
    if options.devices:
        named = [_find(name, [*local, *remote]) for name in dict.fromkeys(options.devices)]
        return tuple(each for each in named if each.device.kind in _GPUS)
    own = [each for each in local if each.device.kind == "gpu"]
    own = own or [each for each in local if each.device.kind == "igpu"]  # its memory is slower
    if options.tensor_split:
        return (*own, *remote)  # the order in which a person sees them
    return tuple(each for group in (remote, own) for each in sorted(group, key=_free_bytes))


def _find(name: str, devices: Sequence[NativeDevice]) -> NativeDevice:
    for each in devices:
        if name in (each.device.name, each.address):
            return each
    raise LoadError(FailureCode.DEVICE, name)


def _free_bytes(device: NativeDevice) -> int:
    return device.device.free_bytes


def room(gpu: Device) -> int:
    """Return the usable bytes of a GPU's memory; some GPUs share the computer's memory."""
    shares = gpu.kind == "igpu" or gpu.name.startswith(("Metal", "MTL"))
    free = min(gpu.free_bytes, psutil.virtual_memory().available) if shares else gpu.free_bytes
    return max(0, free - reserve(gpu.total_bytes))
