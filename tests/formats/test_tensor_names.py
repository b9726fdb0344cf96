"""The names of tensors, held against gguf's own tables."""

from pathlib import Path
from typing import Any

import gguf
import pytest
import torch

from chatdesk.formats.tensor_names import ARCHITECTURES, LINEARS, gguf_name
from chatdesk.training.weights import load_base
from tests.training.random_models import random_model


def model_of(folder: Path, architecture: str) -> Any:
    return load_base(random_model(folder / "model.gguf", architecture), torch.float32).model


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_every_module_with_weights_has_ggufs_name(tmp_path: Path, architecture: str) -> None:
    model = model_of(tmp_path, architecture)
    arch = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}[architecture]
    theirs = gguf.get_tensor_name_map(arch, model.config.num_hidden_layers)
    modules = {name.rpartition(".")[0] for name, _ in model.named_parameters()}
    modules |= {"lm_head"} if theirs.get_name("lm_head") else set()
    assert {each: gguf_name(architecture, each) for each in modules} == {
        each: theirs.get_name(each) for each in modules
    }


def test_every_linear_layer_is_of_some_architecture(tmp_path: Path) -> None:
    found = set()
    for architecture in ARCHITECTURES:
        for name, layer in model_of(tmp_path, architecture).get_decoder().named_modules():
            if isinstance(layer, torch.nn.Linear):
                found.add(".".join(name.split(".")[-2:]))
    assert found == set(LINEARS)


@pytest.mark.parametrize("module", ["", "model", "model.layers.0", "model.layers.x.mlp.up_proj"])
def test_other_modules_have_no_name(module: str) -> None:
    assert gguf_name("llama", module) is None
