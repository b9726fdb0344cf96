"""Model files as values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Fit(StrEnum):
    """The processor on which a model would run on this machine."""

    GPU = "gpu"
    PARTIAL = "partial"  # some layers on the GPU, the rest on the CPU
    CPU = "cpu"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """The header of a GGUF file, read without its tensors.

    Sizes in bytes, `context_length` in tokens (the trained one), `parameters` counted from the
    tensor shapes. `kv_bytes_per_token` is the f16 KV cache of one token over all layers. `width` is
    that of the residual stream, `vocabulary` the number of tokens, `decode_bytes` the weights that
    are read to compute one token; these are 0 for a file that was listed before they were recorded.
    A split model is known by its first part; `bytes` are those of all `parts`. `license` is what
    the file states, "" for nothing.
    """

    name: str
    architecture: str
    parameters: int
    quantization: str
    bytes: int
    context_length: int
    layers: int
    kv_bytes_per_token: int
    has_chat_template: bool
    width: int = 0
    vocabulary: int = 0
    license: str = ""
    decode_bytes: int = 0
    parts: int = 1

    @property
    def full_name(self) -> str:
        """The name with the quantization: another quantization of it is another model."""
        return with_quantization(self.name, self.quantization)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model that the app knows. The file's identity is its hash; None until it is computed.

    A file that changed on disk (other `bytes` or `mtime_ns`) is another model.
    """

    id: str
    path: str
    header: ModelHeader
    mtime_ns: int
    sha256: str | None
    added: datetime


def with_quantization(name: str, quantization: str) -> str:
    """A model's name and its quantization, "Qwen3 4B Q4_K_M"; not twice if the name says it."""
    return name if quantization.lower() in name.lower() else f"{name} {quantization}"
