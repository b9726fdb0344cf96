"""Facts of this computer."""

from dataclasses import dataclass

from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class MachineMeasured(Fact):
    """The memory is faster than was known: what is said of models here is another now."""
