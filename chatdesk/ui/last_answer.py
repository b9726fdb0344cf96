"""What the last answer cost."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.chat import AnswerRecord, MessageState
from chatdesk.core.generation import StopReason
from chatdesk.core.i18n import tr, trn
from chatdesk.ui.fields import FactList, section


class LastAnswer(QWidget):
    """Measured figures; dashes for what was not measured."""

    def __init__(self) -> None:
        super().__init__()
        self._facts = FactList(
            (
                tr("First token"),
                tr("Speed"),
                tr("Length"),
                tr("Not read again"),
                tr("Ended by"),
                tr("Seed"),
            )
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(section(tr("Last answer")))
        layout.addWidget(self._facts)

    def show_answer(self, record: AnswerRecord | None, state: MessageState | None) -> None:
        """The last answer of the open conversation, if there is one."""
        if record is None:
            self._facts.show_values([""] * 6)
            return
        first, speed, tokens = record.ttft_s, record.tokens_per_s, record.completion_tokens
        seed = record.sampling.seed if record.stop_reason else None
        self._facts.show_values(
            (
                "" if first is None else tr("{seconds} s", seconds=f"{first:.2f}"),
                tr("{n} tokens/s", n=f"{speed:.1f}") if speed else "",
                "" if tokens is None else trn("{n} token", "{n} tokens", tokens),
                _cached(record),
                _ended_by(record, state),
                "" if seed is None else str(seed),
            )
        )


def _cached(record: AnswerRecord) -> str:
    """How much of the prompt was there already, in memory or on disk."""
    if record.cached_tokens is None or record.prompt_tokens is None:
        return ""
    cached, prompt = f"{record.cached_tokens:,}", f"{record.prompt_tokens:,}"
    return tr("{tokens} of {window} tokens", tokens=cached, window=prompt)


def _ended_by(record: AnswerRecord, state: MessageState | None) -> str:
    if state is MessageState.STREAMING:
        return tr("still writing")
    return {
        StopReason.END: tr("the model"),
        StopReason.LENGTH: tr("the length limit"),
        StopReason.CANCELLED: tr("you"),
        None: tr("an interruption"),
    }[StopReason(record.stop_reason) if record.stop_reason else None]
