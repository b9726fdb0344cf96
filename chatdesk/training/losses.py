"""The loss functions, in natural logarithms.

To learn an answer: the mean log-probability of its tokens. To prefer one answer over another: DPO
(Rafailov et al. 2023, equation 7) on the log-probabilities of both. To keep what the base can do:
the divergence from its next-token distributions (Li & Hoiem, "Learning without Forgetting", 2016).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy, kl_div, logsigmoid

from chatdesk.training.dataset import ExampleBatch

_PIECE = 128  # targets: all their logits at once would need more memory than the model


class Scorer:
    """Computes log-probabilities with a model; `gate` is called in between.

    `precision` is the dtype of matrix products, whatever dtype the weights have.
    """

    def __init__(self, model: Any, precision: torch.dtype, gate: Callable[[], None]) -> None:
        self._decoder = model.get_decoder()
        self._output = model.get_output_embeddings()
        self._cap: float | None = getattr(model.config, "final_logit_softcapping", None)
        self._precision = precision
        self._gate = gate

    def logprobs(self, batch: ExampleBatch) -> torch.Tensor:
        """Return the log-probability of each sequence's targets, summed: (sequences,)."""
        return self.logprobs_at(self.states(batch), batch.targets, batch.counts)

    def logprobs_at(
        self, states: torch.Tensor, targets: torch.Tensor, counts: Sequence[int]
    ) -> torch.Tensor:
        """Return the same for given states; `counts` are the targets of each sequence."""
        with self._autocast():
            return _sums(counts, self._rows(states, targets, self._logprobs))

    def divergences_at(
        self, states: torch.Tensor, base: torch.Tensor, counts: Sequence[int]
    ) -> torch.Tensor:
        """Return KL(base || model) of the next token, summed over each sequence's targets:
        (sequences,).

        `base` are the base's states of the same targets.
        """
        with self._autocast():
            return _sums(counts, self._rows(states, base, self._divergences))

    def states(self, batch: ExampleBatch) -> torch.Tensor:
        """Return the hidden states that predict the targets: (targets, width)."""
        with self._autocast():
            states: torch.Tensor = self._decoder(
                input_ids=batch.tokens,
                position_ids=batch.positions,
                use_cache=False,
                shared=batch.shared,
                lengths=batch.lengths,
            ).last_hidden_state[0, batch.before]
            return states

    def _autocast(self) -> torch.autocast:
        return torch.autocast("cpu", self._precision, enabled=self._precision is not torch.float32)

    def _rows(
        self, states: torch.Tensor, wanted: torch.Tensor, piece: "_RowValues.Piece"
    ) -> torch.Tensor:
        if states.requires_grad:
            return _RowValues.apply(states, wanted, piece)  # type: ignore[no-untyped-call,no-any-return]
        pieces = zip(states.split(_PIECE), wanted.split(_PIECE), strict=True)
        return torch.cat([piece(*each) for each in pieces])

    def _logprobs(self, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return -cross_entropy(self._logits(states), targets, reduction="none")

    def _divergences(self, states: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            expected = self._logits(base).log_softmax(-1)
        found = self._logits(states).log_softmax(-1)
        return kl_div(found, expected, reduction="none", log_target=True).sum(-1)

    def _logits(self, states: torch.Tensor) -> torch.Tensor:
        self._gate()
        logits: torch.Tensor = self._output(states).float()
        return self._cap * torch.tanh(logits / self._cap) if self._cap else logits


def _sums(counts: Sequence[int], rows: torch.Tensor) -> torch.Tensor:
    return torch.stack([one.sum() for one in rows.split(list(counts))])


class _RowValues(torch.autograd.Function):
    """Values with their gradient computed in the forward pass, so that no logits are kept.

    Each value depends only on its own hidden state: the gradient of their sum contains that of
    each.
    """

    Piece = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

    @staticmethod
    def forward(
        ctx: Any,
        states: torch.Tensor,
        wanted: torch.Tensor,
        piece: Piece,
    ) -> torch.Tensor:
        values, slopes = [], []
        for some, like in zip(states.split(_PIECE), wanted.split(_PIECE), strict=True):
            with torch.enable_grad():
                leaf = some.detach().requires_grad_()
                found = piece(leaf, like)
                slopes += torch.autograd.grad(found.sum(), leaf)
            values.append(found.detach())
        ctx.save_for_backward(torch.cat(slopes))
        return torch.cat(values)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        return (gradients[0][:, None] * slopes).to(slopes.dtype), None, None


def preference_loss(logprobs: torch.Tensor, reference: torch.Tensor, beta: float) -> torch.Tensor:
    """Return DPO's loss of a pair; both arguments are (2,), the better answer first."""
    gained = logprobs - reference
    return -logsigmoid(beta * (gained[0] - gained[1]))
