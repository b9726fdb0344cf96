"""The state from which an interrupted run resumes, bit for bit."""

import hashlib
import io
import logging
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from chatdesk.core.files import whole_file
from chatdesk.core.personalization import LossPoint
from chatdesk.core.training import CHECKPOINT_FILE

INTERVAL_S = 30.0
_COST = 0.05  # share of the time that writing them may take
_DIGEST_BYTES = hashlib.sha256().digest_size

_log = logging.getLogger(__name__)

Losses = tuple[int, float | None, float | None, float | None]
"""The fields of a `LossPoint`."""


@dataclass
class Progress:
    """The progress of a run, and everything that its future depends on.

    `done` optimizer steps of epoch `epoch` (from 0) are complete, `step` in all; `seconds` is the
    computing time. `reference` are the base's log-probabilities of the pairs, `weights` those of
    LoRA, `best` the ones after `best_step`.
    """

    epoch: int = 0
    done: int = 0
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[Losses] = field(default_factory=list)
    reference: list[tuple[float, float]] = field(default_factory=list)
    best_step: int = 0
    best: list[torch.Tensor] = field(default_factory=list)
    weights: list[torch.Tensor] = field(default_factory=list)
    optimizer: dict[str, Any] = field(default_factory=dict)
    random: torch.Tensor = field(default_factory=torch.get_rng_state)

    def points(self) -> list[LossPoint]:
        """The losses so far."""
        return [LossPoint(*losses) for losses in self.losses]


class Checkpoints:
    """The checkpoint in a run's folder. `identity` is unique to the run."""

    def __init__(self, folder: Path, identity: str) -> None:
        self._path = folder / CHECKPOINT_FILE
        self._identity = identity
        self._due = time.monotonic() + INTERVAL_S

    def is_due(self) -> bool:
        """True if the next checkpoint should be written now."""
        return time.monotonic() >= self._due

    def save(self, progress: Progress) -> None:
        """Write the checkpoint. Raises `OSError`; the previous one is then still there."""
        started = time.monotonic()
        state = {each.name: getattr(progress, each.name) for each in fields(progress)}
        buffer = io.BytesIO()
        torch.save({"identity": self._identity, **state}, buffer)
        content = buffer.getvalue()
        digest = hashlib.sha256(content).digest()
        unfinished = self._path.with_suffix(".part")
        with whole_file(self._path, durable=True, partial=unfinished):
            unfinished.write_bytes(digest + content)
        now = time.monotonic()
        self._due = now + max(INTERVAL_S, (now - started) / _COST)

    def load(self) -> Progress | None:
        """Return the last checkpoint; None when this run has none that is complete."""
        if not self._path.exists():
            return None
        content = self._path.read_bytes()
        digest, content = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            _log.warning("the checkpoint is damaged: the run begins anew")
            return None
        state = torch.load(io.BytesIO(content), weights_only=True)
        if state.pop("identity") != self._identity:
            _log.warning("the checkpoint is another run's: this one begins anew")
            return None
        return Progress(**state)
