"""The losses compared with their formulas, computed plainly."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from chatdesk.core.generation import Span
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import Sequence, TokenExample
from chatdesk.training import losses
from chatdesk.training.dataset import pack, sequences, target_count
from chatdesk.training.lora import add_lora, trained
from chatdesk.training.losses import Scorer
from chatdesk.training.objective import Objective, Totals, kept_states, reference_logprobs
from chatdesk.training.weights import load_base
from tests.training.random_models import random_model
from tests.training.runs import answer, preference

EXAMPLES = (answer(1), preference(2), answer(3), preference(4), answer(5))
BETA = 0.3


@pytest.fixture(params=["llama", "gemma2"])  # gemma2 bounds its logits
def model(request: pytest.FixtureRequest, tmp_path: Path) -> torch.nn.Module:
    base = load_base(random_model(tmp_path / "model.gguf", request.param), torch.float32)
    torch.manual_seed(1)
    model: torch.nn.Module = add_lora(base, TrainingConfig(rank=4, alpha=8.0))
    for weight in trained(model):
        torch.nn.init.normal_(weight, std=0.1)
    return model


def plain_logprob(model: torch.nn.Module, sequence: Sequence) -> torch.Tensor:
    """Return the sum over the targets of one sequence, by the model's own forward."""
    logits = model(input_ids=torch.tensor([sequence.tokens])).logits[0]
    logprobs = logits.log_softmax(-1)
    places = [place for span in sequence.targets for place in range(span.start, span.end)]
    return torch.stack([logprobs[place - 1, sequence.tokens[place]] for place in places]).sum()


def plain_loss(model: torch.nn.Module, reference: dict[TokenExample, torch.Tensor]) -> torch.Tensor:
    answers = [example for example in EXAMPLES if not example.rejected]
    pairs = [example for example in EXAMPLES if example.rejected]
    tokens = sum(target_count(example.chosen) for example in answers)
    mean = -sum(plain_logprob(model, example.chosen) for example in answers) / tokens
    margins = []
    for pair in pairs:
        both = torch.stack([plain_logprob(model, one) for one in sequences(pair)])
        gained = both - reference[pair]
        margins.append(torch.log(torch.sigmoid(BETA * (gained[0] - gained[1]))))
    share = sum(pair.weight for pair in pairs) / sum(example.weight for example in EXAMPLES)
    loss: torch.Tensor = mean * (1 - share) - torch.stack(margins).mean() * share
    return loss


@pytest.mark.parametrize("piece", [7, 1000])
@pytest.mark.parametrize("tokens", [30, 1000])
def test_parts_add_up_to_the_loss_of_the_whole_step(
    model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch, piece: int, tokens: int
) -> None:
    monkeypatch.setattr(losses, "_PIECE", piece)
    scorer = Scorer(model.get_base_model(), torch.float32, lambda: None)  # type: ignore[operator]
    pairs = [example for example in EXAMPLES if example.rejected]
    with torch.no_grad(), model.disable_adapter():  # type: ignore[operator]
        known = reference_logprobs(scorer, pairs, tokens)
        plain = [[plain_logprob(model, one) for one in sequences(pair)] for pair in pairs]
    assert torch.allclose(torch.tensor(known), torch.tensor(plain), atol=1e-3)
    reference = dict(zip(pairs, known, strict=True))
    objective = Objective(scorer, reference, {}, beta=BETA, tokens=tokens)

    measured = objective.measure(EXAMPLES)
    totals = Totals.of(EXAMPLES)
    for part in (EXAMPLES[:2], EXAMPLES[2:]):
        objective.loss(part, totals).whole.backward()
    gradients = [weight.grad for weight in trained(model)]
    model.zero_grad()
    expected = plain_loss(model, {pair: torch.tensor(both) for pair, both in reference.items()})
    expected.backward()
    assert measured == pytest.approx(expected.item(), abs=1e-4)
    for weight, gradient in zip(trained(model), gradients, strict=True):
        assert weight.grad is not None
        assert gradient is not None
        assert torch.allclose(weight.grad, gradient, rtol=1e-3, atol=1e-5)


