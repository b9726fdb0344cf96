"""The weights of the GGUF file used for chat, as a torch model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM
from transformers.initialization import no_init_weights

from chatdesk.formats.tensor_names import PERMUTED, gguf_name
from chatdesk.training import attention
from chatdesk.training.architectures import (
    Architecture,
    architecture_of,
    configuration,
    untrainable,
)
from chatdesk.training.base_file import BaseFile, read_base_file

_ROPE_FREQUENCIES = "rope_freqs.weight"  # Llama 3.1's scaling of positions
_NORM = "norm.weight"


@dataclass(frozen=True)
class Base:
    """The frozen model and the names that its file uses.

    `linears` are the GGUF names ("blk.0.attn_q") of the linear layers of all blocks, by the names
    of their modules; `reordered` are the heads of those whose rows llama.cpp orders in its own way.
    """

    model: Any  # transformers' PreTrainedModel, which has no types
    architecture: str
    name: str
    linears: Mapping[str, str]
    reordered: Mapping[str, int]


def load_base(path: Path, dtype: torch.dtype, gate: Callable[[], None] = lambda: None) -> Base:
    """Read and dequantize a model. `gate` is called repeatedly. Raises `TrainingError`."""
    file = read_base_file(path)
    architecture = architecture_of(file)
    config = configuration(file, architecture)
    with no_init_weights():
        model = AutoModelForCausalLM.from_config(
            config, dtype=dtype, attn_implementation=attention.NAME
        )
    model.tie_weights()
    model.requires_grad_(False).eval()
    linears = {
        module: str(gguf_name(file.architecture, module))
        for module, layer in model.get_decoder().named_modules(prefix=model.base_model_prefix)
        if isinstance(layer, nn.Linear)
    }
    reordered = _reordered(linears, config) if file.architecture in PERMUTED else {}
    _fill(model, file, architecture, reordered, gate)
    name = str(file.metadata.get("general.name", ""))
    return Base(model, file.architecture, name, linears, reordered)


def _reordered(linears: Mapping[str, str], config: Any) -> dict[str, int]:
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    kinds = {module: name.rpartition(".")[2] for module, name in linears.items()}
    return {module: heads[kind] for module, kind in kinds.items() if kind in heads}


def _fill(
    model: Any,
    file: BaseFile,
    architecture: Architecture,
    reordered: Mapping[str, int],
    gate: Callable[[], None],
) -> None:
    left = dict(file.tensors)
    for parameter_name, parameter in model.named_parameters():
        module, _, kind = parameter_name.rpartition(".")
        stored = left.pop(f"{gguf_name(file.architecture, module)}.{kind}", None)
        if stored is None or stored.shape != tuple(parameter.shape):
            raise untrainable(f"{file.architecture} without a fitting {parameter_name}")
        is_norm = architecture.norm_plus_one and parameter_name.endswith(_NORM)
        stored.copy_to(parameter.data, add=-1.0 if is_norm else 0.0, gate=gate)
        if module in reordered:
            parameter.data.copy_(torch_rows(parameter.data, reordered[module]))
    if frequencies := left.pop(_ROPE_FREQUENCIES, None):
        factors = torch.empty(frequencies.shape)
        frequencies.copy_to(factors, add=0.0, gate=gate)
        model.get_decoder().rotary_emb.inv_freq.div_(factors)
    if left:
        raise untrainable(f"{file.architecture} with {next(iter(left))}")


def torch_rows(weights: torch.Tensor, heads: int) -> torch.Tensor:
    """Reorder rows from llama.cpp's order to transformers'."""
    return weights.reshape(heads, -1, 2, weights.shape[1]).transpose(1, 2).reshape(weights.shape)


def file_rows(weights: torch.Tensor, heads: int) -> torch.Tensor:
    """Reorder rows to llama.cpp's order: `LlamaModel.permute` of its `convert_hf_to_gguf.py`."""
    return weights.reshape(heads, 2, -1, weights.shape[1]).transpose(1, 2).reshape(weights.shape)
