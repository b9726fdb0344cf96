"""The state of the engine, and the fact that it changed."""

from dataclasses import dataclass
from enum import Enum, auto

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.models import ModelFile
from chatdesk.services.facts import Fact


class EngineState(Enum):
    """The state of the engine."""

    OFF = auto()  # no model was chosen or found
    LOADING = auto()
    READY = auto()
    ASLEEP = auto()  # not used for a while, its memory freed; the next request loads it
    FAILED = auto()  # the model could not be loaded, or the engine keeps crashing


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The engine's state for the window. `fraction` is the part of the model that is read, 0 to 1.

    `problem` is why it failed, or the problem before a repeated load.
    """

    state: EngineState
    model: ModelFile | None = None
    loaded: ModelLoaded | None = None
    fraction: float = 0.0
    problem: EnvironmentProblem | None = None


@dataclass(frozen=True, slots=True)
class EngineChanged(Fact):
    """The engine's state changed."""

    status: EngineStatus
