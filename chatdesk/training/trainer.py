"""The training loop.

AdamW on the LoRA weights in float32; linear warmup, then half a cosine; the gradient of a step is
accumulated over its parts, then clipped. Both losses are measured before the first step and after
every epoch.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from chatdesk.core.personalization import LossPoint, TrainingConfig
from chatdesk.core.training import TokenExample, TrainingData, TrainingFailure
from chatdesk.training import stopping
from chatdesk.training.checkpoint import Checkpoints, Progress
from chatdesk.training.dataset import epoch_steps, parts, token_count
from chatdesk.training.failures import TrainingError
from chatdesk.training.lora import trained
from chatdesk.training.losses import Scorer
from chatdesk.training.meter import Meter
from chatdesk.training.objective import Objective, Totals, kept_states, reference_logprobs


class Trainer:
    """Trains the LoRA layers of `model`, a `PeftModel`, from the last checkpoint on."""

    def __init__(
        self,
        model: Any,
        scorer: Scorer,
        config: TrainingConfig,
        data: TrainingData,
        checkpoints: Checkpoints,
        meter: Meter,
    ) -> None:
        self._model = model
        self._config = config
        self._data = data
        self._checkpoints = checkpoints
        self._meter = meter
        self._weights = trained(model)
        self._optimizer = torch.optim.AdamW(
            self._weights, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self._reference: dict[TokenExample, tuple[float, float]] = {}
        self._scorer = scorer
        self._states: dict[TokenExample, torch.Tensor] = {}
        self._objective = Objective(
            scorer, self._reference, self._states, beta=config.beta, tokens=config.batch_tokens
        )
        self._progress = Progress()

    def run(self) -> Progress:
        """Train; the model then has the weights of the best epoch.

        Raises `TrainingError`, `Stopped`, and `OSError` of the disk.
        """
        self._begin()
        progress, config = self._progress, self._config
        while progress.epoch < config.epochs and not stopping.is_over(self._measured(), config):
            self._epoch()
        _set(self._weights, progress.best)
        return progress

    def _begin(self) -> None:
        epochs = [self._steps(epoch) for epoch in range(self._config.epochs)]
        everything = [example for steps in epochs for step in steps for example in step]
        restored = self._checkpoints.load()
        self._progress = restored or self._progress
        self._meter.begin(self._progress, sum(map(len, epochs)), sum(map(token_count, everything)))
        pairs = self._pairs()
        if restored:
            self._restore(restored)
        else:
            with self._model.disable_adapter():
                self._progress.reference = reference_logprobs(
                    self._scorer, pairs, self._config.batch_tokens
                )
        self._reference.update(zip(pairs, self._progress.reference, strict=True))
        kept = list(dict.fromkeys(each for each in everything if each.keep))
        with self._model.disable_adapter():
            self._states |= kept_states(self._scorer, kept, self._config.batch_tokens)
        if not restored:
            self._measure()

    def _restore(self, progress: Progress) -> None:
        _set(self._weights, progress.weights)
        self._optimizer.load_state_dict(progress.optimizer)
        torch.set_rng_state(progress.random)

    def _pairs(self) -> list[TokenExample]:
        data = self._data
        everything = (*data.train, *data.replay, *data.validation, *data.replay_validation)
        return [example for example in everything if example.rejected]

    def _steps(self, epoch: int) -> list[list[TokenExample]]:
        return epoch_steps(self._data, self._config, epoch)

    def _epoch(self) -> None:
        progress = self._progress
        for examples in self._steps(progress.epoch)[progress.done :]:
            self._step(examples)
            if self._checkpoints.is_due():
                self._save()
        self._measure()
        progress.epoch, progress.done = progress.epoch + 1, 0
        if stopping.best(self._measured(), self._config).step == progress.step:
            progress.best_step = progress.step
            progress.best = [weight.detach().clone() for weight in self._weights]
        self._save()

    def _step(self, examples: Sequence[TokenExample]) -> None:
        progress, config = self._progress, self._config
        self._model.train()
        totals, loss, learned = Totals.of(examples), 0.0, 0.0
        for part in parts(examples, config.batch_tokens):
            piece = self._objective.loss(part, totals)
            piece.whole.backward()
            loss += float(piece.whole.detach())
            learned += piece.learned
            progress.tokens += sum(map(token_count, part))
        norm = torch.nn.utils.clip_grad_norm_(self._weights, config.clip)
        _check_numbers(loss, float(norm))
        for group in self._optimizer.param_groups:
            share = rate(progress.step, self._meter.steps, config.warmup)
            group["lr"] = config.learning_rate * share
        self._optimizer.step()
        self._optimizer.zero_grad()
        progress.step += 1
        progress.done += 1
        if totals.share_of_kept < 1:  # otherwise there was nothing to learn in this step
            self._note(LossPoint(progress.step, training=learned / (1 - totals.share_of_kept)))

    def _measure(self) -> None:
        self._model.eval()
        validation = self._objective.measure(self._data.validation)
        general = self._objective.measure(self._data.replay_validation)
        _check_numbers(*(loss for loss in (validation, general) if loss is not None))
        self._note(LossPoint(self._progress.step, validation=validation, general=general))

    def _measured(self) -> list[LossPoint]:
        return [point for point in self._progress.points() if point.training is None]

    def _note(self, point: LossPoint) -> None:
        self._progress.losses.append((point.step, point.training, point.validation, point.general))
        self._meter.report(point)

    def _save(self) -> None:
        progress = self._progress
        progress.seconds = self._meter.seconds()
        progress.weights = [weight.detach() for weight in self._weights]
        progress.optimizer = self._optimizer.state_dict()
        progress.random = torch.get_rng_state()
        self._checkpoints.save(progress)


def rate(step: int, steps: int, warmup: float) -> float:
    """Return the learning rate of a step (from 0) as a share of the peak rate."""
    warm = max(1, round(warmup * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))


def _set(weights: Sequence[torch.Tensor], values: Iterable[torch.Tensor]) -> None:
    for weight, value in zip(weights, values, strict=True):
        weight.data.copy_(value)


def _check_numbers(*losses: float) -> None:
    if not all(map(math.isfinite, losses)):
        raise TrainingError(TrainingFailure.NOT_A_NUMBER, "")
