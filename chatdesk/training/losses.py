"""What is minimised, in natural logarithms.

Both losses are made of the log-probabilities of whole targets: the mean over tokens to learn an
answer, DPO (Rafailov et al. 2023, equation 7) to prefer one over another.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import cross_entropy, logsigmoid

from chatdesk.training.dataset import Batch

_PIECE = 128  # targets: all their logits at once would need more memory than the model


class Scorer:
    """Computes log-probabilities with a model; `gate` is called in between.

    `precision` is what matrices are multiplied in, whatever the weights are kept in.
    """

    def __init__(self, model: Any, precision: torch.dtype, gate: Callable[[], None]) -> None:
        self._decoder = model.get_decoder()
        self._output = model.get_output_embeddings()
        self._cap: float | None = getattr(model.config, "final_logit_softcapping", None)
        self._precision = precision
        self._gate = gate

    def logprobs(self, batch: Batch) -> torch.Tensor:
        """The log-probability of each sequence's targets, summed: (sequences,)."""
        is_half = self._precision is not torch.float32
        with torch.autocast("cpu", self._precision, enabled=is_half):
            hidden = self._decoder(
                input_ids=batch.tokens,
                position_ids=batch.positions,
                use_cache=False,
                lengths=batch.lengths,
            ).last_hidden_state[0, batch.before]
            if hidden.requires_grad:
                tokens = _TargetLogprobs.apply(hidden, batch.targets, self._piece)  # type: ignore[no-untyped-call]
            else:
                pieces = zip(hidden.split(_PIECE), batch.targets.split(_PIECE), strict=True)
                tokens = torch.cat([self._piece(*piece) for piece in pieces])
        return torch.stack([one.sum() for one in tokens.split(batch.counts)])

    def _piece(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        self._gate()
        logits = self._output(hidden).float()
        if self._cap:
            logits = self._cap * torch.tanh(logits / self._cap)
        return -cross_entropy(logits, targets, reduction="none")


class _TargetLogprobs(torch.autograd.Function):
    """Log-probabilities whose gradient is found along with them, so that no logits are kept.

    Each depends on its own hidden state alone: the gradient of their sum holds that of each.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        targets: torch.Tensor,
        piece: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    ) -> torch.Tensor:
        values, slopes = [], []
        for some, wanted in zip(hidden.split(_PIECE), targets.split(_PIECE), strict=True):
            with torch.enable_grad():
                leaf = some.detach().requires_grad_()
                logprobs = piece(leaf, wanted)
                slopes += torch.autograd.grad(logprobs.sum(), leaf)
            values.append(logprobs.detach())
        ctx.save_for_backward(torch.cat(slopes))
        return torch.cat(values)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        return (gradients[0][:, None] * slopes).to(slopes.dtype), None, None


def preference_loss(logprobs: torch.Tensor, reference: torch.Tensor, beta: float) -> torch.Tensor:
    """DPO's loss of a pair; both arguments are (2,), the better answer first."""
    gained = logprobs - reference
    return -logsigmoid(beta * (gained[0] - gained[1]))
