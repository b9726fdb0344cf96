"""Between the widgets that show models and the services: list, choose, add, load."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from chatdesk.core.i18n import tr
from chatdesk.core.library import KeptModel, Presence
from chatdesk.core.models import ModelFile
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer
from chatdesk.ui.chat.welcome import Suggestions
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app import App


class ModelsController(QObject):
    """Knows which models there are; `chosen` carries the `ModelFile` the user chose."""

    chosen = Signal(object)

    def __init__(
        self, bridge: Bridge, composer: Composer, suggestions: Suggestions, notice: Notice
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._composer = composer
        self._suggestions = suggestions
        self._notice = notice
        self._services: App | None = None
        self._models: tuple[KeptModel, ...] = ()
        self._status = EngineStatus(EngineState.LOADING)
        self._composer.set_model(tr("starting…"))
        bridge.subscribe(EngineChanged, self._on_engine)
        bridge.subscribe(ModelsChanged, self._on_models)

    def attach(self, services: "App") -> None:
        """List the models; the default one is being loaded already if there is one."""
        self._services = services
        self._status = services.engine.status
        self._show_chip()
        if self._status.model is None:
            self._suggestions.show_no_model()
        else:
            self._bridge.run(services.models.room_bytes, self._suggestions.show_better_model)
        self._refresh()

    def _refresh(self) -> None:
        if services := self._services:
            self._bridge.run(partial(_usable, services), self._show_models)

    def _show_models(self, models: tuple[KeptModel, ...]) -> None:
        self._models = models
        current = self._status.model
        self._composer.set_models(
            [(each.model.id, self._label(each.model)) for each in models],
            current.id if current else None,
        )
        self._show_chip()

    def choose(self, model_id: str) -> None:
        """Use another model from now on."""
        for each in self._models:
            if each.model.id == model_id:
                self.use(each.model)

    def use(self, model: ModelFile) -> None:
        """Use another model from now on."""
        if services := self._services:
            self.chosen.emit(model)
            self._bridge.run(partial(services.load_model, model), patient=True)

    def add(self, path: Path) -> None:
        """Take up a file and use it."""
        if services := self._services:
            work = partial(services.models.add, path)
            self._bridge.run(work, self.use, self._notice.show_problem)

    def load_again(self) -> None:
        """Load the model in use anew, after a failure or with other settings."""
        services, model = self._services, self._status.model
        if services and model:
            self._bridge.run(lambda: services.load_model(model, anew=True), patient=True)

    def _on_models(self, _fact: ModelsChanged) -> None:
        """There are others, or they are called something else."""
        self._refresh()

    def _on_engine(self, fact: EngineChanged) -> None:
        """Show what is loaded."""
        changed = fact.status.model != self._status.model
        self._status = fact.status
        self._show_chip()
        if changed:
            self._show_models(self._models)

    def _show_chip(self) -> None:
        model, state = self._status.model, self._status.state
        if model is None:
            self._composer.set_model(tr("no model"))
            return
        name = self._label(model)
        self._composer.set_model(
            {
                EngineState.OFF: name,
                EngineState.LOADING: tr("{model} · loading", model=name),
                EngineState.READY: name,
                EngineState.ASLEEP: tr("{model} · asleep", model=name),
                EngineState.FAILED: tr("{model} · not running", model=name),
            }[state]
        )

    def _label(self, model: ModelFile) -> str:
        kept = next((each for each in self._models if each.model.id == model.id), None)
        name = kept.name if kept else model.header.name
        return f"{name} · {model.header.quantization}"


def _usable(services: "App") -> tuple[KeptModel, ...]:
    """The models whose files are there, favourites first."""
    there = [each for each in services.models.kept() if each.presence is Presence.THERE]
    return tuple(sorted(there, key=lambda each: not each.notes.favourite))
