"""What the model library announces."""

from dataclasses import dataclass

from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class ModelsChanged(Fact):
    """The models changed: which there are, their names, or what is noted about them."""
