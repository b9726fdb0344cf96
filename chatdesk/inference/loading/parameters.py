"""Load options: checked, and as llama.cpp's own parameters."""

import math
from collections.abc import Iterator
from typing import Any

from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import FailureCode
from chatdesk.core.loading import KV_TYPES, ROPE_SCALINGS, LoadOptions
from chatdesk.inference.loading.placement import Sizes
from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.native.thread_count import useful_threads

SEQUENCES = 16  # running and idle ones; they share the cells, so more cost nothing
OUTPUTS = 64  # rows with logits in one step; limits the compute buffer of large vocabularies

# A batch is the work of one decode call. A CPU reads 128 tokens as fast as 512, and progress, abort
# and memory are four times finer; a GPU needs more work at a time.
_CPU_BATCH, _GPU_BATCH = 128, 512
_SMALLEST_WINDOW = 64
_LARGEST_WINDOW = 2**24  # tokens; beyond every model, and within llama.cpp's 32 bits
_MOST_THREADS = 512  # GGML_MAX_N_THREADS
_LARGEST_BATCH = 8192

_KV_TYPES = {
    "f16": lib.GGML_TYPE_F16,
    "q8_0": lib.GGML_TYPE_Q8_0,
    "q4_0": lib.GGML_TYPE_Q4_0,
}
_SCALINGS = {
    "": lib.LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED,
    "none": lib.LLAMA_ROPE_SCALING_TYPE_NONE,
    "linear": lib.LLAMA_ROPE_SCALING_TYPE_LINEAR,
    "yarn": lib.LLAMA_ROPE_SCALING_TYPE_YARN,
}


def check_options(options: LoadOptions) -> None:
    """Raise `LoadError` for a value without meaning."""
    problem = next(_problems(options), None)
    if problem:
        raise LoadError(FailureCode.PARAMETER, problem)


def _problems(options: LoadOptions) -> Iterator[str]:
    for name, low, high in (
        ("context_window", 1, _LARGEST_WINDOW),
        ("threads", 1, _MOST_THREADS),
        ("gpu_layers", 0, math.inf),
        ("batch", 1, _LARGEST_BATCH),
        ("rope_freq_base", 0, math.inf),
        ("rope_freq_scale", 0, math.inf),
        ("yarn_original_context", 0, _LARGEST_WINDOW),
    ):
        value = getattr(options, name)
        if value is not None and not (low <= value <= high and math.isfinite(value)):
            yield f"{name} = {value}"
    if options.kv_type not in KV_TYPES:
        yield f"kv_type = {options.kv_type}"
    if options.rope_scaling not in ROPE_SCALINGS:
        yield f"rope_scaling = {options.rope_scaling}"
    shares = options.tensor_split
    if shares and not (all(0 <= share < math.inf for share in shares) and any(shares)):
        yield f"tensor_split = {', '.join(map(str, shares))}"


def wished_window(options: LoadOptions, sizes: Sizes) -> int:
    """Return the context window to try: at most the trained one, unless it is scaled."""
    is_scaled = options.rope_scaling in ("linear", "yarn") or options.rope_freq_scale > 0
    trained = 0 if is_scaled else sizes.trained_context
    return max(min(options.context_window, trained or _LARGEST_WINDOW), _SMALLEST_WINDOW)


def model_parameters(options: LoadOptions) -> Any:
    """Return llama.cpp's parameters for loading, except the devices."""
    parameters = lib.llama_model_default_params()
    parameters.load_mode = {
        (True, False): lib.LLAMA_LOAD_MODE_AUTO,  # mmap, except for devices that cannot
        (True, True): lib.LLAMA_LOAD_MODE_MMAP_MLOCK,
        (False, True): lib.LLAMA_LOAD_MODE_MLOCK,
        (False, False): lib.LLAMA_LOAD_MODE_NONE,
    }[options.mmap, options.mlock]
    return parameters


def context_parameters(
    options: LoadOptions, sizes: Sizes, window: int, kv_type: str, *, on_gpu: bool
) -> Any:
    """Return llama.cpp's parameters for a context."""
    parameters = lib.llama_context_default_params()
    parameters.n_ctx = window
    parameters.n_batch = options.batch or (_GPU_BATCH if on_gpu else _CPU_BATCH)
    parameters.n_ubatch = parameters.n_batch
    parameters.n_seq_max = SEQUENCES
    parameters.n_outputs_max = OUTPUTS
    parameters.kv_unified = True
    parameters.n_threads = parameters.n_threads_batch = options.threads or useful_threads()
    parameters.type_k = parameters.type_v = _KV_TYPES[kv_type]
    parameters.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_AUTO  # quantized values switch it on
    parameters.rope_scaling_type = _SCALINGS[options.rope_scaling]
    parameters.rope_freq_base = options.rope_freq_base
    parameters.rope_freq_scale = _frequency_scale(options, sizes)
    parameters.yarn_orig_ctx = options.yarn_original_context
    return parameters


def _frequency_scale(options: LoadOptions, sizes: Sizes) -> float:
    """Return the requested scale, or the one that stretches the trained context to the window."""
    if options.rope_freq_scale or options.rope_scaling not in ("linear", "yarn"):
        return options.rope_freq_scale
    trained = options.yarn_original_context or sizes.trained_context
    return min(1.0, trained / options.context_window) if trained else 0.0
