"""The progress of a training run, and the fact that it changed."""

from dataclasses import dataclass

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.personalization import AdapterState, LossPoint
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class LearningProgress:
    """The progress of a run. `share` is of the whole run, 0 to 1; `waiting` is why it pauses.

    Times are seconds without pauses, `rss_bytes` is the trainer's memory; 0 where not known yet.
    """

    adapter_id: str
    state: AdapterState
    share: float = 0.0
    seconds_left: float = 0.0
    tokens_per_s: float = 0.0
    rss_bytes: int = 0
    waiting: str = ""
    paused: bool = False  # by the user
    losses: tuple[LossPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningChanged(Fact):
    """A run made progress, or ended; `problem` is why it failed."""

    progress: LearningProgress
    problem: EnvironmentProblem | None = None
