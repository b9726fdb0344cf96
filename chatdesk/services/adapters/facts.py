"""Facts of the adapters."""

from dataclasses import dataclass

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class AdaptersChanged(Fact):
    """The list of adapters changed, a name, or the active one."""


@dataclass(frozen=True, slots=True)
class AdapterLeftOut(Fact):
    """The chosen adapter cannot be used: the model answers without it."""

    conversation_id: str
    problem: EnvironmentProblem
