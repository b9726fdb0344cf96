"""Facts of the model library."""

from dataclasses import dataclass

from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class ModelsChanged(Fact):
    """The list of models changed, a name, or the notes on one."""
