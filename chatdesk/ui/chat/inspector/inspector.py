"""The inspector: the context, how tokens are chosen, what the last answer cost and ran on."""

from collections.abc import Mapping

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.chat import AnswerRecord, ContextUse, MessageState
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.facts import EngineStatus
from chatdesk.ui.chat.inspector.last_answer import LastAnswer
from chatdesk.ui.chat.inspector.runs_on import RunsOn
from chatdesk.ui.icons import icon
from chatdesk.ui.sampling.panel import SamplingPanel
from chatdesk.ui.shortcuts import Keys, with_keys
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.buttons import BAR_MARGINS, tool_button
from chatdesk.ui.widgets.scroll import scrolling

PROMPT_DELAY_MS = 500


class Inspector(QFrame):
    """Requests go up as whole values."""

    sampling_changed = Signal(object)
    system_prompt_changed = Signal(str)
    hide_requested = Signal()

    def __init__(self, sampling: SamplingParams, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("inspector")
        self._sampling = SamplingPanel(sampling, theme)
        self._sampling.changed.connect(self.sampling_changed)
        self._answer = LastAnswer()
        self._runs_on = RunsOn()
        self._context = QLabel()
        self._meter = QProgressBar()
        self._left_out = QLabel(tr("The oldest messages are no longer read."))
        self._prompt = QPlainTextEdit()
        self._prompt_timer = QTimer(self)
        self._prompt_timer.setSingleShot(True)
        self._prompt_timer.setInterval(PROMPT_DELAY_MS)
        self._prompt_timer.timeout.connect(self.flush)
        self._hide = tool_button(
            with_keys(tr("Hide sampling, context and statistics"), Keys.INSPECTOR)
        )
        self._hide.setCheckable(True)
        self._hide.setChecked(True)
        self._build()
        self.set_theme(theme)

    def _build(self) -> None:
        inner = QWidget()
        inner.setObjectName("page")
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(16, 4, 16, 16)
        layout.setSpacing(14)
        layout.addLayout(self._context_part())
        layout.addWidget(self._sampling)
        layout.addWidget(self._answer)
        layout.addWidget(self._runs_on)
        layout.addLayout(self._prompt_part())
        layout.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(self._header())
        outer.addWidget(scrolling(inner, tr("Conversation")))

    def _header(self) -> QHBoxLayout:
        """The title, and the button that hides all this where the one was that showed it."""
        title = QLabel(tr("Conversation"))
        set_class(title, "bar-title")
        self._hide.clicked.connect(self.hide_requested)
        row = QHBoxLayout()
        row.setContentsMargins(16, *BAR_MARGINS)
        row.addWidget(title, 1)
        row.addWidget(self._hide)
        return row

    def _context_part(self) -> QVBoxLayout:
        name = QLabel(tr("Context"))
        set_class(name, "small")
        set_class(self._context, "value")
        set_class(self._left_out, "small")
        self._left_out.setWordWrap(True)
        self._left_out.hide()
        self._meter.setAccessibleName(tr("How full the context window is"))
        self._meter.setTextVisible(False)
        row = QHBoxLayout()
        row.addWidget(name, 1)
        row.addWidget(self._context)
        part = QVBoxLayout()
        part.setSpacing(5)
        part.addLayout(row)
        part.addWidget(self._meter)
        part.addWidget(self._left_out)
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

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._sampling.set_theme(theme)
        self._hide.setIcon(icon("inspector", theme.text))

    def flush(self) -> None:
        """Tell now what is being typed, rather than after a pause."""
        self._sampling.flush()
        if self._prompt_timer.isActive() or self.sender() is self._prompt_timer:
            self._prompt_timer.stop()
            self.system_prompt_changed.emit(self._prompt.toPlainText())

    def show_sampling(self, sampling: SamplingParams) -> None:
        """Show the sampling parameters of the next answers."""
        self._sampling.show_sampling(sampling)

    def show_system_prompt(self, text: str) -> None:
        """The open conversation's system prompt, or the one of the next new chat."""
        self._prompt_timer.stop()
        if text != self._prompt.toPlainText():
            self._prompt.blockSignals(True)
            self._prompt.setPlainText(text)
            self._prompt.blockSignals(False)

    def show_context(self, use: ContextUse | None) -> None:
        """The context meter, and whether messages have left the model's view."""
        if use is None:
            self._context.setText("–")
            self._meter.reset()
            self._left_out.hide()
            return
        self._context.setText(
            tr("{tokens} of {window} tokens", tokens=f"{use.tokens:,}", window=f"{use.window:,}")
        )
        self._meter.setRange(0, max(1, use.window))
        self._meter.setValue(min(use.tokens, use.window))
        self._left_out.setVisible(use.view_after is not None)

    def show_adapters(self, names: Mapping[str, str]) -> None:
        """Set the adapters' names, by their ids."""
        self._answer.show_adapters(names)

    def show_engine(self, status: EngineStatus) -> None:
        """Show the devices of the model."""
        self._runs_on.show_engine(status)

    def show_answer(self, record: AnswerRecord | None, state: MessageState | None) -> None:
        """Show the cost of the last answer; dashes for missing values."""
        self._answer.show_answer(record, state)
