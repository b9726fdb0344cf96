"""torch and llama.cpp must see the same model, and the same adapter, in the same files."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from chatdesk.core.generation import Adapter, Score, Scored, ScoreSequence, Span
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import Sequence as TokenSequence
from chatdesk.core.training import TokenExample, TrainingFailure
from chatdesk.training.dataset import pack
from chatdesk.training.export import write_gguf
from chatdesk.training.failures import TrainingError
from chatdesk.training.lora import add_lora, lora_layers
from chatdesk.training.losses import Scorer
from chatdesk.training.weights import Base, file_rows, load_base, torch_rows
from tests.inference.engine_process import EngineProcess
from tests.tiny_models import SIZE, tiny_model, unsupported_model
from tests.training.random_models import random_model

ARCHITECTURES = ("llama", "qwen2", "qwen3", "phi3", "gemma", "gemma2", "gemma3")
CLOSE = 0.02  # nats a token: llama.cpp keeps keys and values in float16


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess() as process:
        yield process


def some_tokens(count: int, seed: int = 0) -> tuple[int, ...]:
    source = random.Random(seed)
    return tuple(source.randrange(6, SIZE) for _ in range(count))


def by_engine(
    engine: EngineProcess, sequences: Sequence[tuple[int, ...]], *adapters: Adapter
) -> list[float]:
    asked = tuple(ScoreSequence(tokens[:1], tokens[1:]) for tokens in sequences)
    engine.send(Score("score", asked, adapters))
    _, end = engine.outcome("score")
    assert isinstance(end, Scored), end
    return [sum(each) for each in end.logprobs]


def by_torch(base: Base, sequences: Sequence[tuple[int, ...]]) -> list[float]:
    examples = [
        TokenExample(TokenSequence(tokens, (Span(1, len(tokens)),))) for tokens in sequences
    ]
    scorer = Scorer(base.model, torch.float32, lambda: None)
    with torch.no_grad():
        together: list[float] = scorer.logprobs(pack(examples)).tolist()
    return together


def close(one: Sequence[float], other: Sequence[float], tokens: int) -> bool:
    return all(abs(a - b) / tokens < CLOSE for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("rslora", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_torch_and_llama_cpp_agree(
    engine: EngineProcess, tmp_path: Path, architecture: str, rslora: bool
) -> None:
    path = random_model(tmp_path / "model.gguf", architecture)
    assert isinstance(engine.load(path, 512), ModelLoaded)
    sequences = [some_tokens(40, seed) for seed in range(3)]  # packed, and longer than a window
    base = load_base(path, torch.float32)
    plain = by_torch(base, sequences)
    assert close(plain, by_engine(engine, sequences), 39)

    config = TrainingConfig(rank=4, alpha=6.0, rslora=rslora)
    torch.manual_seed(3)
    model = add_lora(base, config)
    for layer in lora_layers(model).values():
        torch.nn.init.normal_(layer.lora_B["default"].weight, std=0.05)
    changed = by_torch(base, sequences)
    assert not close(changed, plain, 39)
    write_gguf(model, base, config, tmp_path / "adapter.gguf")
    adapter = Adapter(str(tmp_path / "adapter.gguf"))
    assert close(changed, by_engine(engine, sequences, adapter), 39)


def test_scaled_positions_and_a_tied_output(engine: EngineProcess, tmp_path: Path) -> None:
    path = random_model(tmp_path / "model.gguf", scaled_rope=True, tied=True)
    assert isinstance(engine.load(path, 512), ModelLoaded)
    sequences = [some_tokens(100)]
    scores = by_torch(load_base(path, torch.float32), sequences)
    assert close(scores, by_engine(engine, sequences), 99)
    unscaled = random_model(tmp_path / "unscaled.gguf", tied=True)
    assert not close(scores, by_torch(load_base(unscaled, torch.float32), sequences), 99)


def test_rows_are_put_in_order_and_back() -> None:
    rows = torch.arange(24.0).reshape(12, 2)
    assert torch.equal(torch_rows(file_rows(rows, 3), 3), rows)
    assert not torch.equal(file_rows(rows, 3), rows)


def test_what_is_not_understood_whole_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="notyetinvented") as caught:
        load_base(unsupported_model(tmp_path / "new.gguf"), torch.float32)
    assert caught.value.code is TrainingFailure.ARCHITECTURE
    with pytest.raises(TrainingError, match="qwen3 without a fitting"):
        load_base(tiny_model(tmp_path / "qwen3.gguf", architecture="qwen3"), torch.float32)
    other = random_model(tmp_path / "other.gguf", "qwen2").read_bytes()
    (tmp_path / "bias.gguf").write_bytes(other.replace(b"qwen2", b"llama"))
    with pytest.raises(TrainingError, match=r"llama with blk\.0\.attn_q\.bias"):
        load_base(tmp_path / "bias.gguf", torch.float32)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    whole = random_model(tmp_path / "model.gguf").read_bytes()
    for content in (b"", b"PK\3\4 no model" * 100, whole[:1000], whole[: len(whole) // 2]):
        (tmp_path / "broken.gguf").write_bytes(content)
        with pytest.raises(TrainingError) as caught:
            load_base(tmp_path / "broken.gguf", torch.float32)
        assert caught.value.code is TrainingFailure.MODEL
    with pytest.raises(TrainingError) as caught:
        load_base(tmp_path / "gone.gguf", torch.float32)
    assert caught.value.code is TrainingFailure.MODEL
