"""The inspector: the context, how the model answers, what this answer cost and ran on."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from chatdesk.core.chat import AnswerRecord, ContextUse, MessageState
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import Preset, SamplingParams
from chatdesk.services.engine.facts import EngineStatus
from chatdesk.ui.chat.inspector.context_meter import ContextMeter
from chatdesk.ui.chat.inspector.last_answer import LastAnswer
from chatdesk.ui.chat.inspector.runs_on import RunsOn
from chatdesk.ui.icons import icon
from chatdesk.ui.sampling.panel import SamplingPanel
from chatdesk.ui.shortcuts import Keys, with_keys
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.buttons import BAR_MARGINS, PictureButton
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.fields import section
from chatdesk.ui.widgets.prompt_field import PromptField
from chatdesk.ui.widgets.scroll import scrolling


class Inspector(QFrame):
    """Requests go up as whole values; `left` asks for the focus to go on in the composer."""

    sampling_changed = Signal(object)
    presets_changed = Signal(object)
    system_prompt_changed = Signal(str)
    hide_requested = Signal()
    left = Signal()

    def __init__(self, sampling: SamplingParams, theme: Theme, enter: EnterRule) -> None:
        super().__init__()
        self.setObjectName("inspector")
        self._sampling = SamplingPanel(sampling, theme)
        self._sampling.changed.connect(self.sampling_changed)
        self._sampling.presets_changed.connect(self.presets_changed)
        self._prompt = PromptField(enter)
        self._prompt.changed.connect(self.system_prompt_changed)
        self._prompt.left.connect(self.left)
        self._context = ContextMeter()
        self._answer = LastAnswer()
        self._runs_on = RunsOn(theme)
        self._hide = PictureButton(
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
        layout.setSpacing(18)
        prompt = QVBoxLayout()
        prompt.setSpacing(6)
        prompt.addWidget(section(tr("System prompt")))
        prompt.addWidget(self._prompt)
        layout.addWidget(self._context)
        layout.addLayout(prompt)
        for part in (self._sampling, self._answer, self._runs_on):
            layout.addWidget(part)
        layout.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(self._header())
        outer.addWidget(scrolling(inner, tr("This chat")))

    def _header(self) -> QHBoxLayout:
        """The title, and the button that hides all this where the one was that showed it."""
        title = QLabel(tr("This chat"))
        set_class(title, "bar-title")
        self._hide.clicked.connect(self.hide_requested)
        row = QHBoxLayout()
        row.setContentsMargins(16, *BAR_MARGINS)
        row.addWidget(title, 1)
        row.addWidget(self._hide)
        return row

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._sampling.set_theme(theme)
        self._runs_on.set_theme(theme)
        self._hide.setIcon(icon("inspector", theme.text))

    def flush(self) -> None:
        """Tell now what is being typed, rather than after a pause."""
        self._sampling.flush()
        self._prompt.flush()

    def show_sampling(self, sampling: SamplingParams) -> None:
        """Show the sampling parameters of the next answers."""
        self._sampling.show_sampling(sampling)

    def show_presets(self, presets: Sequence[Preset]) -> None:
        """Offer the person's own presets."""
        self._sampling.show_presets(presets)

    def show_system_prompt(self, text: str) -> None:
        """The open conversation's system prompt, or the one of the next new chat."""
        self._prompt.show_text(text)

    def show_context(self, use: ContextUse | None) -> None:
        """The context meter, and whether messages have left the model's view."""
        self._context.show_context(use)

    def show_adapters(self, names: Mapping[str, str]) -> None:
        """Set the adapters' names, by their ids."""
        self._answer.show_adapters(names)

    def show_engine(self, status: EngineStatus) -> None:
        """Show the devices of the model."""
        self._runs_on.show_engine(status)

    def show_answer(self, record: AnswerRecord | None, state: MessageState | None) -> None:
        """Show the figures of the last answer, as far as they are known."""
        self._answer.show_answer(record, state)
