"""The present length of the prompt, counted by the engine during typing."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from chatdesk.core.chat import ContextUse
from chatdesk.core.i18n import tr
from chatdesk.core.loading import ANSWER_ROOM
from chatdesk.services.engine.facts import EngineState
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer
from chatdesk.ui.words import token_words

DELAY_MS = 250
NEARLY_FULL = 0.75  # of the context window: from here on it is worth a word


class TokenCounter(QObject):
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
        super().__init__(composer)
        self._bridge = bridge
        self._composer = composer
        self._situation = situation
        self._engine = EngineState.LOADING
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._count)

    def count_soon(self) -> None:
        """Something changed that makes the prompt longer or shorter."""
        if not self._composer.text.strip():
            self._forget()  # it was of words that are sent, or deleted
        self._timer.start()

    def show_engine(self, state: EngineState) -> None:
        """Count when the engine is ready; show no count while there is none to ask."""
        self._engine = state
        if state is EngineState.READY:
            self.count_soon()
        else:
            self._forget()

    def _forget(self) -> None:
        self._composer.set_tokens("")

    def _count(self) -> None:
        situation, text = self._situation(), self._composer.text
        wakes = self._engine is EngineState.ASLEEP and text.strip()  # looking around does not
        if situation is None or not (self._engine is EngineState.READY or wakes):
            return

        def show(use: ContextUse) -> None:
            if (situation, text) == (self._situation(), self._composer.text):
                self._show(use, typed=bool(text.strip()))

        current, system = situation
        self._bridge.run(
            lambda app: app.chat_of(current).count_tokens(current, text, system_prompt=system),
            show,
            lambda problem: self._forget(),  # sending reports it in full
            patient=True,
        )

    def _show(self, use: ContextUse, *, typed: bool) -> None:
        too_long = use.tokens > use.window - ANSWER_ROOM
        counted = tr(
            "{tokens} of {window} tokens", tokens=f"{use.tokens:,}", window=f"{use.window:,}"
        )
        if too_long:
            words = tr("Too long: {counted}", counted=counted)
        elif use.view_after:
            words = tr("The model no longer reads the beginning")
        elif use.tokens >= NEARLY_FULL * use.window:
            words = counted
        else:
            words = token_words(use.tokens) if typed else ""
        explained = tr(
            "What the model reads of this chat, with what you type: {counted}.", counted=counted
        )
        self._composer.set_tokens(words, explained, too_long=too_long)
        self.measured.emit(use)
