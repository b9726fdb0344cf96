"""The architectures that can be trained, and transformers' configuration of a GGUF model.

llama.cpp derives from the architecture what a GGUF file does not state (its `src/models`); the
tests compare each value with llama.cpp. A model that is not fully understood is refused: an adapter
for almost the same model would be worse than none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transformers import AutoConfig

from chatdesk.core.training import TrainingFailure
from chatdesk.formats.trainable import obstacle
from chatdesk.training.base_file import BaseFile, Scalar
from chatdesk.training.failures import TrainingError

_SHAPE = {  # stated by every architecture
    "context_length": "max_position_embeddings",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "embedding_length": "hidden_size",
    "attention.head_count": "num_attention_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
}
_ROPE_BASE = 10_000.0  # where the file states none
_GEMMA_27B_LAYERS = {"gemma2": 46, "gemma3": 62}  # llama.cpp detects them by it, too


@dataclass(frozen=True)
class Architecture:
    """The name of an architecture in transformers, and how its weights differ from llama.cpp's.

    `norm_plus_one`: 1 was added to the weights of norms. `settings` are the configuration's
    architecture-specific settings.
    """

    model_type: str
    norm_plus_one: bool = False
    settings: Callable[[BaseFile], dict[str, Any]] = lambda _: {}


def _gemma(file: BaseFile) -> dict[str, Any]:
    """Return the settings that are specific to Gemma 2 and 3."""
    layers, width = file.stated("block_count"), int(file.stated("embedding_length") or 0)
    heads, head = int(file.stated("attention.head_count") or 0), file.stated("attention.key_length")
    is_27b = layers == _GEMMA_27B_LAYERS[file.architecture]
    return {
        "query_pre_attn_scalar": width // heads if is_27b else head,
        "sliding_window": file.stated("attention.sliding_window"),
    }


def _gemma2(file: BaseFile) -> dict[str, Any]:
    return {
        **_gemma(file),
        "attn_logit_softcapping": file.stated("attn_logit_softcapping") or 50.0,
        "final_logit_softcapping": file.stated("final_logit_softcapping") or 30.0,
    }


def _gemma3(file: BaseFile) -> dict[str, Any]:
    base = file.stated("rope.freq_base_swa") or _ROPE_BASE
    local = {"rope_type": "default", "rope_theta": base}
    return {
        **_gemma(file),
        "rope_parameters": {"full_attention": _rope(file), "sliding_attention": local},
    }


def _phi3(file: BaseFile) -> dict[str, Any]:
    return {"sliding_window": file.stated("attention.sliding_window")}


TRAINABLE = {  # the keys are `tensor_names.ARCHITECTURES`
    "llama": Architecture("llama"),
    "qwen2": Architecture("qwen2"),
    "qwen3": Architecture("qwen3"),
    "phi3": Architecture("phi3", settings=_phi3),
    "gemma": Architecture("gemma", norm_plus_one=True),
    "gemma2": Architecture("gemma2", norm_plus_one=True, settings=_gemma2),
    "gemma3": Architecture("gemma3_text", norm_plus_one=True, settings=_gemma3),
}


def untrainable(detail: str) -> TrainingError:
    """Return the error for a model that is not fully understood."""
    return TrainingError(TrainingFailure.ARCHITECTURE, detail)


def architecture_of(file: BaseFile) -> Architecture:
    """Return the architecture of a file. Raises `TrainingError`, which names the obstacle."""
    if detail := obstacle(file.architecture, file.metadata, file.tensors):
        raise untrainable(detail)
    return TRAINABLE[file.architecture]


def configuration(file: BaseFile, architecture: Architecture) -> Any:
    """Return the `PretrainedConfig` of a model that has an `architecture_of` these."""
    stated = {name: file.stated(key) for key, name in _SHAPE.items()}
    heads = stated["num_attention_heads"]
    settings = {
        **stated,
        "num_key_value_heads": file.stated("attention.head_count_kv") or heads,
        "head_dim": _head_dimension(file, stated),
        "vocab_size": file.tensors["token_embd.weight"].shape[0],
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "rope_parameters": _rope(file),
        "pad_token_id": None,  # the starter's is a token that it also generates
        **architecture.settings(file),
    }
    return AutoConfig.for_model(architecture.model_type, **settings)


def _head_dimension(file: BaseFile, stated: dict[str, Scalar | None]) -> int:
    derived = int(stated["hidden_size"] or 0) // int(stated["num_attention_heads"] or 1)
    return int(file.stated("attention.key_length") or derived)


def _rope(file: BaseFile) -> dict[str, Any]:
    """Return the rotary position embeddings' settings: scaled linearly or not at all."""
    rope: dict[str, Any] = {"rope_type": "default"}
    if file.stated("rope.scaling.type") == "linear":
        rope = {"rope_type": "linear", "factor": file.stated("rope.scaling.factor")}
    return {**rope, "rope_theta": file.stated("rope.freq_base") or _ROPE_BASE}
