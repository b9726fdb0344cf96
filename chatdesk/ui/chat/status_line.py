"""The line below the composer: what is loaded, on which device, how fast, how full."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from chatdesk.core.chat import AnswerRecord, ContextUse
from chatdesk.core.i18n import tr, trn
from chatdesk.core.loading import ModelLoaded
from chatdesk.services.engine.facts import EngineState, EngineStatus
from chatdesk.ui.theme import set_class

_GAP = "     "


class StatusLine(QLabel):
    """Words only; only measured figures. Where it is narrow, the last of them are left out."""

    def __init__(self) -> None:
        super().__init__()
        set_class(self, "tiny")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName(tr("Status"))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._status = EngineStatus(EngineState.LOADING)
        self._tokens_per_s: float | None = None
        self._context: ContextUse | None = None
        self._shared = False
        self._promises = True
        self._shown: tuple[list[str], int, int] | None = None  # words, their room, their height
        self._show()

    def show_engine(self, status: EngineStatus) -> None:
        """Show the state of the engine."""
        if status.model != self._status.model:
            self._tokens_per_s = self._context = None
        self._status = status
        self._show()

    def show_figures(self, record: AnswerRecord | None) -> None:
        """Show the speed of the open chat's last answer, or of the one that is being written."""
        self._tokens_per_s = record.tokens_per_s if record else None
        self._show()

    def show_context(self, use: ContextUse | None) -> None:
        """Show how much of the context window the open conversation uses."""
        self._context = use
        self._show()

    def show_shared(self, *, shared: bool) -> None:
        """Show if other computers lend their devices."""
        self._shared = shared
        self._show()

    def show_promise(self, shown: bool) -> None:
        """Say that everything stays here, or no longer: once on a screen is enough."""
        self._promises = shown
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say as much as there is room for."""
        super().resizeEvent(event)
        self._show()

    def _show(self) -> None:
        parts = [_engine_words(self._status)]
        if self._status.state is EngineState.READY:
            if self._tokens_per_s:
                parts.append(tr("{n} tokens/s", n=f"{self._tokens_per_s:.1f}"))
            if use := self._context:
                parts.append(_context_words(use))
        if self._promises:
            parts.append(
                tr("everything stays on your own computers")
                if self._shared
                else tr("everything stays on this computer")
            )
        measure = self.fontMetrics()
        shown = (list(parts), self.width(), measure.height())
        if self._shown == shown:
            return  # figures come several times a second, and are mostly the same
        self._shown = shown
        self.setToolTip("\n".join(parts))  # also what there is no room for
        while len(parts) > 1 and measure.horizontalAdvance(_GAP.join(parts)) > self.width():
            parts.pop()
        words = _GAP.join(parts)
        self.setText(measure.elidedText(words, Qt.TextElideMode.ElideRight, self.width()))


def _context_words(use: ContextUse) -> str:
    if use.view_after or use.tokens >= use.window:
        return tr("context full")
    return tr("context {share} %", share=round(100 * use.tokens / use.window))


def _engine_words(status: EngineStatus) -> str:
    name = status.model.header.name if status.model else ""
    match status.state:
        case EngineState.OFF:
            return tr("no model")
        case EngineState.LOADING if status.model is None:
            return tr("starting")
        case EngineState.FAILED if status.model is None:
            return tr("not started")
        case EngineState.LOADING:
            return tr("loading {model}, {share} %", model=name, share=round(100 * status.fraction))
        case EngineState.FAILED:
            return tr("{model} is not running", model=name)
        case EngineState.ASLEEP:
            return tr("{model} is unloaded; your next message loads it again", model=name)
        case EngineState.READY:
            assert status.loaded
            return _device_words(status.loaded)


def _device_words(loaded: ModelLoaded) -> str:
    if loaded.gpu_layers:
        return tr(
            "{device} · {n} of {layers} layers",
            device=loaded.device,
            n=loaded.gpu_layers,
            layers=loaded.layers,
        )
    return trn("CPU · {n} thread", "CPU · {n} threads", loaded.threads)
