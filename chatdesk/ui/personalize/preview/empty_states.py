"""The preview without examples: they are being read, or there are none."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import scaled, set_class
from chatdesk.ui.widgets.fields import plain_button, small

WIDTH = 460
_BAR_WIDTH = 240


class Waiting(QWidget):
    """The examples are being read, or could not be; `again_requested` asks to try again."""

    again_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._words = QLabel()
        self._words.setWordWrap(True)
        set_class(self._words, "muted")
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setFixedWidth(_BAR_WIDTH)
        self._again = plain_button(tr("Try again"))
        self._again.clicked.connect(self.again_requested)
        column = _centred(self, [self._words])
        for widget in (self._bar, self._again):
            column.insertWidget(column.count() - 1, widget, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_reading(self) -> None:
        """Show that they are being read."""
        self._show(tr("Reading what may be learned from…"), failed=False)

    def show_failure(self, words: str) -> None:
        """Show that they could not be read."""
        self._show(words, failed=True)

    def _show(self, words: str, *, failed: bool) -> None:
        self._words.setText(words)
        self._bar.setAccessibleName(words)
        self._bar.setVisible(not failed)
        self._again.setVisible(failed)


class Nothing(QWidget):
    """There is nothing to learn from, and how to change that."""

    def __init__(self) -> None:
        super().__init__()
        title = QLabel(tr("There is nothing to learn from yet"))
        set_class(title, "card-title")
        line = small(
            tr(
                "Give a thumbs up to answers you like, or write a better one in their "
                "place. You can also add a chat file, or let it learn from more in the "
                "settings."
            )
        )
        _centred(self, [title, line])


def _centred(part: QWidget, labels: list[QLabel]) -> QVBoxLayout:
    """Put labels into the middle of a part; return their column, which ends in a stretch."""
    column = QVBoxLayout()
    column.setSpacing(10)
    column.addStretch(1)
    for label in labels:
        label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        label.setMaximumWidth(scaled(WIDTH))
        column.addWidget(label)
    column.addStretch(1)
    row = QHBoxLayout(part)
    row.addStretch(1)
    row.addLayout(column, 1000)  # all there is, up to the largest width
    row.addStretch(1)
    return column
