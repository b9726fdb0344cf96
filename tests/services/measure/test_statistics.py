"""The statistics against known cases."""

import math
import random
import statistics

import pytest

from chatdesk.services.measure.statistics import Interval, bootstrap, perplexity


def test_the_bootstrap_agrees_with_the_normal_distribution() -> None:
    source = random.Random(4)
    values = [source.gauss(-0.3, 1.0) for _ in range(200)]
    found = bootstrap(values)
    error = statistics.pstdev(values) / len(values) ** 0.5
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.low == pytest.approx(found.mean - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(found.mean + 1.96 * error, abs=0.1 * error)
    assert bootstrap(values) == found


def test_the_bootstrap_holds_the_true_mean_as_often_as_it_says() -> None:
    """With 20 values the percentile interval is known to be a little too narrow."""
    source = random.Random(5)
    held = 0
    for _ in range(60):
        found = bootstrap([source.gauss(1.0, 2.0) for _ in range(20)])
        held += found.low <= 1.0 <= found.high
    assert 0.85 <= held / 60 <= 1.0


def test_equal_values_have_no_width() -> None:
    assert bootstrap([-0.5] * 8) == Interval(-0.5, -0.5, -0.5)


def test_the_perplexity_of_a_uniform_guess_is_the_number_of_choices() -> None:
    assert perplexity([-math.log(50)] * 7) == pytest.approx(50)
