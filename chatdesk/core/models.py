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
    UNSUPPORTED = "unsupported"  # llama.cpp cannot run it, or nothing here has a use for it


class ModelRole(StrEnum):
    """What a model is for."""

    CHAT = "chat"
    BASE = "base"  # without a chat template: it continues a text
    EMBEDDER = "embedder"
    PROJECTOR = "projector"  # the eyes or ears of another model
    OTHER = "other"  # speech, ranking, drafts and the like
    UNSUPPORTED = "unsupported"  # llama.cpp cannot run it

    @property
    def answers(self) -> bool:
        """True if it can be asked in a chat."""
        return self in (ModelRole.CHAT, ModelRole.BASE)


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """The header of a GGUF file, read without its tensors.

    Sizes in bytes, `context_length` in tokens (the trained one). `parameters` are counted from the
    tensor shapes, once for an embedding that the file holds twice; `stored` counts all it holds.
    `kv_bytes_per_token` is the f16 KV cache of one token over all layers. `width` is that of the
    residual stream, `vocabulary` the number of tokens, `decode_bytes` the weights that are read to
    compute one token, `pooling` llama.cpp's number for how the vectors of a text become one (0: it
    has no such purpose); these are 0 for a file that was listed before they were recorded. A split
    model is known by its first part; `bytes` are those of all `parts`. `license` is what the file
    states, "" for nothing.
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
    pooling: int = 0
    stored: int = 0

    @property
    def weights(self) -> int:
        """The parameters without the table of embeddings: what a token is computed with."""
        return max(0, self.parameters - self.width * self.vocabulary)

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
