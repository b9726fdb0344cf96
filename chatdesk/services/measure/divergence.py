"""How far an adapter moves the next-token distribution away from the base's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from chatdesk.core.generation import ScoreSequence
from chatdesk.services.measure.answers import sampled_answers
from chatdesk.services.measure.probe import Adapters, Messages, Probe


@dataclass(frozen=True, slots=True)
class BaseText:
    """Tokens the base wrote at temperature 1 after a prompt, and their log-probabilities."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]


def base_texts(
    probe: Probe, questions: Sequence[Messages], max_tokens: int
) -> tuple[BaseText, ...]:
    """Return texts of the base, scored in the same way as later with an adapter.

    Answers are computed in smaller batches, and rounding alone would look like a divergence.
    """
    texts = sampled_answers(probe, questions, max_tokens)
    scored = probe.score([ScoreSequence(each.prompt, each.tokens) for each in texts])
    return tuple(
        BaseText(each.prompt, each.tokens, logprobs)
        for each, logprobs in zip(texts, scored, strict=True)
    )


def divergence(probe: Probe, texts: Sequence[BaseText], adapters: Adapters) -> float:
    """Return the mean Kullback-Leibler divergence KL(base || adapter) of the next token, in nats.

    Estimated on text of the base by r - 1 - log r with r = p_adapter / p_base, which is never
    negative and unbiased (Schulman, "Approximating KL Divergence", 2020).
    """
    scored = probe.score([ScoreSequence(each.prompt, each.tokens) for each in texts], adapters)
    ratios = [
        after - before
        for text, found in zip(texts, scored, strict=True)
        for before, after in zip(text.logprobs, found, strict=True)
    ]
    return math.fsum(math.exp(ratio) - 1 - ratio for ratio in ratios) / len(ratios)
