"""Between the widgets that show models and the services: list, choose, add, load."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from chatdesk.core.errors import NotForChats
from chatdesk.core.i18n import tr
from chatdesk.core.model_files import KeptModel
from chatdesk.core.models import ModelFile, ModelRole
from chatdesk.library.models.role import check_answers, role_of
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.widgets.notice import Notice


class ModelController(QObject):
    """Knows which models there are, and which one answers in each chat.

    A chat goes on with the model it was held with, until another one is chosen in it; a new chat
    has the one chosen last. A model is loaded when it is chosen, or asked.
    """

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
        self._chosen: ModelFile | None = None  # for new chats: the one of the start, at first
        self._held: dict[str, ModelFile | None] = {}  # by conversation; None is any model
        self._open: str | None = None  # the conversation that is open
        self._offered: tuple[list[tuple[str, str]], str | None] | None = None
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
        there = {each.model.id: each.model for each in models}
        self._chosen = there.get(self._chosen.id) if self._chosen else None
        self._held = {
            chat: model for chat, model in self._held.items() if model and model.id in there
        }
        self._show_chip()

    def open_chat(self, conversation_id: str | None) -> None:
        """Show the model of a conversation; None is a new chat."""
        self._open = conversation_id
        self._show_chip()
        if conversation_id and conversation_id not in self._held:
            hold = partial(self._hold, conversation_id)
            self._bridge.run(lambda app: app.held_model(conversation_id), hold)

    def model_of(self, conversation_id: str | None) -> ModelFile | None:
        """Return the model that answers in a conversation; None is the one in use.

        It is None as well until what a conversation was held with is read.
        """
        if conversation_id and conversation_id not in self._held:
            return None
        return self._held.get(conversation_id or "") or self._chosen

    def _hold(self, conversation_id: str, model: ModelFile | None) -> None:
        self._held.setdefault(conversation_id, model)
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
        self._chosen = model
        if self._open:
            self._held[self._open] = model
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
        self._status = fact.status
        self._chosen = self._chosen or fact.status.model
        self._show_chip()

    def _show_chip(self) -> None:
        in_use, state = self._status.model, self._status.state
        model = self.model_of(self._open) if in_use else None
        model = model or in_use
        self._offer(model)
        continues = model is not None and role_of(model.header) is ModelRole.BASE
        self._composer.set_continues(continues=continues)
        if model is None:
            without = {EngineState.LOADING: tr("starting…"), EngineState.FAILED: tr("not started")}
            self._composer.set_model(without.get(state, tr("no model")))
            return
        name = self._label(model)
        if in_use is None or model.id != in_use.id:  # it is loaded when it is asked
            self._composer.set_model(name)
            return
        self._composer.set_model(
            {
                EngineState.OFF: name,
                EngineState.LOADING: tr("{model} · loading", model=name),
                EngineState.READY: name,
                EngineState.ASLEEP: tr("{model} · unloaded", model=name),
                EngineState.FAILED: tr("{model} · not running", model=name),
            }[state]
        )

    def _offer(self, current: ModelFile | None) -> None:
        """Fill the chip's menu, unless nothing in it changed: it may be open."""
        models = [(each.model.id, self._label(each.model)) for each in self._models]
        offered = (models, current.id if current else None)
        if offered != self._offered:
            self._offered = offered
            self._composer.set_models(*offered)

    def _label(self, model: ModelFile) -> str:
        kept = next((each for each in self._models if each.model.id == model.id), None)
        name, quantization = kept.name if kept else model.header.name, model.header.quantization
        is_said = quantization.lower() in name.lower()
        return name if is_said else f"{name} · {quantization}"
