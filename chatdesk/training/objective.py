"""The loss of some examples: answers, preferences and replay, each with its share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from chatdesk.core.training import TokenExample
from chatdesk.training.dataset import pack, parts, target_count
from chatdesk.training.losses import Scorer, preference_loss

Reference = Mapping[TokenExample, tuple[float, float]]
States = Mapping[TokenExample, torch.Tensor]


@dataclass(frozen=True)
class Totals:
    """The divisors of the losses of one optimizer step, so that its parts add up to means.

    Shares are those of the examples' weights.
    """

    tokens: float  # answer tokens that count in the loss, weighted
    pairs: float  # weighted
    kept: float  # replay tokens, weighted
    share_of_pairs: float
    share_of_kept: float

    @staticmethod
    def of(examples: Iterable[TokenExample]) -> "Totals":
        """Return the totals of a whole step, or of a whole measurement."""
        tokens = pairs = kept = kept_weight = everything = 0.0
        for example in examples:
            everything += example.weight
            if example.keep:
                kept += example.weight * target_count(example.chosen)
                kept_weight += example.weight
            elif example.rejected is None:
                tokens += example.weight * target_count(example.chosen)
            else:
                pairs += example.weight
        return Totals(tokens, pairs, kept, pairs / everything, kept_weight / everything)


class Loss(NamedTuple):
    """A scalar to minimise, and the parts of it that come from answers and pairs."""

    whole: torch.Tensor
    learned: float


class Objective:
    """The training objective.

    `reference` are the base's log-probabilities of each pair, `states` its hidden states of each
    replay example.
    """

    def __init__(
        self, scorer: Scorer, reference: Reference, states: States, *, beta: float, tokens: int
    ) -> None:
        self._scorer = scorer
        self._reference = reference
        self._states = states
        self._beta = beta
        self._tokens = tokens

    def loss(self, part: Sequence[TokenExample], totals: Totals) -> Loss:
        """Return the contribution of a part to the loss of its step.

        Answers and replay add their mean per token, pairs their mean, each by its share.
        """
        learned = [example for example in part if not example.keep]
        kept = [example for example in part if example.keep]
        batch = pack([*learned, *kept])
        cut = len(batch.counts) - len(kept)
        counts, others = batch.counts[:cut], batch.counts[cut:]
        states, other_states = self._scorer.states(batch).split((sum(counts), sum(others)))
        loss = torch.zeros(())
        if learned:
            logprobs = self._scorer.logprobs_at(states, batch.targets[: sum(counts)], counts)
            loss = loss + self._learned(learned, logprobs, totals)
        of_learned = float(loss.detach())
        if kept:
            base = torch.cat([self._states[example] for example in kept])
            drifts = self._scorer.divergences_at(other_states, base, others)
            weights = torch.tensor([example.weight for example in kept])
            loss = loss + (drifts * weights).sum() / totals.kept * totals.share_of_kept
        return Loss(loss, of_learned)

    def _learned(
        self, examples: Sequence[TokenExample], logprobs: torch.Tensor, totals: Totals
    ) -> torch.Tensor:
        found = iter(logprobs)
        share_of_answers = 1 - totals.share_of_pairs - totals.share_of_kept
        loss = torch.zeros(())
        for example in examples:
            if example.rejected is None:
                mean = -next(found) * example.weight / totals.tokens
                loss = loss + mean * share_of_answers
            else:
                both = torch.stack([next(found), next(found)])
                known = torch.tensor(self._reference[example])
                mean = preference_loss(both, known, self._beta) * example.weight / totals.pairs
                loss = loss + mean * totals.share_of_pairs
        return loss

    @torch.no_grad()
    def measure(self, examples: Sequence[TokenExample]) -> float | None:
        """Return the loss of all examples; None when there are none."""
        if not examples:
            return None
        totals = Totals.of(examples)
        return sum(float(self.loss(part, totals).whole) for part in parts(examples, self._tokens))


@torch.no_grad()
def reference_logprobs(
    scorer: Scorer, pairs: Sequence[TokenExample], tokens: int
) -> list[tuple[float, float]]:
    """Return the log-probabilities of both answers of each pair."""
    found: list[tuple[float, float]] = []
    for part in parts(pairs, tokens):
        logprobs = scorer.logprobs(pack(part)).tolist()
        found += zip(logprobs[::2], logprobs[1::2], strict=True)
    return found


@torch.no_grad()
def kept_states(
    scorer: Scorer, kept: Sequence[TokenExample], tokens: int
) -> dict[TokenExample, torch.Tensor]:
    """Return the hidden states at the targets of each example: (targets, width)."""
    found: dict[TokenExample, torch.Tensor] = {}
    for part in parts(kept, tokens):
        batch = pack(part)
        found.update(zip(part, scorer.states(batch).split(batch.counts), strict=True))
    return found
