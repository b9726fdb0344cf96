"""The row of a model that is being made smaller, seen on the page also without the dialog."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.quantizing import Quantizing
from chatdesk.ui.models.row import HubRow
from chatdesk.ui.models.words import shrink_words
from chatdesk.ui.widgets.fields import section

_STEPS = 1000  # of the progress bar


class ShrinkPart(QWidget):
    """Hidden while none is made. `open_requested` asks for the dialog."""

    open_requested = Signal()
    cancel_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._row: _ShrinkRow | None = None
        self.setAccessibleName(tr("Being made smaller"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(section(tr("Being made smaller").upper()))
        self.hide()

    def show_progress(self, progress: Quantizing) -> None:
        """Show how far it is; nothing once it has ended."""
        if not progress.is_running:
            if self._row:
                self._row.deleteLater()
            self._row = None
        else:
            if self._row is None:
                self._row = self._new_row(progress)
            self._row.show_progress(progress)
        self.setVisible(progress.is_running)

    def _new_row(self, progress: Quantizing) -> "_ShrinkRow":
        row = _ShrinkRow(progress)
        row.open_requested.connect(self.open_requested)
        row.cancel_requested.connect(self.cancel_requested)
        self._column.addWidget(row)
        return row


class _ShrinkRow(HubRow):
    open_requested = Signal()
    cancel_requested = Signal()
    button_width = 98

    def __init__(self, progress: Quantizing) -> None:
        super().__init__(progress.model.header.full_name, f"→ {progress.type}")
        self._bar = QProgressBar()
        self._bar.setRange(0, _STEPS)
        self._bar.setAccessibleName(tr("Progress of {name}", name=self.title.text()))
        self.left.addSpacing(3)
        self.left.addWidget(self._bar)
        self.add_button(tr("Show")).clicked.connect(self.open_requested)
        self.add_button(tr("Cancel"), "ghost").clicked.connect(self.cancel_requested)

    def show_progress(self, progress: Quantizing) -> None:
        """Show how far it is."""
        self._bar.setValue(round(_STEPS * progress.fraction))
        self.say(shrink_words(progress))
