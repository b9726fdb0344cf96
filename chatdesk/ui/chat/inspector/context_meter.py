"""How full the context window is."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from chatdesk.core.chat import ContextUse
from chatdesk.core.i18n import tr
from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.fields import small


class ContextMeter(QWidget):
    """Figures, a bar, and a line when the beginning of the chat is no longer read."""

    def __init__(self) -> None:
        super().__init__()
        self._figures = QLabel("–")
        self._meter = QProgressBar()
        self._left_out = small(tr("The model no longer reads the beginning."))
        self._left_out.hide()
        set_class(self._figures, "value")
        self._meter.setAccessibleName(tr("How full the context window is"))
        self._meter.setTextVisible(False)
        name = QLabel(tr("Context"))
        set_class(name, "small")
        row = QHBoxLayout()
        row.addWidget(name, 1)
        row.addWidget(self._figures)
        part = QVBoxLayout(self)
        part.setContentsMargins(0, 0, 0, 0)
        part.setSpacing(5)
        part.addLayout(row)
        part.addWidget(self._meter)
        part.addWidget(self._left_out)

    def show_context(self, use: ContextUse | None) -> None:
        """Show what is used; a dash until it is measured."""
        if use is None:
            self._figures.setText("–")
            self._meter.reset()
            self._left_out.hide()
            return
        self._figures.setText(
            tr("{tokens} of {window} tokens", tokens=f"{use.tokens:,}", window=f"{use.window:,}")
        )
        self._meter.setRange(0, max(1, use.window))
        self._meter.setValue(min(use.tokens, use.window))
        self._left_out.setVisible(use.view_after is not None)
