"""Facts of the history."""

from dataclasses import dataclass

from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class ProjectsChanged(Fact):
    """There are other projects, or they are called something else."""
