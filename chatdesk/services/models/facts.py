"""Facts of the model library."""

from dataclasses import dataclass

from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.services.facts import Fact


@dataclass(frozen=True, slots=True)
class ModelsChanged(Fact):
    """The list of models changed, a name, or the notes on one."""


@dataclass(frozen=True, slots=True)
class ChosenModelMissing(Fact):
    """The file of the chosen `model`, called `name`, is not there; `stand_in` answers for now."""

    model: ModelFile
    name: str
    stand_in: ModelFile

    @property
    def sentence(self) -> str:
        """What happened, in the user's words."""
        answers = self.stand_in.header.full_name
        return tr("{name} is not there. {model} answers for now.", name=self.name, model=answers)
