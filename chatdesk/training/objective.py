"""The loss of some examples: answers and preferences, each with the share they have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from chatdesk.core.training import TokenExample
from chatdesk.training.dataset import pack, parts, target_count
from chatdesk.training.losses import Scorer, preference_loss

Reference = Mapping[TokenExample, tuple[float, float]]


@dataclass(frozen=True)
class Totals:
    """What the losses of one optimizer step are divided by, so that its parts add up to means."""

    tokens: float  # of answers there is a loss on, weighted
    pairs: float  # weighted
    all: float  # weights of all examples

    @staticmethod
    def of(examples: Iterable[TokenExample]) -> "Totals":
        """Those of a whole step, or of everything that is measured at once."""
        tokens = pairs = everything = 0.0
        for example in examples:
            everything += example.weight
            if example.rejected is None:
                tokens += example.weight * target_count(example.chosen)
            else:
                pairs += example.weight
        return Totals(tokens, pairs, everything)


class Objective:
    """What is minimised. `reference` are the base's log-probabilities of each pair."""

    def __init__(self, scorer: Scorer, reference: Reference, *, beta: float, tokens: int) -> None:
        self._scorer = scorer
        self._reference = reference
        self._beta = beta
        self._tokens = tokens

    def loss(self, part: Sequence[TokenExample], totals: Totals) -> torch.Tensor:
        """What a part adds to the loss of its step: a scalar.

        Answers add their mean loss per token and pairs their mean loss, by their share in the step.
        """
        logprobs = iter(self._scorer.logprobs(pack(part)))
        share_of_pairs = totals.pairs / totals.all
        loss = torch.zeros(())
        for example in part:
            if example.rejected is None:
                mean = -next(logprobs) * example.weight / totals.tokens
                loss = loss + mean * (1 - share_of_pairs)
            else:
                both = torch.stack([next(logprobs), next(logprobs)])
                known = torch.tensor(self._reference[example])
                mean = preference_loss(both, known, self._beta) * example.weight / totals.pairs
                loss = loss + mean * share_of_pairs
        return loss

    @torch.no_grad()
    def measure(self, examples: Sequence[TokenExample]) -> float | None:
        """The loss of all of them; None when there are none."""
        if not examples:
            return None
        totals = Totals.of(examples)
        return sum(float(self.loss(part, totals)) for part in parts(examples, self._tokens))


@torch.no_grad()
def reference_logprobs(
    scorer: Scorer, pairs: Sequence[TokenExample], tokens: int
) -> list[tuple[float, float]]:
    """The log-probabilities of both answers of each pair."""
    found: list[tuple[float, float]] = []
    for part in parts(pairs, tokens):
        logprobs = scorer.logprobs(pack(part)).tolist()
        found += zip(logprobs[::2], logprobs[1::2], strict=True)
    return found
