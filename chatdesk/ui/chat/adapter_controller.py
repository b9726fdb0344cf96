"""Between what shows adapters beside the chat and the services: which there are, which answers."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject

from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import AdapterRecord
from chatdesk.services.adapters.facts import AdapterLeftOut, AdaptersChanged
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.adapter_chip import AdapterChip
from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.widgets.notice import Notice


class AdapterController(QObject):
    """Tells the chip the adapters of the model in use, and the inspector all their names."""

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        chip: AdapterChip,
        inspector: Inspector,
        notice: Notice,
    ) -> None:
        super().__init__()
        self._show_page = partial(navigator.show, PageId.PERSONALIZE)
        self._notice = notice
        self._bridge = bridge
        self._chip = chip
        self._inspector = inspector
        self._model: ModelFile | None = None
        chip.personalize_requested.connect(self._show_page)
        bridge.opened.connect(self._read)
        bridge.subscribe(EngineChanged, self._on_engine)
        bridge.subscribe(AdaptersChanged, self._on_adapters)
        bridge.subscribe(AdapterLeftOut, self._on_left_out)

    def _on_engine(self, fact: EngineChanged) -> None:
        """Another model has other adapters."""
        if fact.status.model != self._model:
            self._model = fact.status.model
            self._read()

    def _on_adapters(self, _fact: AdaptersChanged) -> None:
        """There are others, or another is active."""
        self._read()

    def _on_left_out(self, fact: AdapterLeftOut) -> None:
        self._notice.show_problem(fact.problem, tr("Personalize"), self._show_page)

    def _read(self) -> None:
        model = self._model
        self._bridge.run(
            lambda app: (
                app.adapters.records(),
                app.adapters.in_use(model, None) if model else None,
            ),
            lambda found: self._show(*found),
        )

    def _show(self, records: Sequence[AdapterRecord], active: AdapterRecord | None) -> None:
        self._inspector.show_adapters({record.id: record.name for record in records})
        model_id = self._model.id if self._model else None
        mine = [each for each in records if each.is_usable and each.model_id == model_id]
        if active and active not in mine:  # made when the same file was known by another id
            mine.append(active)
        self._chip.show_adapters(mine, active)
