"""Statistics of measurements: means of losses, and how sure a mean is."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

WORST = 9999.0  # nats: the engine's value for probability 0, or for no token at all
_RESAMPLES = 10_000
_SEED = 20_260


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and its bounds with 95 %."""

    mean: float
    low: float
    high: float


def bootstrap(values: Sequence[float]) -> Interval:
    """Return the percentile interval of a mean, always the same for the same values.

    From Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. Of differences
    between pairs it is the paired bootstrap.
    """
    source = random.Random(_SEED)  # noqa: S311 - not for security
    count = len(values)
    means = sorted(math.fsum(source.choices(values, k=count)) / count for _ in range(_RESAMPLES))
    edge = round(_RESAMPLES * 0.025)
    return Interval(math.fsum(values) / count, means[edge], means[-edge - 1])


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 for no values."""
    return math.fsum(values) / max(len(values), 1)


def mean_loss(logprobs: Sequence[float]) -> float:
    """Return the mean in nats per token; `WORST` if one token has it."""
    worst = -min(logprobs)
    return worst if worst >= WORST else -math.fsum(logprobs) / len(logprobs)


def perplexity(logprobs: Sequence[float]) -> float:
    """Return exp of the mean loss: as unsure as a guess among so many tokens.

    The measure is from Jelinek et al., "Perplexity: a measure of the difficulty of speech
    recognition tasks", 1977.
    """
    return math.exp(-mean(logprobs))
