"""What a run tells: its progress to those who watch, and its record to the store."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from chatdesk.core.errors import EnvironmentProblem, StoreProblem
from chatdesk.core.personalization import AdapterRecord, AdapterState, LossPoint
from chatdesk.core.training import TrainingProgress
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.facts import Publish
from chatdesk.services.personalize.facts import LearningChanged, LearningProgress
from chatdesk.store.adapters import AdapterStore

_log = logging.getLogger(__name__)


class RunReports:
    """Has the newest `record` and `progress` of a run."""

    def __init__(
        self,
        record: AdapterRecord,
        store: AdapterStore,
        publish: Publish,
        is_paused: Callable[[], bool],
    ) -> None:
        self.record = record
        self.progress = LearningProgress(record.id, record.state, losses=record.losses)
        self._store = store
        self._publish = publish
        self._is_paused = is_paused
        self._end: Callable[[], AdapterRecord] | None = None

    def tell(self, problem: EnvironmentProblem | None = None, **fields: Any) -> None:
        """Publish the progress with changed fields."""
        self.progress = replace(self.progress, paused=self._is_paused(), **fields)
        self._publish(LearningChanged(self.progress, problem))

    def enter(self, state: AdapterState) -> None:
        """Store and publish that a new stage begins."""
        self.change(state=state)
        self.tell(state=state, seconds_left=0.0, tokens_per_s=0.0, rss_bytes=0)

    def change(self, **fields: Any) -> None:
        """Change the record."""
        self.record = self._store.change(self.record.id, **fields)
        self._publish(AdaptersChanged())

    def end(self, state: AdapterState, **fields: Any) -> None:
        """Store the end of the run; what a full disk does not take is left to `settle`."""
        self._end = partial(self._store.finish, self.record.id, state, **fields)
        self.record = replace(self.record, state=state, **fields)
        self.settle()

    def settle(self) -> bool:
        """Store the end if it is not stored yet; False if the disk still does not take it."""
        if self._end:
            try:
                self.record = self._end()
            except StoreProblem as problem:
                _log.warning("the end of a run is not stored yet: %s", problem)
                return False
            self._end = None
            self._publish(AdaptersChanged())
        return True

    def part(self, begin: float, end: float) -> Callable[[float], None]:
        """Return a listener for the progress of a part of the run; all are from 0 to 1."""
        started = time.monotonic()

        def on_share(share: float) -> None:
            left = (time.monotonic() - started) * (1 - share) / max(share, 0.01)
            self.tell(share=begin + (end - begin) * share, seconds_left=left)

        return on_share

    def training(
        self, begin: float, end: float, *, noted: bool = True
    ) -> Callable[[TrainingProgress], None]:
        """Return a listener for a training, which is a part of the run.

        Its losses are in the record when they are to be `noted`, those measured as they come.
        """

        def on_progress(progress: TrainingProgress) -> None:
            losses = self.progress.losses
            if noted and progress.point:
                losses = _with_point(losses, progress.point)
                if progress.point.training is None:  # once in an epoch
                    self.change(losses=losses)
            self.tell(
                share=begin + (end - begin) * progress.step / max(progress.steps, 1),
                seconds_left=progress.seconds_left,
                tokens_per_s=progress.tokens_per_s,
                rss_bytes=progress.rss_bytes,
                losses=losses,
            )

        return on_progress


def _with_point(losses: tuple[LossPoint, ...], point: LossPoint) -> tuple[LossPoint, ...]:
    """Add a point. Later ones are done again, because the trainer was restarted."""
    trained = point.training is not None
    before = [
        each
        for each in losses
        if each.step < point.step
        or (each.step == point.step and (each.training is not None) != trained)
    ]
    return (*before, point)
