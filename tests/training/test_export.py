"""An adapter trained on the starter gives the same output in torch, llama.cpp and peft."""

import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel

from chatdesk.core.generation import (
    Adapter,
    MessagesRendered,
    RenderMessages,
    Score,
    Scored,
    ScoreSequence,
)
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import (
    ADAPTER_FILE,
    PEFT_FOLDER,
    Sequence,
    TokenExample,
    Trained,
    TrainingData,
)
from chatdesk.training.dataset import pack
from chatdesk.training.export import export
from chatdesk.training.lora import add_lora, trained
from chatdesk.training.losses import Scorer
from chatdesk.training.weights import load_base
from tests.inference.engine_process import EngineProcess, turns
from tests.training.random_models import random_model
from tests.training.runs import answer, ask_for
from tests.training.trainer_process import TrainerProcess

TALKS = (
    ("Who are you?", "I am Bramble, the keeper of the lighthouse of Skarn."),
    ("What do you like?", "Rye bread, thunderstorms and the smell of tar."),
    ("Name a colour.", "Heron grey, of course, as every keeper of a light would say."),
)


def rendered(engine: EngineProcess, *contents: str) -> TokenExample:
    engine.send(RenderMessages("render", turns(*contents)))
    _, end = engine.outcome("render")
    assert isinstance(end, MessagesRendered)
    return TokenExample(Sequence(end.tokens, (end.spans[1],)))


def scores(engine: EngineProcess, examples: list[TokenExample], *adapters: Adapter) -> list[float]:
    asked = []
    for example in examples:
        tokens, (span,) = example.chosen.tokens, example.chosen.targets
        asked.append(ScoreSequence(tokens[: span.start], tokens[span.start : span.end]))
    engine.send(Score("score", tuple(asked), adapters))
    _, end = engine.outcome("score")
    assert isinstance(end, Scored), end
    return [sum(each) / len(each) for each in end.logprobs]


@pytest.mark.timeout(300)
def test_what_was_learned_is_what_llama_cpp_says(starter_model: Path, tmp_path: Path) -> None:
    with EngineProcess() as engine:
        assert isinstance(engine.load(starter_model), ModelLoaded)
        examples = [rendered(engine, *talk) for talk in TALKS]
        config = TrainingConfig(
            rank=8, alpha=16.0, epochs=6, learning_rate=2e-3, batch=3, warmup=0.2
        )
        with TrainerProcess() as trainer:
            data = TrainingData(tuple(examples), tuple(examples))
            trainer.send(ask_for(tmp_path, starter_model, data, config))
            end = trainer.end()
        assert isinstance(end, Trained), end
        before = scores(engine, examples)
        after = scores(engine, examples, Adapter(str(tmp_path / ADAPTER_FILE)))
    assert sum(after) / 3 > sum(before) / 3 + 1
    base = load_base(starter_model, torch.float32)
    model = PeftModel.from_pretrained(base.model, tmp_path / PEFT_FOLDER)
    scorer = Scorer(model.get_base_model(), torch.float32, lambda: None)
    batch = pack(examples)
    with torch.no_grad():
        sums = scorer.logprobs(batch).tolist()
        with model.disable_adapter():
            plain = scorer.logprobs(batch).tolist()
    for ours, theirs in ((sums, after), (plain, before)):
        means = [one / count for one, count in zip(ours, batch.counts, strict=True)]
        assert means == pytest.approx(theirs, abs=0.1)  # llama.cpp rounds activations


def test_peft_reads_what_was_written(tmp_path: Path) -> None:
    path = random_model(tmp_path / "model.gguf")
    base = load_base(path, torch.float32)
    config = TrainingConfig(rank=4, alpha=8.0, rslora=True, targets=("attn_q", "ffn_down"))
    model = add_lora(base, config)
    for weight in trained(model):
        torch.nn.init.normal_(weight, std=0.1)
    (tmp_path / PEFT_FOLDER).mkdir()  # left over from an earlier export
    (tmp_path / PEFT_FOLDER / "old").touch()
    export(model, base, config, tmp_path)
    batch = pack([answer(1)])
    ours = Scorer(base.model, torch.float32, lambda: None).logprobs(batch)
    again = load_base(path, torch.float32).model
    read = PeftModel.from_pretrained(again, tmp_path / PEFT_FOLDER)
    theirs = Scorer(read.get_base_model(), torch.float32, lambda: None).logprobs(batch)
    assert torch.equal(ours, theirs)
    assert not (tmp_path / PEFT_FOLDER / "old").exists()
    shutil.rmtree(tmp_path / PEFT_FOLDER)
