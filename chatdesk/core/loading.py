"""Loading and quantizing a model file: the engine's messages around a file."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from chatdesk.core.coercion import AtLeast, OneOf
from chatdesk.core.protocol import Event, Request, Terminal

KV_TYPES = ("f16", "q8_0", "q4_0")  # from the most exact to the smallest
ROPE_SCALINGS = ("", "none", "linear", "yarn")  # "" is what the file says
MIN_CONTEXT_WINDOW = 512
ANSWER_ROOM = 16  # tokens: a longer prompt leaves no room for an answer
ContextWindow = Annotated[int, AtLeast(MIN_CONTEXT_WINDOW)]
Parallel = Annotated[int, AtLeast(1)]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """The options to run a model. None and empty values let the engine choose.

    `context_window` in tokens, limited by the trained context unless RoPE is scaled; `parallel`
    answers at once share it. `batch` is how many tokens one computation takes. `devices` are names
    of ggml's list to use ("CPU" alone keeps it off every GPU), `tensor_split` the shares of the
    model for each of them. `remote` are addresses ("host:port") of other computers that run
    `chatdesk serve-device`. `draft` is the path of a small model of the same vocabulary that drafts
    for this one.
    """

    context_window: ContextWindow = 8192
    parallel: Parallel = 4
    threads: int | None = None
    gpu_layers: int | None = None
    batch: int | None = None
    kv_type: Annotated[str, OneOf(KV_TYPES)] = "f16"
    mmap: bool = True
    mlock: bool = False
    devices: tuple[str, ...] = ()
    tensor_split: tuple[float, ...] = ()
    rope_scaling: Annotated[str, OneOf(ROPE_SCALINGS)] = ""
    rope_freq_base: float = 0.0
    rope_freq_scale: float = 0.0
    yarn_original_context: int = 0
    remote: tuple[str, ...] = ()
    draft: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device of ggml's list; memory in bytes. `kind` is one of cpu, gpu, igpu, accel."""

    name: str
    description: str
    kind: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Placement:
    """One device's part of the loaded model: whole layers, and bytes of each kind."""

    device: str
    description: str
    layers: int
    weight_bytes: int
    kv_bytes: int
    compute_bytes: int


class StepDown(StrEnum):
    """A step down for lack of memory, in the order in which the engine tries them."""

    FEWER_LAYERS = "fewer_layers"  # fewer on GPUs than planned
    SMALLER_CONTEXT = "smaller_context"
    QUANTIZED_KV = "quantized_kv"


@dataclass(frozen=True, slots=True)
class LoadModel(Request):
    """Load a GGUF file instead of the loaded one."""

    path: str
    options: LoadOptions = field(default_factory=LoadOptions)


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The first event of every engine process; `rpc` is true if it can use remote devices."""

    protocol: int
    llama_cpp: str
    rpc: bool
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class LoadProgress(Event):
    """The share of the model that is read, 0 to 1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class ModelLoaded(Terminal):
    """The model is ready; sizes in bytes, windows in tokens.

    `context_window`, `gpu_layers`, `kv_type` and `placements` are what was reached, `stepped_down`
    what was given up for it. `threads_measured` is set when the thread count was found by
    measuring; it is worth saving. `template_notice` is the reason for a fallback chat template
    ("missing" or "broken"), `template_problem` what is wrong with a broken one and in which line.
    `draft_notice` is why the draft model is not in use.
    """

    name: str
    architecture: str
    parameters: int
    bytes: int
    context_window: int
    trained_context: int
    layers: int
    gpu_layers: int
    device: str
    threads: int
    flash_attention: bool
    template_notice: str | None
    seconds: float
    parallel: int = 1
    batch: int = 0
    kv_type: str = "f16"
    placements: tuple[Placement, ...] = ()
    stepped_down: tuple[StepDown, ...] = ()
    threads_measured: bool = False
    reasons: bool = False  # its template has marks for thinking
    draft_notice: str = ""
    template_problem: str = ""


@dataclass(frozen=True, slots=True)
class Quantize(Request):
    """Write the model at `path` to `target` in a quantization of llama.cpp's, like "Q4_K_M".

    This occupies the engine until its end and only stops with the process, so it goes to an engine
    without a loaded model.
    """

    path: str
    target: str
    quantization: str
    threads: int


@dataclass(frozen=True, slots=True)
class QuantizeProgress(Event):
    """The share of the tensors that are written, 0 to 1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class Quantized(Terminal):
    """The target is complete: its size, and the time it took."""

    bytes: int
    seconds: float
