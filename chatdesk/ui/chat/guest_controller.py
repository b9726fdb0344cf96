"""Between the answers and the models that may give one of them in place of the one in use."""

from functools import partial

from PySide6.QtCore import QObject

from chatdesk.core.i18n import tr
from chatdesk.core.model_files import KeptModel
from chatdesk.core.models import ModelFile
from chatdesk.services.chat.facts import GuestLeft
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.chat.model_controller import ModelController
from chatdesk.ui.widgets.notice import UNDO_MS, Notice


class GuestController(QObject):
    """Lists the other models at the answers, and offers to stay with one that has answered."""

    def __init__(
        self, bridge: Bridge, view: ChatView, models: ModelController, notice: Notice
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._actions = view.message_actions
        self._choose = models
        self._notice = notice
        self._models: tuple[KeptModel, ...] = ()
        self._in_use = ""  # the id of the model in use
        bridge.opened.connect(self._read)
        bridge.subscribe(ModelsChanged, lambda _fact: self._read())
        bridge.subscribe(EngineChanged, self._on_engine)
        bridge.subscribe(GuestLeft, self._on_left)

    def _read(self) -> None:
        self._bridge.run(lambda app: app.models.kept(), self._show)

    def _show(self, kept: tuple[KeptModel, ...]) -> None:
        self._models = kept
        self._actions.other_models = [
            (each.model.id, each.full_name)
            for each in kept
            if each.answers and each.model.id != self._in_use
        ]

    def _on_engine(self, fact: EngineChanged) -> None:
        in_use = fact.status.model.id if fact.status.model else ""
        if in_use != self._in_use:
            self._in_use = in_use
            self._show(self._models)

    def _on_left(self, fact: GuestLeft) -> None:
        """A guest has answered: the person may want to go on with it."""
        guest, host = self._name(fact.guest), self._name(fact.host)
        self._notice.show_words(
            tr("This answer is by {model}; {own} answers what comes next.", model=guest, own=host),
            "",
            tr("Go on with {model}", model=guest),
            partial(self._choose.use, fact.guest),
            for_ms=UNDO_MS,
        )

    def _name(self, model: ModelFile) -> str:
        names = {each.model.id: each.full_name for each in self._models}
        return names.get(model.id, model.header.name)
