"""The state of personalization: everything its page shows, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import AdapterRecord, RatingTrend, Withdrawn
from chatdesk.services.personalize.facts import LearningProgress
from chatdesk.services.system.installation import learning_is_being_installed

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window is shown
    from chatdesk.services.app import App


@dataclass(frozen=True, slots=True)
class Overview:
    """`records` are all there are, the newest first; `withdrawn` what of them is, by id.

    `active` is the adapter in use for the `model` in use, `trend` the ratings under it, `back_to`
    the name of what rolling back leads to, "" for the model as it is. `missing` says what learning
    needs and is not installed, or is ""; `installing`, that it is on its way; `obstacle`, why the
    model cannot be trained, or is "". As long as there are
    no records, `ready` is how many examples there are to learn from, up to the `least` it takes.
    """

    model: ModelFile | None = None
    records: tuple[AdapterRecord, ...] = ()
    withdrawn: Mapping[str, Withdrawn] = field(default_factory=dict)
    active: AdapterRecord | None = None
    back_to: str = ""
    trend: RatingTrend | None = None
    missing: str = ""
    installing: bool = False
    obstacle: str = ""
    progress: LearningProgress | None = None
    ready: int = 0
    least: int = 0

    @property
    def of_model(self) -> tuple[AdapterRecord, ...]:
        """The records of the model in use."""
        model_id = self.model.id if self.model else ""
        return tuple(each for each in self.records if each.model_id == model_id)

    def record(self, adapter_id: str) -> AdapterRecord | None:
        """The record with this id."""
        return next((each for each in self.records if each.id == adapter_id), None)


def read_overview(app: "App") -> Overview:
    """Ask the services; not on the window's thread. May raise `StoreProblem`."""
    adapters, model = app.adapters, app.engine.status.model
    records = adapters.records()
    active = adapters.in_use(model, None) if model else None
    before = adapters.before(active.model_id) if active else None
    return Overview(
        model=model,
        records=records,
        withdrawn={each.id: adapters.withdrawn(each.id) for each in records},
        active=active,
        back_to=before.name if before else "",
        trend=adapters.trend(active.id) if active else None,
        missing=app.personalize.missing(),
        installing=learning_is_being_installed(),
        obstacle=app.personalize.obstacle(model) if model else "",
        progress=app.personalize.progress,
        ready=0 if records else app.personalize.ready(),
        least=app.personalize.least,
    )
