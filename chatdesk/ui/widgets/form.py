"""A form: names, and fields beside or below them."""

from collections.abc import Sequence
from dataclasses import dataclass

import shiboken6
from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from chatdesk.ui.theme import scaled, set_class
from chatdesk.ui.widgets.fields import hint

FORM_GAP = 10
_TALL_TOP = 8  # pixels above the name of a tall field
_LEAST_FIELD = 220  # pixels beside its name, with the gap between them
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class Tall(QWidget):
    """A field with something below it; its name stands beside its first line."""

    def __init__(self, first: QWidget, buttons: Sequence[QWidget], *below: QWidget) -> None:
        super().__init__()
        self.setFocusProxy(first)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(first, 1)
        for button in buttons:
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        for widget in below:
            column.addWidget(widget)


class Form(QGridLayout):
    """Names at the left, fields at the right, and below a field a line that explains it."""

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(0, 0, 0, 0)
        self.setVerticalSpacing(4)
        self.setHorizontalSpacing(14)
        self.setColumnStretch(1, 1)
        self._rows: list[_FormRow] = []
        self._aligned = 0
        self._is_stacked = False

    @property
    def names_width(self) -> int:
        """The pixels that the longest name needs."""
        return max((row.name.sizeHint().width() for row in self._rows), default=0)

    def align_names(self, width: int) -> None:
        """Give the names at least this width, where they stand beside their fields."""
        self._aligned = width
        self.setColumnMinimumWidth(0, 0 if self._is_stacked else width)

    def setGeometry(self, place: QRect) -> None:
        """Put the names above their fields where there is no room beside them."""
        super().setGeometry(place)
        if self._needs_stacking(place.width()) is not self._is_stacked:
            QTimer.singleShot(0, self._stack)  # not while Qt goes through what is in it

    def _needs_stacking(self, width: int) -> bool:
        return width < max(self._aligned, self.names_width) + scaled(_LEAST_FIELD)

    def _stack(self) -> None:
        if not shiboken6.isValid(self):
            return
        stacked = self._needs_stacking(self.geometry().width())
        if stacked is not self._is_stacked:
            self._is_stacked = stacked
            self.align_names(self._aligned)
            for at, row in enumerate(self._rows):
                for widget in filter(None, (row.name, row.field, row.note)):
                    self.removeWidget(widget)
                self._put(at, row)

    def add(self, name: str, field: QWidget, note: str = "", *, quiet: bool = False) -> None:
        """One more row; a `quiet` one has a small name."""
        field.setAccessibleName(name)
        field.setAccessibleDescription(note)
        label = QLabel(name)
        label.setBuddy(field)
        if quiet:
            set_class(label, "small")
        row = _FormRow(label, field, hint(note) if note else None)
        self._put(len(self._rows), row)
        self._rows.append(row)

    def _put(self, at: int, row: "_FormRow") -> None:
        """Place the parts of the row number `at` in four lines of the grid; the first is a gap."""
        top, stacked = 4 * at, self._is_stacked
        if at:
            self.setRowMinimumHeight(top, FORM_GAP)
        tall = isinstance(row.field, QPlainTextEdit | Tall) and not stacked
        row.name.setContentsMargins(0, _TALL_TOP if tall else 0, 0, 0)
        row.name.setWordWrap(stacked)
        first, columns = (0, 2) if stacked else (1, 1)
        line = top + 1 if stacked else top + 2
        where = Qt.AlignmentFlag.AlignTop if tall else _MIDDLE
        self.addWidget(row.name, line, 0, 1, columns, where)
        self.addWidget(row.field, top + 2, first, 1, columns)
        if row.note:
            self.addWidget(row.note, top + 3, first, 1, columns)


@dataclass(frozen=True, slots=True)
class _FormRow:
    name: QLabel
    field: QWidget
    note: QLabel | None


def align_names(parent: QWidget) -> None:
    """Let the names of all forms within take the same room."""
    forms = parent.findChildren(Form)
    width = max((form.names_width for form in forms), default=0)
    for form in forms:
        form.align_names(width)
