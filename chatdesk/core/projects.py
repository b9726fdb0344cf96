"""Projects: folders of conversations, one level deep."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

COLOURS: Final = ("", "red", "orange", "green", "blue", "purple")  # "" is the text's


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of conversations. `colour` is one of `COLOURS`; `position` is its place, from 0."""

    id: str
    name: str
    colour: str
    position: int
    created: datetime


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project as a list shows it; `conversations` are those not in the trash."""

    project: Project
    conversations: int
