"""Answers that a model writes to be measured: its likeliest ones, and random ones of its own."""

from collections.abc import Sequence

from chatdesk.core.sampling import SamplingParams
from chatdesk.services.measure.probe import Adapters, Messages, Probe, Written


def likeliest_answers(
    probe: Probe, questions: Sequence[Messages], max_tokens: int, adapters: Adapters = ()
) -> tuple[Written, ...]:
    """Return the likeliest answers (greedy decoding), or their beginnings."""
    how = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=max_tokens)
    return tuple(probe.write(questions, [how] * len(questions), adapters))


def sampled_answers(
    probe: Probe, questions: Sequence[Messages], max_tokens: int, first_seed: int = 0
) -> tuple[Written, ...]:
    """Return answers sampled from the model's own distribution: temperature 1, no filters.

    Each has a seed of its own, counted from `first_seed`.
    """
    how = [
        SamplingParams(
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            min_p=0.0,
            repeat_penalty=1.0,
            seed=first_seed + number,
            max_tokens=max_tokens,
        )
        for number in range(len(questions))
    ]
    return tuple(probe.write(questions, how))
