"""LoRA layers on the linear layers of a frozen model (Hu et al. 2021), by peft."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import Linear as LoraLinear
from peft.utils import SAFETENSORS_WEIGHTS_NAME, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import TrainingFailure
from chatdesk.training.failures import TrainingError
from chatdesk.training.weights import Base

_ADAPTER = "default"  # peft's name for the only adapter


def add_lora(base: Base, config: TrainingConfig) -> Any:
    """Return a `PeftModel` with new LoRA layers in float32, initialized from torch's random state.

    Raises `TrainingError` when no linear layer has one of the requested names.
    """
    chosen = [
        module
        for module, name in base.linears.items()
        if not config.targets or name.rpartition(".")[2] in config.targets
    ]
    if not chosen:
        wanted = ", ".join(config.targets)
        raise TrainingError(TrainingFailure.DATA, f"{base.architecture} has no layer {wanted}")
    model = get_peft_model(
        base.model,
        LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            use_rslora=config.rslora,
            lora_dropout=config.dropout,
            target_modules=chosen,
            task_type="CAUSAL_LM",
        ),
    )
    for layer in lora_layers(model).values():
        layer.cast_input_dtype_enabled = False  # autocast does it, once and not back and forth
    return model


def set_lora(model: Any, folder: Path) -> None:
    """Give the LoRA layers the weights of an adapter of the same layers and rank.

    `folder` is in peft's format. Raises `TrainingError`.
    """
    try:
        weights = load_file(folder / SAFETENSORS_WEIGHTS_NAME)
        missing = set_peft_model_state_dict(model, weights).missing_keys
    except (OSError, RuntimeError, SafetensorError) as problem:
        raise TrainingError(TrainingFailure.DATA, str(problem)) from problem
    if any("lora_" in name for name in missing):
        raise TrainingError(TrainingFailure.DATA, f"{folder.name} is of other layers")


def trained(model: nn.Module) -> list[nn.Parameter]:
    """Return the trainable weights, always in the same order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def lora_layers(model: Any) -> dict[str, LoraLinear]:
    """Return the layers with LoRA by the names of the modules in the base."""
    return {
        name: layer
        for name, layer in model.get_base_model().named_modules()
        if isinstance(layer, LoraLinear)
    }


def factors(model: Any) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Yield module, A (rank, inputs) and B (outputs, rank) of each layer with LoRA."""
    for name, layer in lora_layers(model).items():
        yield name, layer.lora_A[_ADAPTER].weight.detach(), layer.lora_B[_ADAPTER].weight.detach()


def guard(layers: Iterable[nn.Module], gate: Callable[[], None]) -> None:
    """Call `gate` before each of these layers is computed, forward and backward."""

    def forward(layer: nn.Module, inputs: object) -> None:
        gate()

    def backward(layer: nn.Module, inputs: object, output: torch.Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: gate())

    for layer in layers:
        layer.register_forward_pre_hook(forward)
        layer.register_forward_hook(backward)