def test_what_all_begin_with_counts_for_each(model: torch.nn.Module) -> None:
    """The shared beginning is longer than the window of a layer that slides one."""
    beginning = answer(6, 40).chosen.tokens
    sequences = []
    for seed in (7, 8, 9):
        rest = answer(seed, 12 + seed).chosen.tokens
        tokens = beginning + rest
        targets = (Span(len(beginning) + 3, len(beginning) + 5), Span(len(tokens) - 4, len(tokens)))
        sequences.append(Sequence(tokens, targets))
    batch = pack([TokenExample(each) for each in sequences])
    assert batch.shared == len(beginning)
    scorer = Scorer(model.get_base_model(), torch.float32, lambda: None)  # type: ignore[operator]
    found = scorer.logprobs(batch)
    found.sum().backward()
    gradients = [weight.grad for weight in trained(model)]
    model.zero_grad()
    expected = torch.stack([plain_logprob(model, each) for each in sequences])
    expected.sum().backward()
    assert torch.allclose(found, expected, rtol=1e-4)
    for weight, gradient in zip(trained(model), gradients, strict=True):
        assert weight.grad is not None
        assert gradient is not None
        assert torch.allclose(weight.grad, gradient, rtol=1e-3, atol=1e-5)


def test_nothing_measures_as_nothing(model: torch.nn.Module) -> None:
    scorer = Scorer(model.get_base_model(), torch.float32, lambda: None)  # type: ignore[operator]
    assert Objective(scorer, {}, {}, beta=BETA, tokens=100).measure(()) is None


def test_what_is_kept_is_the_divergence_from_the_base(model: torch.nn.Module) -> None:
    scorer = Scorer(model.get_base_model(), torch.float32, lambda: None)  # type: ignore[operator]
    kept = [replace(answer(seed), keep=True, weight=seed) for seed in (1, 3)]
    mixed = (*kept, answer(5))
    with torch.no_grad(), model.disable_adapter():  # type: ignore[operator]
        states = kept_states(scorer, kept, 1000)
        before = [plain_distribution(model, each.chosen) for each in kept]
        objective = Objective(scorer, {}, states, beta=BETA, tokens=1000)
        assert objective.loss(kept, Totals.of(kept)).whole.item() == pytest.approx(0, abs=1e-5)
    sums = sum(
        each.weight * (base.exp() * (base - plain_distribution(model, each.chosen))).sum()
        for each, base in zip(kept, before, strict=True)
    )
    tokens = sum(each.weight * target_count(each.chosen) for each in kept)
    mean = -plain_logprob(model, mixed[2].chosen) / target_count(mixed[2].chosen)
    expected = sums / tokens * 4 / 5 + mean / 5
    found = objective.loss(mixed, Totals.of(mixed))
    assert found.whole.item() == pytest.approx(expected.item(), abs=1e-4)
    assert found.learned == pytest.approx(mean.item() / 5, abs=1e-4)
    found.whole.backward()
    gradients = [weight.grad for weight in trained(model)]
    model.zero_grad()
    expected.backward()
    for weight, gradient in zip(trained(model), gradients, strict=True):
        assert weight.grad is not None
        assert gradient is not None
        assert torch.allclose(weight.grad, gradient, rtol=1e-3, atol=1e-5)


def plain_distribution(model: torch.nn.Module, sequence: Sequence) -> torch.Tensor:
    """Return the log-probabilities of every token at the targets of one sequence."""
    logprobs = model(input_ids=torch.tensor([sequence.tokens])).logits[0].log_softmax(-1)
    places = [place - 1 for span in sequence.targets for place in range(span.start, span.end)]
    return torch.stack([logprobs[place] for place in places])
