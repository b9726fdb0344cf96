"""The figures of the last answer, and of one that is being written."""

from collections.abc import Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.chat import AnswerRecord, MessageState, StopReason
from chatdesk.core.i18n import tr
from chatdesk.ui.widgets.fact_list import FactList
from chatdesk.ui.widgets.fields import section
from chatdesk.ui.words import token_words


class LastAnswer(QWidget):
    """Only measured figures; hidden while there is no answer."""

    def __init__(self) -> None:
        super().__init__()
        names = (
            tr("First word after"),
            tr("Speed"),
            tr("Length"),
            tr("From memory"),
            tr("Adapter"),
            tr("Guessed ahead"),
            tr("Ended by"),
            tr("Seed"),
        )
        self._facts = FactList(names, only_known=True)
        self._facts.explain(_tips())
        self._adapters: Mapping[str, str] = {}  # names by ids
        self._shown: tuple[AnswerRecord | None, MessageState | None] = (None, None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(section(tr("This answer")))
        layout.addWidget(self._facts)
        self.hide()

    def show_adapters(self, names: Mapping[str, str]) -> None:
        """Set the adapters' names, by their ids."""
        self._adapters = names
        self.show_answer(*self._shown)

    def show_answer(self, record: AnswerRecord | None, state: MessageState | None) -> None:
        """The last answer of the open conversation, if there is one."""
        self._shown = record, state
        self.setVisible(record is not None)
        if record is None:
            return
        first, speed, tokens = record.ttft_s, record.tokens_per_s, record.completion_tokens
        seed = record.sampling.seed if record.stop_reason else None
        self._facts.show_values(
            (
                "" if first is None else tr("{seconds} s", seconds=f"{first:.2f}"),
                tr("{n} tokens/s", n=f"{speed:.1f}") if speed else "",
                "" if tokens is None else token_words(tokens),
                _cached(record),
                self._adapter(record),
                _guessed(record),
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


def _tips() -> dict[str, str]:
    """What the figures mean, by their names."""
    return {
        tr("First word after"): tr("How long the model read before it began to write."),
        tr("Speed"): tr("How fast it writes. A token is about three quarters of a word."),
        tr("From memory"): tr(
            "How much of the chat the model still knew, and did not have to read again."
        ),
        tr("Guessed ahead"): tr(
            "Tokens that were guessed in advance. The right ones make the answer faster."
        ),
        tr("Seed"): tr("The same seed, model and settings give the same answer once more."),
    }


def _cached(record: AnswerRecord) -> str:
    """Return how much of the prompt need not be read again."""
    if not record.cached_tokens or record.prompt_tokens is None:
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
