"""Names, and what holds of each."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.fields import small

_LONG_WORD = 40  # characters
_GAP = 6  # pixels between a name and its value


class FactList(QWidget):
    """Names at the left, what holds of them at the right; `only_known` hides what has no value.

    Where there is no room beside the names, the values stand below them.
    """

    def __init__(self, names: Sequence[str], *, only_known: bool = False) -> None:
        super().__init__()
        self._only_known = only_known
        self._names: list[QLabel] = []
        self._values: list[QLabel] = []
        self._is_stacked = False
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setHorizontalSpacing(_GAP)
        grid.setColumnStretch(1, 1)
        for name in names:
            value = QLabel("–")
            set_class(value, "value")
            value.setAccessibleName(name)
            value.setWordWrap(True)  # a long name must not widen what it stands in
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._names.append(small(name))
            self._values.append(value)
        self._place()

    def explain(self, tips: Mapping[str, str]) -> None:
        """Give some of the names, and their values, a tool tip."""
        for name, value in self._rows:
            tip = tips.get(name.text(), "")
            name.setToolTip(tip)
            value.setToolTip(tip)
            value.setAccessibleDescription(tip)

    def show_values(self, values: Sequence[str]) -> None:
        """In the names' order; dashes for what is empty."""
        for (name, label), value in zip(self._rows, values, strict=True):
            unbreakable = max(map(len, value.split()), default=0) > _LONG_WORD
            set_class(label, "tiny" if unbreakable else "value")  # a checksum, say
            label.setText(value or "–")
            for part in (name, label):
                part.setVisible(bool(value) or not self._only_known)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the values beside or below the names."""
        super().resizeEvent(event)
        self._fit()

    @property
    def _rows(self) -> list[tuple[QLabel, QLabel]]:
        return list(zip(self._names, self._values, strict=True))

    def _fit(self) -> None:
        shown = [row for row in self._rows if not row[0].isHidden()]
        names = max((_line_width(name) for name, _ in shown), default=0)
        words = max((value.minimumSizeHint().width() for _, value in shown), default=0)
        stacked = names + _GAP + words > self.width()
        if stacked is not self._is_stacked:
            self._is_stacked = stacked
            self._place()

    def _place(self) -> None:
        stacked = self._is_stacked
        for row, (name, value) in enumerate(self._rows):
            name.setWordWrap(stacked)
            value.setAlignment(_LEFT if stacked else _RIGHT)
            self._grid.addWidget(name, 2 * row, 0, 1, 1 + stacked, _TOP)
            if stacked:
                self._grid.addWidget(value, 2 * row + 1, 0, 1, 2)
            else:
                self._grid.addWidget(value, 2 * row, 1)


_TOP = Qt.AlignmentFlag.AlignTop
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _line_width(label: QLabel) -> int:
    return label.fontMetrics().horizontalAdvance(label.text())
