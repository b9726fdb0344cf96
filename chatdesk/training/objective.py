"""The loss of some examples: answers, preferences and what is kept, each with its share."""

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
    """What the losses of one optimizer step are divided by, so that its parts add up to means.

    Shares are those of the examples' weights.
    """

    tokens: float  # of answers there is a loss on, weighted
    pairs: float  # weighted
    kept: float  # tokens of what is kept, weighted
    share_of_pairs: float
    share_of_kept: float

    @staticmethod
    def of(examples: Iterable[TokenExample]) -> "Totals":
        """Those of a whole step, or of everything that is measured at once."""
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
    """A scalar to minimise, and what of it comes from answers and pairs."""

    whole: torch.Tensor
    learned: float


class Objective:
    """What is minimised. `reference` are the base's log-probabilities of each pair, `states` its
    hidden states of each example that is kept.
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
        """What a part adds to the loss of its step.

        Answers and what is kept add their mean per token, pairs their mean, by their share.
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
        """The loss of all of them; None when there are none."""
        if not examples:
            return None
        totals = Totals.of(examples)
        return sum(float(self.loss(part, totals).whole) for part in parts(examples, self._tokens))


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


@torch.no_grad()
def kept_states(
    scorer: Scorer, kept: Sequence[TokenExample], tokens: int
) -> dict[TokenExample, torch.Tensor]:
    """The hidden states at the targets of each example: (targets, width)."""
    found: dict[TokenExample, torch.Tensor] = {}
    for part in parts(kept, tokens):
        batch = pack(part)
        found.update(zip(part, scorer.states(batch).split(batch.counts), strict=True))
    return found
