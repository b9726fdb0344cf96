"""LoRA adapters through the engine: switched by request, refused when they do not fit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.generation import (
    Adapter,
    EngineEvent,
    Failed,
    FailureCode,
    Finished,
    Generate,
    TextDelta,
)
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.sampling import SamplingParams
from tests.inference.engine_process import EngineProcess, turns
from tests.lora_files import lora_adapter

QUESTION = "What is the capital of France? Tell me about it."
GREEDY = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=16)


@pytest.fixture(scope="module")
def starter(starter_model: Path) -> Iterator[EngineProcess]:
    """An engine that has read nothing yet: texts are compared, and what is cached rounds them."""
    with EngineProcess() as process:
        assert isinstance(process.load(starter_model), ModelLoaded)
        yield process


def ask(request_id: str, *adapters: Adapter) -> Generate:
    return Generate(request_id, turns(QUESTION), GREEDY, adapters=adapters)


def answer(engine: EngineProcess, *adapters: Adapter) -> tuple[str, EngineEvent]:
    engine.send(ask("ask", *adapters))
    return engine.outcome("ask")


def test_an_adapter_changes_the_answer_and_only_while_it_is_asked_for(
    starter: EngineProcess, tmp_path: Path
) -> None:
    plain, _ = answer(starter)
    strong = Adapter(str(lora_adapter(tmp_path / "strong.gguf", strength=4)))
    changed, end = answer(starter, strong)
    assert isinstance(end, Finished)
    assert changed != plain
    assert end.stats.cached_tokens == 0  # another model's KV state is of no use
    again, end = answer(starter, strong)
    assert again == changed
    assert isinstance(end, Finished)
    assert end.stats.cached_tokens > 0
    assert answer(starter)[0] == plain
    assert answer(starter, Adapter(strong.path, 0.0))[0] == plain
    idle = Adapter(str(lora_adapter(tmp_path / "idle.gguf", strength=0)))
    assert answer(starter, idle)[0] == plain
    assert answer(starter, strong, idle)[0] == changed


def test_requests_with_different_adapters_take_turns(
    starter: EngineProcess, tmp_path: Path
) -> None:
    adapters = [
        Adapter(str(lora_adapter(tmp_path / f"{seed}.gguf", seed, strength=60))) for seed in (1, 2)
    ]
    names = {"plain": (), "first": adapters[:1], "second": adapters[1:]}
    alone = {}
    for name, chosen in names.items():
        starter.send(replace(ask(name, *chosen), logprobs=0))
        alone[name] = logprobs(starter, 1)[name]
    for name, chosen in names.items():
        starter.send(replace(ask(name, *chosen), logprobs=0))
    together = logprobs(starter, len(names))
    for name, (first, *_) in together.items():
        # Rounding differs, by up to 0.06 with AVX-512, so no text is compared.
        assert first == pytest.approx(alone[name][0], abs=0.09)
        assert min(alone, key=lambda other: abs(alone[other][0] - first)) == name


def logprobs(engine: EngineProcess, count: int) -> dict[str, list[float]]:
    """Return the log-probabilities of the tokens of so many answers."""
    found: dict[str, list[float]] = {}
    while count:
        event = engine.next()
        assert not isinstance(event, Failed)
        if isinstance(event, TextDelta):
            found.setdefault(event.request_id, []).extend(
                each.logprob or 0.0 for each in event.logprobs
            )
        count -= isinstance(event, Finished)
    return found


def test_what_is_no_adapter_of_this_model_costs_one_request(
    starter: EngineProcess, tmp_path: Path, starter_model: Path
) -> None:
    garbage = tmp_path / "garbage.gguf"
    garbage.write_bytes(b"GGUF" + bytes(range(256)) * 8)
    good = lora_adapter(tmp_path / "good.gguf")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(good.read_bytes()[:-5000])
    bad = [
        Adapter(str(tmp_path / "missing.gguf")),
        Adapter(str(garbage)),
        Adapter(str(cut)),
        Adapter(str(starter_model)),
        Adapter(str(lora_adapter(tmp_path / "other.gguf", embedding=512))),
        Adapter(str(lora_adapter(tmp_path / "arch.gguf", architecture="qwen2"))),
        Adapter(str(good), float("1e9")),
        Adapter(str(tmp_path)),
    ]
    for adapter in bad:
        text, end = answer(starter, adapter)
        assert isinstance(end, Failed), adapter
        assert (end.code, text) == (FailureCode.ADAPTER, "")
        assert end.detail
    assert isinstance(answer(starter, Adapter(str(good)), Adapter(str(good)))[1], Failed)
    assert isinstance(answer(starter)[1], Finished)
