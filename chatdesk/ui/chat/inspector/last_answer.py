"""The cost of the last answer."""

from collections.abc import Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.chat import AnswerRecord, MessageState, StopReason
from chatdesk.core.i18n import tr
from chatdesk.ui.widgets.fields import FactList, section
from chatdesk.ui.words import token_words


class LastAnswer(QWidget):
    """Measured figures; dashes for what was not measured."""

    def __init__(self) -> None:
        super().__init__()
        self._facts = FactList(
            (
                tr("First token"),
                tr("Speed"),
                tr("Adapter"),
                tr("Length"),
                tr("Guessed ahead"),
                tr("Not read again"),
                tr("Ended by"),
                tr("Seed"),
            )
        )
        self._adapters: Mapping[str, str] = {}  # names by ids
        self._shown: tuple[AnswerRecord | None, MessageState | None] = (None, None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(section(tr("Last answer")))
        layout.addWidget(self._facts)

    def show_adapters(self, names: Mapping[str, str]) -> None:
        """Set the adapters' names, by their ids."""
        self._adapters = names
        self.show_answer(*self._shown)

    def show_answer(self, record: AnswerRecord | None, state: MessageState | None) -> None:
        """The last answer of the open conversation, if there is one."""
        self._shown = record, state
        if record is None:
            self._facts.show_values([""] * 8)
            return
        first, speed, tokens = record.ttft_s, record.tokens_per_s, record.completion_tokens
        seed = record.sampling.seed if record.stop_reason else None
        self._facts.show_values(
            (
                "" if first is None else tr("{seconds} s", seconds=f"{first:.2f}"),
                tr("{n} tokens/s", n=f"{speed:.1f}") if speed else "",
                self._adapter(record),
                "" if tokens is None else token_words(tokens),
                _guessed(record),
                _cached(record),
                _ended_by(record, state),
                "" if seed is None else str(seed),
            )
        )

    def _adapter(self, record: AnswerRecord) -> str:
        """The adapter that spoke, and how loud where that is not wholly."""
        if not record.adapter_id:
            return ""
        name = self._adapters.get(record.adapter_id) or tr("one that was deleted")
        scale = record.adapter_scale
        if scale is None or scale == 1:
            return name
        return tr("{adapter} at {share} %", adapter=name, share=round(100 * scale))


def _cached(record: AnswerRecord) -> str:
    """Return how much of the prompt was cached, in memory or on disk."""
    if record.cached_tokens is None or record.prompt_tokens is None:
        return ""
    cached, prompt = f"{record.cached_tokens:,}", f"{record.prompt_tokens:,}"
    return tr("{tokens} of {window} tokens", tokens=cached, window=prompt)


def _guessed(record: AnswerRecord) -> str:
    """Return how many of the guessed tokens were right, if there were any."""
    if not record.drafted:
        return ""
    right, drafted = f"{record.accepted:,}", f"{record.drafted:,}"
    return tr("{right} of {drafted} right", right=right, drafted=drafted)


def _ended_by(record: AnswerRecord, state: MessageState | None) -> str:
    if state is MessageState.STREAMING:
        return tr("still writing")
    return {
        StopReason.END: tr("the model"),
        StopReason.LENGTH: tr("the length limit"),
        StopReason.CANCELLED: tr("you"),
        None: tr("an interruption"),
    }[StopReason(record.stop_reason) if record.stop_reason else None]
