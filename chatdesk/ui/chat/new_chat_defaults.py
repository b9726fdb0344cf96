"""The defaults of new chats: those of the settings, or the model's own."""

from functools import partial

from PySide6.QtCore import QObject, Signal

from chatdesk.core.model_files import ModelNotes
from chatdesk.core.models import ModelFile
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.widgets.notice import Notice


class NewChatDefaults(QObject):
    """Keeps up with the model in use; its signals carry what holds from now on."""

    system_prompt_changed = Signal(str)
    sampling_changed = Signal(object)

    def __init__(self, bridge: Bridge, settings: SettingsValue, notice: Notice) -> None:
        super().__init__()
        self._bridge = bridge
        self._settings = settings
        self._notice = notice
        self._model: ModelFile | None = None
        self._notes = ModelNotes()
        self._told = (settings.now.chat.system_prompt, settings.now.chat.sampling)
        self._writes = 0  # that are on their way: what is read meanwhile is older
        settings.changed.connect(self._notify)
        bridge.subscribe(EngineChanged, self._on_engine)
        bridge.subscribe(ModelsChanged, self._on_models)

    def _on_engine(self, fact: EngineChanged) -> None:
        """Another model may be in use."""
        if fact.status.model != self._model:
            self._use(fact.status.model)

    def _on_models(self, _fact: ModelsChanged) -> None:
        """Something else may be noted of it."""
        self._read()

    def set_sampling(self, sampling: SamplingParams) -> None:
        """Sample like this from now on: where the model has its own, that is changed."""
        model, system_prompt = self._model, self._notes.system_prompt
        if self._notes.sampling is None or model is None:
            self._settings.edit("chat", sampling=sampling)
            return
        self._writes += 1
        self._bridge.run(
            lambda app: app.models.notes.set_defaults(model.id, system_prompt, sampling),
            None,
            self._notice.show_problem,
            ended=self._written,
        )

    def _written(self) -> None:
        self._writes -= 1
        self._read()

    def _use(self, model: ModelFile | None) -> None:
        self._model, self._notes = model, ModelNotes()
        self._read()

    def _read(self) -> None:
        model = self._model
        if model and not self._writes:
            self._bridge.run(
                lambda app: app.models.notes.of(model.id),
                partial(self._take, model),
                self._notice.show_problem,
            )

    def _take(self, model: ModelFile, notes: ModelNotes) -> None:
        if model == self._model and not self._writes:
            self._notes = notes
            self._notify()

    def _notify(self) -> None:
        settings, notes = self._settings.now, self._notes
        own = notes.system_prompt
        system_prompt = settings.chat.system_prompt if own is None else own
        sampling = notes.sampling or settings.chat.sampling
        before, self._told = self._told, (system_prompt, sampling)
        if system_prompt != before[0]:
            self.system_prompt_changed.emit(system_prompt)
        if sampling != before[1]:
            self.sampling_changed.emit(sampling)
