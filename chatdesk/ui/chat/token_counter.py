"""How long the prompt is as it stands, counted by the engine while one types."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.chat import ContextUse
from chatdesk.core.generation import ANSWER_ROOM
from chatdesk.core.i18n import tr, trn
from chatdesk.services.engine.facts import EngineState
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app import App

DELAY_MS = 250
NEARLY_FULL = 0.75  # of the context window: from here on it is worth a word


class PromptCounter(QObject):
    """Counts the open conversation with what is in the composer, after a pause in typing.

    `situation` gives the open conversation's id and the system prompt of the next new chat, or
    None when there is nothing to count. `measured` carries a `ContextUse`.
    """

    measured = Signal(object)

    def __init__(
        self,
        bridge: Bridge,
        composer: Composer,
        situation: Callable[[], tuple[str | None, str] | None],
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._composer = composer
        self._situation = situation
        self._services: App | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._count)

    def attach(self, services: "App") -> None:
        """The services are there."""
        self._services = services

    def count_soon(self) -> None:
        """Something changed that makes the prompt longer or shorter."""
        self._timer.start()

    def forget(self) -> None:
        """Show no count: there is no engine to ask."""
        self._composer.set_tokens("")

    def _count(self) -> None:
        services, situation, text = self._services, self._situation(), self._composer.text
        if services is None or situation is None:
            return
        state = services.engine.status.state
        if state is not EngineState.READY and not (state is EngineState.ASLEEP and text.strip()):
            return  # typing wakes the model, looking around does not

        def show(use: ContextUse) -> None:
            if (situation, text) == (self._situation(), self._composer.text):
                self._show(use, typed=bool(text.strip()))

        current, system = situation
        self._bridge.run(
            lambda: services.chat.count_tokens(current, text, system_prompt=system),
            show,
            lambda problem: self.forget(),  # sending tells it in full
            patient=True,
        )

    def _show(self, use: ContextUse, *, typed: bool) -> None:
        too_long = use.tokens > use.window - ANSWER_ROOM
        self._composer.set_tokens(self._words(use, too_long, typed), too_long=too_long)
        self.measured.emit(use)

    def _words(self, use: ContextUse, too_long: bool, typed: bool) -> str:
        if too_long:
            return tr(
                "{tokens} of {window} tokens", tokens=f"{use.tokens:,}", window=f"{use.window:,}"
            )
        full = use.tokens / use.window
        if use.view_after or full >= NEARLY_FULL:
            return tr("Context {share} full", share=f"{round(100 * full)} %")
        return trn("{n} token", "{n} tokens", use.tokens) if typed else ""
