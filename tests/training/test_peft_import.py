"""An adapter exported for PEFT is the same after import."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from peft import LoraConfig, get_peft_model

from chatdesk.core.generation import Adapter
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import ADAPTER_FILE, PEFT_FOLDER
from chatdesk.formats.tensor_names import ARCHITECTURES
from chatdesk.library.adapters.peft import WEIGHTS, PeftAdapter
from chatdesk.training.architectures import TRAINABLE
from chatdesk.training.export import export
from chatdesk.training.lora import add_lora, trained
from chatdesk.training.weights import Base, load_base
from tests.inference.engine_process import EngineProcess
from tests.training.random_models import random_model
from tests.training.test_weights import by_engine, by_torch, close, some_tokens

SEQUENCES = [some_tokens(40, seed) for seed in range(3)]


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess() as process:
        yield process


def randomize(model: Any) -> None:
    torch.manual_seed(3)
    for weight in trained(model):
        torch.nn.init.normal_(weight, std=0.05)


def imported(folder: Path, model: Path) -> Path:
    place = folder / "imported.gguf"
    PeftAdapter(folder / WEIGHTS, model).write(place)
    return place


def same_scores(engine: EngineProcess, base: Base, adapter: Path) -> bool:
    return close(by_torch(base, SEQUENCES), by_engine(engine, SEQUENCES, Adapter(str(adapter))), 39)


def test_what_can_be_imported_is_what_can_be_trained() -> None:
    assert set(TRAINABLE) == ARCHITECTURES


@pytest.mark.parametrize("rslora", [False, True])
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_the_way_out_and_back(
    engine: EngineProcess, tmp_path: Path, architecture: str, rslora: bool
) -> None:
    path = random_model(tmp_path / "model.gguf", architecture)
    base = load_base(path, torch.float32)
    config = TrainingConfig(rank=4, alpha=6.0, rslora=rslora)
    model = add_lora(base, config)
    randomize(model)
    export(model, base, config, tmp_path)
    back = imported(tmp_path / PEFT_FOLDER, path)
    ours, theirs = gguf.GGUFReader(tmp_path / ADAPTER_FILE), gguf.GGUFReader(back)
    assert {each.name: each.data.tobytes() for each in ours.tensors} == {
        each.name: each.data.tobytes() for each in theirs.tensors
    }
    for key in ("general.architecture", "general.type", "adapter.type", "adapter.lora.alpha"):
        assert ours.fields[key].contents() == theirs.fields[key].contents()
    assert set(base.linears.values()) == {
        each.name.removesuffix(".weight.lora_a") for each in theirs.tensors[::2]
    }
    assert isinstance(engine.load(path, 512), ModelLoaded)
    original = Adapter(str(tmp_path / ADAPTER_FILE))
    assert by_engine(engine, SEQUENCES, Adapter(str(back))) == by_engine(
        engine, SEQUENCES, original
    )
    assert by_engine(engine, SEQUENCES) != by_engine(engine, SEQUENCES, original)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_what_peft_made_in_its_own_way(
    engine: EngineProcess, tmp_path: Path, dtype: torch.dtype
) -> None:
    """PEFT's own choices: ranks and scales per layer, the output layer, and half precision."""
    path = random_model(tmp_path / "model.gguf")
    base = load_base(path, torch.float32)
    plain = by_torch(base, SEQUENCES)
    model = get_peft_model(
        base.model,
        LoraConfig(
            r=8,
            lora_alpha=12,
            use_rslora=dtype == torch.float16,
            target_modules=["q_proj", "k_proj", "up_proj", "lm_head"],
            rank_pattern={"k_proj": 2, "model.layers.1.mlp.up_proj": 16},
            alpha_pattern={"layers.0.self_attn.q_proj": 3, "k_proj": 20},
        ),
    )
    randomize(model)
    for weight in trained(model):
        weight.data = weight.data.to(dtype).float()
    scored = by_torch(base, SEQUENCES)
    for weight in trained(model):
        weight.data = weight.data.to(dtype)
    model.save_pretrained(tmp_path / "peft", save_embedding_layers=False)
    back = imported(tmp_path / "peft", path)
    assert not close(scored, plain, 39)
    assert isinstance(engine.load(path, 512), ModelLoaded)
    assert close(scored, by_engine(engine, SEQUENCES, Adapter(str(back))), 39)
