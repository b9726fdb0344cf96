"""Memory and speed of a model on this machine, estimated before it is loaded."""

from collections.abc import Sequence

from chatdesk.core.loading import Device, LoadOptions
from chatdesk.core.model_files import Estimate
from chatdesk.core.models import Fit, ModelHeader, ModelRole
from chatdesk.library.models.role import role_of

ENGINE_BYTES = 72_000_000
"""The engine process without its model: its resident memory minus weights, KV cache and buffers.

Measured on Linux with vocabularies of 49,000 (the starter), 152,000 (Qwen 2.5) and 262,000 tokens
(Gemma 3): 45 to 93 MB after one answer, 75 to 126 MB at the peak of four at once. With it the
estimate of a model and its usual context is within 10 % of both.
"""

EFFICIENCY = 0.45
"""The share of the memory bandwidth that decoding uses: 0.42 to 0.48 measured with the starter on a
processor of two cores.
"""

RESERVED_BYTES = 1 << 30
"""Memory of a device to leave free for other programs, or a tenth of it, where that is less."""

_OUTPUT_ROWS = 64 + 16  # logits of one step, and those that are returned
_LOGIT_BYTES = 4
_KV_SHARES = {"f16": 1.0, "q8_0": 34 / 64, "q4_0": 18 / 64}  # of f16's; ggml-common.h's blocks
_WINDOW_STEP = 256  # llama.cpp rounds a context window up to whole steps


def estimate(
    header: ModelHeader,
    options: LoadOptions,
    devices: Sequence[Device],
    memory_available: int,
    bandwidth: float,
) -> Estimate:
    """Estimate the model with these options on this machine; a draft model is not included.

    `memory_available` is the computer's, in bytes; `bandwidth` that of its memory in bytes per
    second, 0 where it is unknown. The speed is that with the context window half full, and only
    given for models that run on the processor alone.
    """
    window = _window(header, options)
    kv_bytes = int(header.kv_bytes_per_token * _KV_SHARES[options.kv_type] * window)
    buffers = _OUTPUT_ROWS * _LOGIT_BYTES * header.vocabulary
    model_bytes = header.bytes + kv_bytes + buffers
    fit = _fit(model_bytes, _gpus(options, devices), memory_available)
    if fit is Fit.GPU and options.gpu_layers is not None and options.gpu_layers < header.layers:
        fit = Fit.PARTIAL
    if role_of(header) in (ModelRole.OTHER, ModelRole.UNSUPPORTED):
        fit = Fit.UNSUPPORTED
    read_bytes = (header.decode_bytes or header.bytes) + kv_bytes / 2
    return Estimate(
        fit=fit,
        context_window=window,
        memory_bytes=model_bytes + ENGINE_BYTES,
        tokens_per_s=EFFICIENCY * bandwidth / read_bytes if fit is Fit.CPU else 0.0,
    )


def _window(header: ModelHeader, options: LoadOptions) -> int:
    """Return the engine's context window for the requested one, in tokens."""
    is_scaled = options.rope_scaling in ("linear", "yarn") or options.rope_freq_scale > 0
    trained = 0 if is_scaled else header.context_length
    window = min(options.context_window, trained or options.context_window)
    return -(-window // _WINDOW_STEP) * _WINDOW_STEP


def _gpus(options: LoadOptions, devices: Sequence[Device]) -> list[Device]:
    """Return the GPUs that may be used."""
    if options.gpu_layers == 0:
        return []
    names = options.devices or [device.name for device in devices]
    return [each for each in devices if each.kind in ("gpu", "igpu") and each.name in names]


def _fit(model_bytes: int, gpus: Sequence[Device], memory_available: int) -> Fit:
    """Return where the model would run.

    An integrated GPU and Apple's share the computer's memory, so theirs is not added to it.
    """
    here = _room(memory_available, memory_available) - ENGINE_BYTES
    own = sum(_room(gpu.free_bytes, gpu.total_bytes) for gpu in gpus if not _shares_memory(gpu))
    shared = max(
        (_room(gpu.free_bytes, gpu.total_bytes) for gpu in gpus if _shares_memory(gpu)), default=0
    )
    if model_bytes <= max(own, min(shared, here)):
        return Fit.GPU
    if model_bytes <= here:
        return Fit.PARTIAL if own or shared else Fit.CPU
    return Fit.PARTIAL if model_bytes <= own + here else Fit.TOO_LARGE


def _room(free_bytes: int, total_bytes: int) -> int:
    """Return the part of a memory that the engine would use."""
    return max(0, free_bytes - min(RESERVED_BYTES, total_bytes // 10))


def _shares_memory(gpu: Device) -> bool:
    return gpu.kind == "igpu" or gpu.name.startswith(("Metal", "MTL"))
