"""Between the widgets that show models and the services: list, choose, add, load."""

from pathlib import Path

from PySide6.QtCore import QObject

from chatdesk.core.errors import NotForChats
from chatdesk.core.i18n import tr
from chatdesk.core.model_files import KeptModel
from chatdesk.core.models import ModelFile
from chatdesk.library.models.role import check_answers
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.widgets.notice import Notice


class ModelController(QObject):
    """Knows which models there are, and uses the one that is chosen."""

    def __init__(
        self,
        bridge: Bridge,
        settings: SettingsValue,
        composer: Composer,
        notice: Notice,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._settings = settings
        self._composer = composer
        self._notice = notice
        self._models: tuple[KeptModel, ...] = ()
        self._status = EngineStatus(EngineState.LOADING)
        self._composer.set_model(tr("starting…"))
        bridge.opened.connect(self._refresh)
        bridge.subscribe(EngineChanged, self._on_engine)
        bridge.subscribe(ModelsChanged, self._on_models)

    def _refresh(self) -> None:
        self._bridge.run(lambda app: app.models.kept(), self._show_models)

    def _show_models(self, kept: tuple[KeptModel, ...]) -> None:
        """Offer the models that can answer and whose files are there, favourites first."""
        models = [each for each in kept if each.answers]
        models.sort(key=lambda each: not each.notes.favourite)
        self._models = tuple(models)
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
        """Use another model from now on, if it can answer."""
        try:
            check_answers(model.header)
        except NotForChats as problem:
            self._notice.show_problem(problem)
            return
        self._settings.edit("models", chosen=model.id)
        self._bridge.run(lambda app: app.load_model(model), patient=True)

    def add(self, path: Path) -> None:
        """Take up a file and use it."""
        self._bridge.run(lambda app: app.models.add(path), self.use, self._notice.show_problem)

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
            is_known = state is not EngineState.LOADING
            self._composer.set_model(tr("no model") if is_known else tr("starting…"))
            return
        name = self._label(model)
        self._composer.set_model(
            {
                EngineState.OFF: name,
                EngineState.LOADING: tr("{model} · loading", model=name),
                EngineState.READY: name,
                EngineState.ASLEEP: tr("{model} · unloaded", model=name),
                EngineState.FAILED: tr("{model} · not running", model=name),
            }[state]
        )

    def _label(self, model: ModelFile) -> str:
        kept = next((each for each in self._models if each.model.id == model.id), None)
        name, quantization = kept.name if kept else model.header.name, model.header.quantization
        is_said = quantization.lower() in name.lower()
        return name if is_said else f"{name} · {quantization}"
