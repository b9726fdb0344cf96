"""Progress, speed and memory of a run: the `TrainingProgress` events."""

import sys
from collections.abc import Callable

import psutil

from chatdesk.core.personalization import LossPoint
from chatdesk.core.training import TrainingProgress
from chatdesk.training.checkpoint import Progress
from chatdesk.training.gate import PauseGate

if sys.platform != "win32":
    import resource


class Meter:
    """Counts the work of a session and reports it. `all_tokens` are those of the whole run."""

    def __init__(
        self, request_id: str, send: Callable[[TrainingProgress], None], gate: PauseGate
    ) -> None:
        self._request_id = request_id
        self._send = send
        self._gate = gate
        self._progress = Progress()
        self._earlier_tokens, self._earlier_s = 0, 0.0
        self._begun_s = 0.0
        self._process = psutil.Process()
        self.steps = self._all_tokens = 0
        gate.tick = self.report

    def begin(self, progress: Progress, steps: int, all_tokens: int) -> None:
        """Start to follow `progress`: the model is read, and training continues from there."""
        self._progress, self.steps, self._all_tokens = progress, steps, all_tokens
        self._earlier_tokens, self._earlier_s = progress.tokens, progress.seconds
        self._begun_s = self._gate.seconds()

    def seconds(self) -> float:
        """Return the computing time of all sessions."""
        return self._earlier_s + self._gate.seconds()

    def tokens_per_s(self) -> float:
        """Return the trained tokens per second of this session, with all measuring in between."""
        trained = self._progress.tokens - self._earlier_tokens
        return trained / max(self._gate.seconds() - self._begun_s, 1e-9)

    def report(self, point: LossPoint | None = None) -> None:
        """Send an event."""
        progress, speed = self._progress, self.tokens_per_s()
        left = (self._all_tokens - progress.tokens) / speed if speed else 0.0
        self._send(
            TrainingProgress(
                request_id=self._request_id,
                step=progress.step,
                steps=self.steps,
                tokens=progress.tokens,
                tokens_per_s=speed,
                seconds=self.seconds(),
                seconds_left=left,
                rss_bytes=self._process.memory_info().rss,
                point=point,
            )
        )

    def peak_bytes(self) -> int:
        """Return the peak memory of this process."""
        if sys.platform == "win32":
            return int(self._process.memory_info().peak_wset)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
