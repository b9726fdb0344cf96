"""The whole scorecard of a run: the gate's decision and reasons, the figures, the answers."""

from datetime import UTC, datetime

from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import AdapterRecord, AdapterState
from chatdesk.ui.personalize.adapter_card import rejected_words
from chatdesk.ui.personalize.loss_chart import LossChart
from chatdesk.ui.personalize.scorecard_view import ScorecardView
from chatdesk.ui.personalize.words import facts_words, state_words
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button, small
from chatdesk.ui.widgets.fitting import fit_dialog
from chatdesk.ui.widgets.scroll import SCROLL_BAR, scrolling
from chatdesk.ui.widgets.tag import Tag
from chatdesk.ui.widgets.wrapping import Flow

SIZE = (760, 680)


class ScorecardDialog(QDialog):
    """Shows a record that has a scorecard."""

    def __init__(self, record: AdapterRecord, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Scorecard of “{name}”", name=record.name))
        fit_dialog(self, *SIZE)
        self._scorecard = ScorecardView(theme, full=True)
        self._scorecard.show_record(record)
        self._chart = LossChart(theme)
        self._chart.show_losses(record.losses)
        self._chart.setVisible(bool(record.losses))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(_heading(record))
        layout.addWidget(self._content(record), 1)
        layout.addLayout(self._buttons())

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._scorecard.set_theme(theme)
        self._chart.set_theme(theme)

    def _content(self, record: AdapterRecord) -> QScrollArea:
        inner = QWidget()
        inner.setObjectName("page")
        column = QVBoxLayout(inner)
        column.setContentsMargins(28, 6, 28 - SCROLL_BAR, 20)
        column.setSpacing(16)
        if record.state is AdapterState.REJECTED:
            why = QLabel(rejected_words(record))
            why.setWordWrap(True)
            set_class(why, "strong")
            column.addWidget(why)
        column.addWidget(self._scorecard)
        column.addWidget(self._chart)
        column.addStretch(1)
        return scrolling(inner, tr("Scorecard"), steady=True)

    def _buttons(self) -> QHBoxLayout:
        close = plain_button(tr("Close"))
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(28, 12, 28, 18)
        buttons.addStretch(1)
        buttons.addWidget(close)
        return buttons


def _heading(record: AdapterRecord) -> QVBoxLayout:
    name = QLabel(record.name)
    set_class(name, "page-title")
    name.setWordWrap(True)
    row = Flow(10)
    row.add(name)
    row.add(Tag(*state_words(record)))
    heading = QVBoxLayout()
    heading.setContentsMargins(28, 22, 28, 10)
    heading.setSpacing(4)
    heading.addWidget(row)
    heading.addWidget(small(facts_words(record, datetime.now(UTC))))
    return heading
