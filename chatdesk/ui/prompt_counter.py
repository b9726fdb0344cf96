"""How long the prompt is as it stands, counted by the engine while one types."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.generation import ANSWER_ROOM
from chatdesk.core.i18n import tr, trn
from chatdesk.services.facts import EngineState
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.composer import Composer

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app_services import AppServices

DELAY_MS = 250


class PromptCounter(QObject):
    """Counts the open conversation with what is in the composer, after a pause in typing.

    `situation` gives the open conversation's id and the system prompt of the next new chat, or
    None when there is nothing to count. `measured` carries the tokens of the prompt and of the
    context window.
    """

    measured = Signal(int, int)

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
        self._services: AppServices | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._count)

    def attach(self, services: "AppServices") -> None:
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
        if services.engine.status.state is not EngineState.READY:
            return

        def show(counted: tuple[int, int]) -> None:
            if (situation, text) == (self._situation(), self._composer.text):
                self._show(*counted, typed=bool(text.strip()))

        current, system = situation
        self._bridge.run(
            lambda: services.chat.count_tokens(current, text, system_prompt=system),
            show,
            lambda problem: self.forget(),  # sending tells it in full
            patient=True,
        )

    def _show(self, tokens: int, window: int, *, typed: bool) -> None:
        too_long = tokens > window - ANSWER_ROOM
        words = (
            tr("{tokens} of {window} tokens", tokens=f"{tokens:,}", window=f"{window:,}")
            if too_long
            else trn("{n} token", "{n} tokens", tokens)
        )
        self._composer.set_tokens(words if typed or too_long else "", too_long=too_long)
        self.measured.emit(tokens, window)
