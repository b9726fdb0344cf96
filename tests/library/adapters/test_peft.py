"""PEFT's adapters: converted to GGUF, or refused."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from chatdesk.core.errors import AdapterProblem
from chatdesk.library.adapters.gguf import check_adapter
from chatdesk.library.adapters.peft import MAX_RANK, PeftAdapter
from tests.peft_files import DOWN, RANK, Tensors, framed, peft_adapter, safetensors, two_halves
from tests.tiny_models import tiny_model, unsupported_model
from tests.training.random_models import FEED_FORWARD, WIDTH, random_model

BLOCK = "model.layers.1"


@pytest.fixture(scope="module")
def random_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model(tmp_path_factory.mktemp("models") / "llama.gguf")


def converted(weights: Path, model: Path) -> gguf.GGUFReader:
    """Return the adapter in GGUF, which llama.cpp could load."""
    place = weights.with_name("converted.gguf")
    PeftAdapter(weights, model).write(place)
    check_adapter(place, model)
    return gguf.GGUFReader(place)


def alpha(reader: gguf.GGUFReader) -> float:
    return float(reader.fields["adapter.lora.alpha"].contents())


def problem(weights: Path, model: Path) -> str:
    with pytest.raises(AdapterProblem) as caught:
        PeftAdapter(weights, model).write(weights.with_name("converted.gguf"))
    assert caught.value.todo
    return caught.value.what


def test_one_for_the_starter(tmp_path: Path, starter_model: Path) -> None:
    halves = two_halves()
    reader = converted(peft_adapter(tmp_path / "peft"), starter_model)
    assert reader.fields["general.architecture"].contents() == "llama"
    assert alpha(reader) == 8
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    assert sorted(found) == [f"blk.3.ffn_down.weight.lora_{half}" for half in "ab"]
    for half in "AB":
        same = found[f"blk.3.ffn_down.weight.lora_{half.lower()}"]
        assert (same == halves[f"{DOWN}.lora_{half}.weight"].astype(np.float16)).all()


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "model.",
        "base_model.model.model.",
        "base_model.model.model.language_model.",
        "base_model.model.language_model.model.",
    ],
)
@pytest.mark.parametrize("adapter", ["", ".default"])
def test_names_as_others_write_them(
    tmp_path: Path, starter_model: Path, prefix: str, adapter: str
) -> None:
    halves = two_halves(f"{prefix}layers.3.mlp.down_proj")
    tensors = {name.replace(".weight", f"{adapter}.weight"): each for name, each in halves.items()}
    reader = converted(peft_adapter(tmp_path / "peft", tensors), starter_model)
    assert len(reader.tensors) == 2


@pytest.mark.parametrize("targets", ["all-linear", r".*\.mlp\.down_proj", ["down_proj"]])
def test_how_its_layers_were_chosen_does_not_matter(
    tmp_path: Path, starter_model: Path, targets: object
) -> None:
    reader = converted(peft_adapter(tmp_path / "peft", target_modules=targets), starter_model)
    assert reader.tensors


def test_a_rank_stabilized_one_is_as_strong_as_there(tmp_path: Path, random_llama: Path) -> None:
    tensors = two_halves(f"{BLOCK}.mlp.down_proj", WIDTH, FEED_FORWARD, rank=16)
    settings = {"use_rslora": True, "r": 16, "lora_alpha": 16}
    reader = converted(peft_adapter(tmp_path / "peft", tensors, **settings), random_llama)
    assert alpha(reader) / 16 == 4


def test_the_strength_of_each_layer(tmp_path: Path, random_llama: Path) -> None:
    """llama.cpp multiplies by alpha / rank, and knows one alpha for all."""
    tensors = {
        **two_halves(f"{BLOCK}.mlp.down_proj", WIDTH, FEED_FORWARD),
        **two_halves(f"{BLOCK}.mlp.up_proj", FEED_FORWARD, WIDTH, rank=16),
        **two_halves(f"{BLOCK}.mlp.gate_proj", FEED_FORWARD, WIDTH),
    }
    settings = {
        "use_rslora": True,
        "rank_pattern": {"up_proj": 16},
        "alpha_pattern": {"gate_proj": 1, "layers.1.mlp.gate_proj": 99, "ate_proj": 99},
    }
    reader = converted(peft_adapter(tmp_path / "peft", tensors, **settings), random_llama)
    assert alpha(reader) == 8 * np.sqrt(16)
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    for gguf_name, name, strength in (
        ("ffn_down", "down_proj", 8 / np.sqrt(RANK)),
        ("ffn_up", "up_proj", 8 / np.sqrt(16)),
        ("ffn_gate", "gate_proj", 1 / np.sqrt(RANK)),
    ):
        a, b = (found[f"blk.1.{gguf_name}.weight.lora_{half}"].astype(float) for half in "ab")
        peft = [tensors[f"{BLOCK}.mlp.{name}.lora_{half}.weight"] for half in "BA"]
        ours = b @ a * (alpha(reader) / len(a))
        assert ours == pytest.approx(peft[0] @ peft[1] * strength, abs=2e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"use_dora": True},
        {"bias": "lora_only"},
        {"modules_to_save": ["lm_head"]},
        {"fan_in_fan_out": True},
        {"lora_bias": True},
        {"init_lora_weights": "pissa_niter_16"},
        {"alpha_pattern": {r"(a+)+\d": 4}},
        {"not_yet_invented": {"a": 1}},
    ],
)
def test_what_has_no_counterpart_is_named(
    tmp_path: Path, starter_model: Path, settings: dict[str, Any]
) -> None:
    (setting,) = settings
    message = problem(peft_adapter(tmp_path / "peft", **settings), starter_model)
    assert message == f"“adapter_model.safetensors” uses “{setting}”, which cannot be imported."


@pytest.mark.parametrize(
    "name",
    [
        "base_model.model.model.embed_tokens.lora_embedding_A",
        "base_model.model.lm_head.lora_A.weight",  # the starter has none of its own
        "base_model.model.lm_head.weight",
        f"{DOWN}.lora_magnitude_vector",
        f"{DOWN}.lora_B.bias",
        "base_model.model.model.layers.0.mlp.experts.0.w1.lora_A.weight",
        "vision_tower.encoder.layers.0.self_attn.q_proj.lora_A.weight",
        "a\x1b[2J\n",
    ],
)
def test_a_tensor_that_is_not_of_a_linear_layer_is_named(
    tmp_path: Path, starter_model: Path, name: str
) -> None:
    tensors = two_halves() | {name: np.zeros((RANK, 8), np.float32)}
    message = problem(peft_adapter(tmp_path / "peft", tensors), starter_model)
    assert message.isprintable()
    assert (name if name.isprintable() else ascii(name)) in message


CONFIGS = {
    "": "There is no",
    " " * (1 << 20) + "{}": "There is no",  # longer than any
    "{": "damaged",
    "[1]": "damaged",
    '{"peft_type":' + "[" * 100_000: "damaged",
    "{}": "not a LoRA adapter",
    '{"peft_type": "LOHA", "alpha": 8}': "not a LoRA adapter",
    '{"peft_type": "LORA"}': "damaged",
    **{
        f'{{"peft_type": "LORA", "lora_alpha": {bad}}}': "damaged"
        for bad in ("null", '"8"', "0", "-1", "NaN", "1e999", "1e7", "true", "9" * 5000)
    },
    '{"peft_type": "LORA", "lora_alpha": 8, "alpha_pattern": {"q_proj": "x"}}': "damaged",
    '{"peft_type": "LORA", "lora_alpha": 8, "alpha_pattern": [8]}': "damaged",
}


@pytest.mark.parametrize(("config", "message"), CONFIGS.items(), ids=range(len(CONFIGS)))
def test_a_configuration_that_makes_no_sense(
    tmp_path: Path, starter_model: Path, config: str, message: str
) -> None:
    weights = peft_adapter(tmp_path / "peft")
    weights.with_name("adapter_config.json").write_text(config)
    assert message in problem(weights, starter_model)


def test_without_a_configuration_or_weights(tmp_path: Path, starter_model: Path) -> None:
    weights = peft_adapter(tmp_path / "peft")
    weights.with_name("adapter_config.json").unlink()
    assert "There is no “adapter_config.json” beside" in problem(weights, starter_model)
    weights = peft_adapter(tmp_path / "other")
    weights.unlink()
    assert "“adapter_model.safetensors” is not there" in problem(weights, starter_model)


def test_one_of_another_model_is_reported(
    tmp_path: Path, starter_model: Path, random_llama: Path
) -> None:
    others = [
        two_halves(rows=512),
        two_halves(DOWN.replace("3", "99")),
        two_halves(DOWN.replace("3", "03")),
        two_halves(f"{BLOCK}.self_attn.qkv_proj"),
        two_halves() | {f"{DOWN}.lora_B.weight": np.zeros((576, 8), np.float32)},
    ]
    for number, tensors in enumerate(others):
        weights = peft_adapter(tmp_path / str(number), tensors)
        assert "another model" in problem(weights, starter_model)
    assert "another model" in problem(peft_adapter(tmp_path / "good"), random_llama)


def test_half_an_adapter_is_damaged(tmp_path: Path, starter_model: Path) -> None:
    halves = two_halves()
    a, b = halves
    bad: list[Tensors | bytes] = [
        {},
        {a: halves[a]},
        halves | {a: halves[a].reshape(RANK, -1, 2)},
        halves | {a: halves[a][:0], b: halves[b][:, :0]},
        two_halves(rank=MAX_RANK + 1),
        halves | {a.replace("base_model.model.", ""): halves[a]},
        halves | {b: halves[b] * np.float32(np.nan)},
        halves | {a: halves[a] + np.float32(1e6)},  # too large for a half
        safetensors(halves)[:-1],
        framed(json.dumps({a: {"dtype": "F32"}}).encode()),
    ]
    for number, tensors in enumerate(bad):
        weights = peft_adapter(tmp_path / str(number), tensors)
        assert "“adapter_model.safetensors” is damaged" in problem(weights, starter_model)


def test_only_models_that_are_understood(tmp_path: Path) -> None:
    weights = peft_adapter(tmp_path / "peft")
    for model in (
        unsupported_model(tmp_path / "new.gguf"),
        tiny_model(tmp_path / "mamba.gguf", architecture="mamba"),
    ):
        assert "cannot be imported for “" in problem(weights, model)
