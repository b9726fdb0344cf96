"""Facts of the history."""

from dataclasses import dataclass

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class ProjectsChanged(Fact):
    """There are other projects, or they are called something else."""


@dataclass(frozen=True, slots=True)
class BackupEnded(Fact):
    """The backup of the day was made, or could not be made because of a problem."""

    problem: EnvironmentProblem | None = None
