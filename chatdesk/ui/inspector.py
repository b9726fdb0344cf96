"""The inspector: how full the context is, how tokens are chosen, and what the last answer cost."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.chat import AnswerRecord, MessageState
from chatdesk.core.generation import SamplingParams, StopReason
from chatdesk.core.i18n import tr, trn
from chatdesk.ui.theme import set_class

WIDTH = 275
PROMPT_DELAY_MS = 500


@dataclass(frozen=True, slots=True)
class _Knob:
    """A slider over one field of the sampling parameters; a step of the slider is `step`."""

    field: str
    name: str
    hint: str
    low: float
    high: float
    step: float

    def shown(self, value: float) -> str:
        return f"{value:.2f}" if self.step < 1 else f"{value:.0f}"


def _knobs() -> tuple[_Knob, ...]:
    return (
        _Knob(
            "temperature", tr("Temperature"), tr("0 always takes the likeliest word."), 0, 2, 0.05
        ),
        _Knob("top_k", tr("Top-k"), tr("How many words are considered; 0 is all."), 0, 100, 1),
        _Knob(
            "top_p", tr("Top-p"), tr("The share of likelihood considered; 1 is all."), 0, 1, 0.01
        ),
        _Knob(
            "min_p", tr("Min-p"), tr("Drops words much less likely than the best."), 0, 0.5, 0.01
        ),
        _Knob(
            "repeat_penalty",
            tr("Repetition penalty"),
            tr("1 is off; more avoids repeats."),
            1,
            1.5,
            0.01,
        ),
    )


class _Slider(QWidget):
    """A name, a value and a slider; tells the new value when the user moves it."""

    moved = Signal(float)

    def __init__(self, knob: _Knob) -> None:
        super().__init__()
        self._knob = knob
        self._value = QLabel()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(round(knob.low / knob.step), round(knob.high / knob.step))
        self._slider.setAccessibleName(knob.name)
        self._slider.setAccessibleDescription(knob.hint)
        self._slider.valueChanged.connect(self._on_moved)
        self.setToolTip(knob.hint)
        name = QLabel(knob.name)
        set_class(name, "small")
        set_class(self._value, "value")
        row = QHBoxLayout()
        row.addWidget(name, 1)
        row.addWidget(self._value)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self._slider)

    def show_value(self, value: float) -> None:
        """Show a value without telling it back."""
        self._slider.blockSignals(True)
        self._slider.setValue(round(value / self._knob.step))
        self._slider.blockSignals(False)
        self._value.setText(self._knob.shown(value))

    def _on_moved(self, position: int) -> None:
        value = position * self._knob.step
        self._value.setText(self._knob.shown(value))
        self.moved.emit(value)


class Inspector(QFrame):
    """Requests go up as whole values."""

    sampling_changed = Signal(object)
    system_prompt_changed = Signal(str)

    def __init__(self, sampling: SamplingParams) -> None:
        super().__init__()
        self.setObjectName("inspector")
        self.setFixedWidth(WIDTH)
        self._sampling = sampling
        self._context = QLabel()
        self._meter = QProgressBar()
        self._reused = QLabel()
        self._facts: dict[str, QLabel] = {}
        self._prompt = QPlainTextEdit()
        self._prompt_timer = QTimer(self)
        self._prompt_timer.setSingleShot(True)
        self._prompt_timer.setInterval(PROMPT_DELAY_MS)
        self._prompt_timer.timeout.connect(self.flush)
        self._build()

    def _build(self) -> None:
        inner = QWidget()
        inner.setObjectName("page")
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(16, 14, 16, 16)
        layout.setSpacing(14)
        title = QLabel(tr("Conversation"))
        set_class(title, "bar-title")
        layout.addWidget(title)
        layout.addLayout(self._context_part())
        for knob in _knobs():
            slider = _Slider(knob)
            slider.show_value(getattr(self._sampling, knob.field))
            slider.moved.connect(self._changer(knob))
            layout.addWidget(slider)
        layout.addLayout(self._answer_part())
        layout.addLayout(self._prompt_part())
        layout.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def _context_part(self) -> QVBoxLayout:
        name = QLabel(tr("Context"))
        set_class(name, "small")
        set_class(self._context, "value")
        set_class(self._reused, "small")
        self._meter.setAccessibleName(tr("How full the context window is"))
        self._meter.setTextVisible(False)
        row = QHBoxLayout()
        row.addWidget(name, 1)
        row.addWidget(self._context)
        part = QVBoxLayout()
        part.setSpacing(5)
        part.addLayout(row)
        part.addWidget(self._meter)
        part.addWidget(self._reused)
        return part

    def _answer_part(self) -> QVBoxLayout:
        heading = QLabel(tr("Last answer"))
        set_class(heading, "section")
        part = QVBoxLayout()
        part.setSpacing(4)
        part.addWidget(heading)
        for name in (tr("First token"), tr("Speed"), tr("Length"), tr("Ended by"), tr("Seed")):
            label, value = QLabel(name), QLabel("–")
            set_class(label, "small")
            set_class(value, "value")
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._facts[name] = value
            row = QHBoxLayout()
            row.addWidget(label, 1)
            row.addWidget(value)
            part.addLayout(row)
        return part

    def _prompt_part(self) -> QVBoxLayout:
        heading = QLabel(tr("System prompt"))
        set_class(heading, "section")
        set_class(self._prompt, "field")
        self._prompt.setAccessibleName(tr("System prompt"))
        self._prompt.setPlaceholderText(tr("How the assistant should be, in your words."))
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(96)
        self._prompt.textChanged.connect(self._prompt_timer.start)
        part = QVBoxLayout()
        part.setSpacing(6)
        part.addWidget(heading)
        part.addWidget(self._prompt)
        return part

    def _changer(self, knob: _Knob) -> Callable[[float], None]:
        def change(value: float) -> None:
            kind = type(getattr(self._sampling, knob.field))
            changed = {knob.field: kind(round(value, 4))}
            self._sampling = replace(self._sampling, **changed)
            self.sampling_changed.emit(self._sampling)

        return change

    def flush(self) -> None:
        """Tell a changed system prompt now rather than after a pause in typing."""
        if self._prompt_timer.isActive() or self.sender() is self._prompt_timer:
            self._prompt_timer.stop()
            self.system_prompt_changed.emit(self._prompt.toPlainText())

    def show_system_prompt(self, text: str) -> None:
        """The open conversation's system prompt, or the one of the next new chat."""
        self._prompt_timer.stop()
        if text != self._prompt.toPlainText():
            self._prompt.blockSignals(True)
            self._prompt.setPlainText(text)
            self._prompt.blockSignals(False)

    def show_context(self, tokens: int, window: int) -> None:
        """The context meter, in tokens."""
        self._context.setText(
            tr("{tokens} of {window} tokens", tokens=f"{tokens:,}", window=f"{window:,}")
        )
        self._meter.setRange(0, max(1, window))
        self._meter.setValue(min(tokens, window))

    def show_answer(self, record: AnswerRecord | None, state: MessageState | None) -> None:
        """What the last answer cost; dashes for what was not measured."""
        values = iter(self._facts.values())
        ttft, speed, length, stopped, seed = values
        first = record.ttft_s if record else None
        ttft.setText("–" if first is None else tr("{seconds} s", seconds=f"{first:.2f}"))
        tps = record.tokens_per_s if record else None
        speed.setText(tr("{n} tokens/s", n=f"{tps:.1f}") if tps else "–")
        tokens = record.completion_tokens if record else None
        length.setText("–" if tokens is None else trn("{n} token", "{n} tokens", tokens))
        stopped.setText(_stopped_by(record, state))
        drawn = record.sampling.seed if record and record.stop_reason else None
        seed.setText("–" if drawn is None else str(drawn))
        cached = record.cached_tokens if record else None
        self._reused.setVisible(bool(cached))
        self._reused.setText(
            trn(
                "{n} token did not have to be read again",
                "{n} tokens did not have to be read again",
                cached or 0,
            )
        )


def _stopped_by(record: AnswerRecord | None, state: MessageState | None) -> str:
    if record is None:
        return "–"
    if state is MessageState.STREAMING:
        return tr("still writing")
    return {
        StopReason.END: tr("the model"),
        StopReason.LENGTH: tr("the length limit"),
        StopReason.CANCELLED: tr("you"),
        None: tr("an interruption"),
    }[StopReason(record.stop_reason) if record.stop_reason else None]
