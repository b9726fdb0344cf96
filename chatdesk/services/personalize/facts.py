"""How far a training run is, and the fact that this changed."""

from dataclasses import dataclass

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.personalization import AdapterState, LossPoint
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class LearningProgress:
    """How far a run is. `share` is of the whole run, 0 to 1; `waiting` says why it holds still.

    Times are seconds without pauses, `rss_bytes` is the trainer's memory; 0 where not known yet.
    """

    adapter_id: str
    state: AdapterState
    share: float = 0.0
    seconds_left: float = 0.0
    tokens_per_s: float = 0.0
    rss_bytes: int = 0
    waiting: str = ""
    paused: bool = False  # by the person
    losses: tuple[LossPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningChanged(Fact):
    """A run made progress, or ended; `problem` is why it failed."""

    progress: LearningProgress
    problem: EnvironmentProblem | None = None
