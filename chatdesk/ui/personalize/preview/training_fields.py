"""The settings of a run by hand: its name, rank, epochs and seed."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import TrainingConfig
from chatdesk.ui.widgets.fields import WholeNumber, small

MOST_RANK = 256
MOST_EPOCHS = 50
MOST_SEED = 2**31 - 1


class TrainingFields(QWidget):
    """Four fields beside each other; `changed` is emitted when the training time changes."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        automatic = tr("automatic")
        self._name = QLineEdit()
        self._name.setPlaceholderText(automatic)
        self._rank = WholeNumber(0, MOST_RANK, 0, automatic)
        self._name.setMinimumHeight(self._rank.sizeHint().height())
        self._epochs = WholeNumber(0, MOST_EPOCHS, 0, automatic)
        self._epochs.valueChanged.connect(lambda _: self.changed.emit())
        self._seed = WholeNumber(0, MOST_SEED, 0)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 4)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        for column, (name, field, note) in enumerate(
            (
                (tr("Name"), self._name, tr("What the adapter is called.")),
                (tr("Rank"), self._rank, tr("How much the adapter can hold.")),
                (
                    tr("Epochs"),
                    self._epochs,
                    tr("How many times it goes through all examples, at most."),
                ),
                (tr("Seed"), self._seed, tr("The same seed repeats a run.")),
            )
        ):
            field.setAccessibleName(name)
            field.setAccessibleDescription(note)
            label = QLabel(name)
            label.setBuddy(field)
            for row, widget in enumerate((label, field, small(note))):
                grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(column, 1)

    @property
    def name(self) -> str:
        """The adapter's name, "" if the app chooses it."""
        return self._name.text().strip()

    @property
    def config(self) -> TrainingConfig:
        """The training configuration."""
        return replace(
            TrainingConfig(),
            rank=self._rank.value(),
            epochs=self._epochs.value(),
            seed=self._seed.value(),
        )
