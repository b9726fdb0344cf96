"""What the adapters announce."""

from dataclasses import dataclass

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class AdaptersChanged(Fact):
    """The adapters changed: which there are, their names, or which one is active."""


@dataclass(frozen=True, slots=True)
class AdapterLeftOut(Fact):
    """The adapter that was chosen cannot be used: the model answers as it is."""

    conversation_id: str
    problem: EnvironmentProblem
