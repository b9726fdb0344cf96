"""The run that is on: how far it is, its losses, and how to hold or end it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import RUNNING, AdapterRecord, AdapterState
from chatdesk.core.units import memory_words
from chatdesk.services.personalize.facts import LearningProgress
from chatdesk.ui.personalize.loss_chart import LossChart
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button, small
from chatdesk.ui.widgets.labels import LineLabel
from chatdesk.ui.words import speed_words, step_words

_STEPS = 1000  # of the progress bar


class RunCard(QFrame):
    """Asks to pause, to go on and to cancel, by the adapter's id."""

    pause_requested = Signal(str)
    resume_requested = Signal(str)
    cancel_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_class(self, "card")
        self._adapter_id = ""
        self._goes_on = True  # whether the first button pauses rather than resumes
        self._title = LineLabel(look="card-title")
        self._status = small("")
        self._pause = plain_button("")
        self._cancel = plain_button(tr("Cancel"))
        set_class(self._cancel, "ghost")
        self._pause.clicked.connect(self._hold_or_go_on)
        self._cancel.clicked.connect(lambda: self.cancel_requested.emit(self._adapter_id))
        self._chart = LossChart(theme)
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setAccessibleName(tr("Progress of learning"))
        self._build()

    def _build(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._pause)
        buttons.addWidget(self._cancel)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._status)
        column.addSpacing(4)
        column.addWidget(self._chart, 1)
        column.addStretch(0)
        column.addSpacing(4)
        column.addWidget(self._bar)
        column.addSpacing(4)
        column.addLayout(buttons)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._chart.set_theme(theme)

    def show_progress(self, name: str, progress: LearningProgress) -> None:
        """Show the progress of the run."""
        self._show(name, progress.adapter_id, goes_on=not progress.paused)
        self._status.setText(status_words(progress))
        self._chart.show_losses(progress.losses)
        self._bar.setValue(round(_STEPS * progress.share))
        for part in (self._bar, self._cancel):
            part.show()

    def show_stopped(self, record: AdapterRecord) -> None:
        """A run that was interrupted or has failed, and can go on."""
        self._show(record.name, record.id, goes_on=False)
        interrupted = tr("It was interrupted. It goes on from where it was; nothing is lost.")
        self._status.setText(record.error or interrupted)
        self._chart.show_losses(record.losses)
        for part in (self._bar, self._cancel):
            part.hide()

    def _show(self, name: str, adapter_id: str, *, goes_on: bool) -> None:
        self._adapter_id = adapter_id
        self._goes_on = goes_on
        self._title.setText(tr("Learning “{name}”", name=name))
        self._pause.setText(tr("Pause") if goes_on else tr("Go on"))
        self._pause.setAccessibleName(
            tr("Pause “{name}”", name=name) if goes_on else tr("Go on with “{name}”", name=name)
        )
        self._cancel.setAccessibleName(tr("Cancel “{name}”", name=name))

    def _hold_or_go_on(self) -> None:
        request = self.pause_requested if self._goes_on else self.resume_requested
        request.emit(self._adapter_id)


def status_words(progress: LearningProgress) -> str:
    """Return the activity of a run or the reason for its pause, and its measurements."""
    does = {
        AdapterState.PREPARING: tr("reading the examples"),
        AdapterState.MEASURING: tr("testing what was learned"),
        AdapterState.FINISHING: tr("learning what was kept aside"),
        AdapterState.CHECKING: tr("testing all of it once more"),
    }.get(progress.state, tr("learning"))
    step, steps = 1 + RUNNING.index(progress.state), len(RUNNING)
    parts = [step_words(does, step, steps, progress.seconds_left)]
    if progress.paused:
        parts.insert(0, tr("paused"))
    elif progress.waiting:
        parts.insert(0, progress.waiting)
    if progress.tokens_per_s:
        parts.append(speed_words(progress.tokens_per_s))
    if progress.rss_bytes:
        parts.append(tr("{size} of memory", size=memory_words(progress.rss_bytes)))
    return " · ".join(parts)
