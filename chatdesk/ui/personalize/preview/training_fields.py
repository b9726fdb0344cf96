"""The settings of a run by hand: its name, rank, epochs and seed."""

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import TrainingConfig
from chatdesk.ui.widgets.fields import WholeNumber, small
from chatdesk.ui.widgets.wrapping import Columns

MOST_RANK = 256
MOST_EPOCHS = 50
MOST_SEED = 2**31 - 1
_LEAST_FIELD = 120  # pixels


class TrainingFields(Columns):
    """Four fields beside each other; `changed` is emitted when the training time changes."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__(_LEAST_FIELD, 16)
        automatic = tr("automatic")
        self._name = QLineEdit()
        self._name.setPlaceholderText(automatic)
        self._rank = WholeNumber(0, MOST_RANK, 0, automatic)
        self._name.setMinimumHeight(self._rank.sizeHint().height())
        self._epochs = WholeNumber(0, MOST_EPOCHS, 0, automatic)
        self._epochs.valueChanged.connect(lambda _: self.changed.emit())
        self._seed = WholeNumber(0, MOST_SEED, 0)
        for name, field, note in (
            (tr("Name"), self._name, tr("What the adapter is called.")),
            (tr("Rank"), self._rank, tr("How much the adapter can hold.")),
            (
                tr("Epochs"),
                self._epochs,
                tr("How many times it goes through all examples, at most."),
            ),
            (tr("Seed"), self._seed, tr("The same seed repeats a run.")),
        ):
            self.add(_explained(name, field, note))

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


def _explained(name: str, field: QWidget, note: str) -> QWidget:
    """Return a field with its name above it, and a line below it that explains it."""
    field.setAccessibleName(name)
    field.setAccessibleDescription(note)
    label = QLabel(name)
    label.setBuddy(field)
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    for part in (label, field, small(note)):
        column.addWidget(part)
    column.addStretch(1)
    return whole
