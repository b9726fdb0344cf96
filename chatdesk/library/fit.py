"""Whether a model fits this machine, before it is loaded."""

from collections.abc import Sequence

from chatdesk.core.loading import Device
from chatdesk.core.models import Fit, ModelHeader

COMPUTE_BYTES = 256 * 1024**2
"""llama.cpp's compute buffer and the engine process itself; see `memory_needed`."""


def memory_needed(header: ModelHeader, context_window: int) -> int:
    """Bytes that running the model takes: weights + KV cache + compute buffer.

    The weights are the file; the KV cache is f16, `kv_bytes_per_token` for each of
    `context_window` tokens. With flash attention the compute buffer does not grow with the window;
    it is mostly the logits of one batch (512 tokens, 4 bytes, 50,000 to 250,000 words).
    """
    return header.bytes + header.kv_bytes_per_token * context_window + COMPUTE_BYTES


def judge(
    header: ModelHeader, context_window: int, devices: Sequence[Device], memory_available: int
) -> Fit:
    """Where the model would run. `memory_available` is the computer's, in bytes.

    An integrated GPU and Apple's share the computer's memory, so theirs is not added to it.
    """
    needed = memory_needed(header, context_window)
    gpus = [device for device in devices if device.kind in ("gpu", "igpu")]
    own = sum(gpu.free_bytes for gpu in gpus if not _shares_memory(gpu))
    shared = max((gpu.free_bytes for gpu in gpus if _shares_memory(gpu)), default=0)
    if needed <= max(own, min(shared, memory_available)):
        return Fit.GPU
    if needed <= memory_available:
        return Fit.PARTIAL if own or shared else Fit.CPU
    return Fit.PARTIAL if needed <= own + memory_available else Fit.TOO_LARGE


def _shares_memory(gpu: Device) -> bool:
    return gpu.kind == "igpu" or gpu.name.startswith(("Metal", "MTL"))
