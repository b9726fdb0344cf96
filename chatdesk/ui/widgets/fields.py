"""The fields that dialogs and panels are made of."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtGui import (
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QListView,
    QPushButton,
    QSpinBox,
    QWidget,
)

from chatdesk.ui.icons import icon, icon_size, show_icon
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.check_box import CheckBox

_SHRINKABLE = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


class Choice(QComboBox):
    """One of some values. It has the app's own chevron; a style sheet could not recolour it."""

    def __init__(self, options: Mapping[Any, str], current: object, theme: Theme) -> None:
        super().__init__()
        self._values = list(options)
        self.setSizeAdjustPolicy(_SHRINKABLE)
        self.setView(QListView())  # the style sheet reaches its rows, not those of Qt's own
        for label in options.values():
            self.addItem(label)
        self.choose(current)
        self.set_theme(theme)

    @property
    def value(self) -> Any:
        """The choice; None without one."""
        at = self.currentIndex()
        return self._values[at] if at >= 0 else None

    def choose(self, value: object) -> None:
        """Show a value; one that there is not shows nothing."""
        self.setCurrentIndex(self._values.index(value) if value in self._values else -1)

    def set_options(self, options: Mapping[Any, str]) -> None:
        """Offer other values; none is chosen then."""
        self.clear()
        self._values = list(options)
        self.addItems(list(options.values()))
        self.setCurrentIndex(-1)

    def offer(self, value: object, label: str) -> None:
        """One more value to choose, if it is not there yet."""
        if value not in self._values:
            self._values.append(value)
            self.addItem(label)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._chevron = icon("chevron-down", theme.muted)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, then the chevron."""
        super().paintEvent(event)
        size = icon_size().width()
        left, top = self.width() - size - 10, (self.height() - size) // 2
        self._chevron.paint(QPainter(self), left, top, size, size)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the page; a value that changed in passing would go unseen."""
        event.ignore()


class WholeNumber(QSpinBox):
    """A whole number that is typed; `automatic` is what the lowest one means, if anything."""

    def __init__(self, low: int, high: int, value: int, automatic: str = "") -> None:
        super().__init__()
        self.setRange(low, high)
        self.setValue(value)
        _as_typed(self, automatic)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the page."""
        event.ignore()


class Decimal(QDoubleSpinBox):
    """A number that is typed; `automatic` is what the lowest one means, if anything."""

    def __init__(
        self, low: float, high: float, value: float, automatic: str = "", *, digits: int = 0
    ) -> None:
        super().__init__()
        self.setDecimals(digits)
        self.setRange(low, high)
        self.setValue(value)
        _as_typed(self, automatic)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the page."""
        event.ignore()


def _as_typed(field: QSpinBox | QDoubleSpinBox, automatic: str) -> None:
    field.lineEdit().setTextMargins(10, 0, 10, 0)  # a style sheet cannot
    field.setKeyboardTracking(False)  # emitted when it is complete
    field.setGroupSeparatorShown(True)
    field.setSpecialValueText(automatic)


class Fold(QPushButton):
    """A line that shows or hides the part below it when pressed; it emits `toggled`."""

    def __init__(self, words: str, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        set_class(self, "fold")
        self.setCheckable(True)
        self.setText(words)
        self.setAccessibleName(words)
        self.setAutoDefault(False)
        self.toggled.connect(lambda _: self.set_theme(self._theme))
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        name = "chevron-down" if self.isChecked() else "chevron-right"
        show_icon(self, name, theme.muted)


def small(words: str) -> QLabel:
    """A line that explains."""
    label = QLabel(words)
    label.setWordWrap(True)
    set_class(label, "small")
    return label


def hint(words: str) -> QLabel:
    """A line below a field, in the quietest words."""
    label = small(words)
    set_class(label, "tiny")
    return label


def recolour(parent: QWidget, theme: Theme) -> None:
    """Give every field within other colours."""
    for field in parent.findChildren(QWidget):
        if isinstance(field, Choice | CheckBox | Fold):
            field.set_theme(theme)


def section(words: str) -> QLabel:
    """A small heading."""
    label = QLabel(words)
    set_class(label, "section")
    return label


def plain_button(words: str, name: str = "") -> QPushButton:
    """A button that Enter in a field does not press."""
    button = QPushButton(words)
    button.setAutoDefault(False)
    button.setAccessibleName(name or words)
    return button
