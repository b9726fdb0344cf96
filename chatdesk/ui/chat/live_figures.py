"""The figures of an answer while it is written: speed, length, how full the context is."""

from dataclasses import dataclass, field, replace
from time import monotonic

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.chat import AnswerRecord, Message, MessageState
from chatdesk.services.chat.facts import (
    AnswerEnded,
    AnswerReopened,
    MessageAdded,
    PromptRead,
    TextArrived,
    ThinkingArrived,
)
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.open_chat import OpenChat

EVERY_MS = 250
LEAST_S = 0.3  # a speed measured for less would jump


@dataclass(slots=True)
class _Writing:
    """An answer that is being written. Moments are of the monotonic clock, counts are tokens."""

    record: AnswerRecord
    asked: float = field(default_factory=monotonic)
    first: float | None = None
    last: float = 0.0
    before: int = 0  # tokens that came with the first piece
    tokens: int = 0
    prompt: int = 0
    cached: int = 0

    def grow(self, tokens: int) -> None:
        """A piece has come; `tokens` is the number of all so far."""
        self.last = monotonic()
        if self.first is None:
            self.first, self.before = self.last, tokens
        self.tokens = tokens

    def figures(self) -> AnswerRecord:
        """The record with what is measured by now."""
        span = self.last - self.first if self.first else 0.0
        return replace(
            self.record,
            prompt_tokens=self.prompt or None,
            cached_tokens=self.cached if self.prompt else None,
            completion_tokens=self.tokens or None,
            ttft_s=self.first - self.asked if self.first else None,
            tokens_per_s=(self.tokens - self.before) / span if span >= LEAST_S else None,
        )


class LiveFigures(QObject):
    """Measures every answer that is written, and shows the open chat's a few times a second."""

    def __init__(self, bridge: Bridge, chat: OpenChat) -> None:
        super().__init__(bridge)
        self._chat = chat
        self._window = 0  # tokens
        self._writing: dict[str, dict[str, _Writing]] = {}  # by conversation, by message
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._show)
        chat.shown.connect(lambda _: self._show())
        bridge.subscribe(MessageAdded, lambda fact: self._begin(fact.message))
        bridge.subscribe(AnswerReopened, lambda fact: self._begin(fact.message))
        bridge.subscribe(PromptRead, self._on_prompt_read)
        bridge.subscribe(ThinkingArrived, self._on_piece)
        bridge.subscribe(TextArrived, self._on_piece)
        bridge.subscribe(AnswerEnded, self._on_ended)
        bridge.subscribe(EngineChanged, self._on_engine)

    def _begin(self, message: Message) -> None:
        if message.state is MessageState.STREAMING and message.answer:
            record = replace(message.answer, stop_reason=None)
            of_chat = self._writing.setdefault(message.conversation_id, {})
            of_chat[message.id] = _Writing(record)
            self._timer.start()

    def _find(self, conversation_id: str, message_id: str) -> _Writing | None:
        return self._writing.get(conversation_id, {}).get(message_id)

    def _on_prompt_read(self, fact: PromptRead) -> None:
        if writing := self._find(fact.conversation_id, fact.message_id):
            writing.prompt, writing.cached = fact.total, fact.cached

    def _on_piece(self, fact: TextArrived | ThinkingArrived) -> None:
        if writing := self._find(fact.conversation_id, fact.message_id):
            writing.grow(fact.tokens)

    def _on_ended(self, fact: AnswerEnded) -> None:
        of_chat = self._writing.get(fact.message.conversation_id, {})
        of_chat.pop(fact.message.id, None)
        if not of_chat:
            self._writing.pop(fact.message.conversation_id, None)
        if not self._writing:
            self._timer.stop()

    def _on_engine(self, fact: EngineChanged) -> None:
        loaded = fact.status.loaded
        self._window = loaded.context_window if loaded else 0

    def _show(self) -> None:
        of_chat = self._writing.get(self._chat.current or "")
        if not of_chat:
            return
        writing = list(of_chat.values())[-1]
        self._chat.show_figures(writing.figures(), MessageState.STREAMING)
        if writing.prompt and self._window:
            read = min(writing.prompt + writing.tokens, self._window)
            self._chat.show_context_so_far(read, self._window)
