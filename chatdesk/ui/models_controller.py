"""Between the widgets that show models and the services: list, choose, add, load."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.services.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.composer import Composer
from chatdesk.ui.notice import Notice
from chatdesk.ui.welcome import Suggestions

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app_services import AppServices


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
        self._services: AppServices | None = None
        self._models: tuple[ModelFile, ...] = ()
        self._status = EngineStatus(EngineState.LOADING)
        self._composer.set_model(tr("starting…"))

    def attach(self, services: "AppServices") -> None:
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
            self._bridge.run(services.models.refresh, self._show_models)

    def _show_models(self, models: tuple[ModelFile, ...]) -> None:
        self._models = models
        current = self._status.model
        self._composer.set_models(
            [(model.id, _label(model)) for model in models], current.id if current else None
        )

    def choose(self, model_id: str) -> None:
        """Use another model from now on."""
        services = self._services
        for model in self._models:
            if model.id == model_id and services:
                self.chosen.emit(model)
                self._bridge.run(partial(services.load_model, model), patient=True)

    def add(self, path: Path) -> None:
        """Take up a file and use it."""
        services = self._services
        if services is None:
            return

        def added(model: ModelFile) -> None:
            self._models = (*self._models, model)
            self.choose(model.id)
            self._refresh()

        self._bridge.run(lambda: services.models.add(path), added, self._notice.show_problem)

    def load_again(self) -> None:
        """Load the model in use anew, after a failure or with other settings."""
        services, model = self._services, self._status.model
        if services and model:
            self._bridge.run(lambda: services.load_model(model, anew=True), patient=True)

    def on_engine(self, fact: EngineChanged) -> None:
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
        name = _label(model)
        self._composer.set_model(
            {
                EngineState.OFF: name,
                EngineState.LOADING: tr("{model} · loading", model=name),
                EngineState.READY: name,
                EngineState.ASLEEP: tr("{model} · asleep", model=name),
                EngineState.FAILED: tr("{model} · not running", model=name),
            }[state]
        )


def _label(model: ModelFile) -> str:
    return f"{model.header.name} · {model.header.quantization}"
