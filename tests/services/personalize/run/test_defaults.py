"""What a training takes where nothing was chosen, and what it needs."""

from dataclasses import replace

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.models import ModelHeader
from chatdesk.core.personalization import TrainingConfig
from chatdesk.services.personalize.run.defaults import filled, fitting, memory_needed

STARTER = ModelHeader(
    "Starter", "llama", 134_515_008, "Q4_1", 98_000_000, 8192, 30, 23_040, True, 576, 49_152
)
LARGE = replace(STARTER, parameters=8_000_000_000, layers=32, width=4096, vocabulary=128_000)


def test_nothing_is_left_open_and_nothing_chosen_is_changed() -> None:
    config = filled(TrainingConfig(), 40, STARTER.weights)
    assert config.rank > 0 < config.alpha
    assert config.epochs > 0 < config.batch
    assert config.learning_rate > 0
    chosen = TrainingConfig(
        rank=4, alpha=3.0, epochs=7, batch=5, learning_rate=1e-5, targets=("attn_q",)
    )
    assert filled(chosen, 40, STARTER.weights) == chosen


def test_more_data_takes_a_larger_rank_and_fewer_epochs() -> None:
    few, many = (filled(TrainingConfig(), n, STARTER.weights) for n in (30, 5000))
    assert few.rank < many.rank
    assert few.epochs > many.epochs >= 1


def test_a_larger_model_takes_smaller_steps() -> None:
    small, large = (filled(TrainingConfig(), 40, h.weights) for h in (STARTER, LARGE))
    assert large.learning_rate < small.learning_rate


def test_a_large_vocabulary_makes_a_model_no_larger() -> None:
    qwen = replace(
        STARTER, parameters=494_000_000, width=896, vocabulary=151_936, stored=630_000_000
    )
    rates = {
        filled(TrainingConfig(), 40, each.weights).learning_rate
        for each in (STARTER, qwen, replace(qwen, parameters=630_000_000))
    }
    assert len(rates) == 1
    config = filled(TrainingConfig(), 40, qwen.weights)
    assert memory_needed(qwen, config) > memory_needed(replace(qwen, stored=494_000_000), config)


def test_what_a_large_vocabulary_needs_is_within_a_tenth_of_what_was_seen() -> None:
    qwen = replace(
        STARTER,
        parameters=494_000_000,
        layers=24,
        width=896,
        vocabulary=151_936,
        stored=630_000_000,
    )
    config = filled(TrainingConfig(), 40, qwen.weights)
    for seen in (5.69e9, 6.22e9):
        assert memory_needed(qwen, config) == pytest.approx(seen, rel=0.1)


def test_what_the_starter_needs_is_not_understated() -> None:
    config = filled(TrainingConfig(batch_tokens=512), 40, STARTER.weights)
    assert 2.6e9 < memory_needed(STARTER, config) < 3.5e9  # 2.6 GB was the highest peak of a run


def test_memory_is_saved_by_smaller_parts_before_learning_is_refused() -> None:
    config = filled(TrainingConfig(batch_tokens=4096), 40, STARTER.weights)
    plenty = memory_needed(STARTER, config)
    assert fitting(config, STARTER, plenty) == config
    less = fitting(config, STARTER, plenty - 1)
    assert less == replace(config, batch_tokens=less.batch_tokens)
    assert config.longest <= less.batch_tokens < config.batch_tokens
    with pytest.raises(EnvironmentProblem, match=r"GB of memory; .* free.*at most 256 tokens"):
        fitting(config, LARGE, plenty)
