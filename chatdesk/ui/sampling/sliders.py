"""Sliders over numbers of the sampling parameters."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from chatdesk.core.sampling import NUMBERS, SamplerGroup, SamplerNumber, SamplingParams, Slider
from chatdesk.ui.theme import set_class


@dataclass(frozen=True, slots=True)
class SliderField:
    """A parameter and its slider."""

    number: SamplerNumber
    slider: Slider

    def shown(self, value: float) -> str:
        """The value in words."""
        return f"{value:.2f}" if self.slider.step < 1 else f"{value:.0f}"


def slider_fields_of(group: SamplerGroup) -> dict[str, tuple[SliderField, ...]]:
    """The sliders of a group by the field that must be on for them, "" for those always shown."""
    found: dict[str, tuple[SliderField, ...]] = {}
    for each in NUMBERS:
        if (slider := each.slider) and slider.group is group:
            found[slider.needs] = (*found.get(slider.needs, ()), SliderField(each, slider))
    return found


class ParameterSlider(QWidget):
    """A name, a value, a slider and what it does; emits the new value when the user moves it."""

    moved = Signal(float)

    def __init__(self, field: SliderField) -> None:
        super().__init__()
        self._field = field
        self._value = QLabel()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._step = field.slider.step
        self._slider.setRange(
            round(field.slider.low / self._step), round(field.slider.high / self._step)
        )
        words, hint = field.slider.words()
        self._slider.setAccessibleName(words)
        self._slider.setAccessibleDescription(hint)
        self._slider.valueChanged.connect(self._on_moved)
        name, explained = QLabel(words), _Hint(hint)
        set_class(name, "small")
        set_class(self._value, "value")
        row = QHBoxLayout()
        row.addWidget(name, 1)
        row.addWidget(self._value)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self._slider)
        layout.addWidget(explained)

    def show_value(self, value: float) -> None:
        """Show a value without emitting it."""
        self._slider.blockSignals(True)
        self._slider.setValue(round(value / self._step))
        self._slider.blockSignals(False)
        self._value.setText(self._field.shown(value))

    def _on_moved(self, position: int) -> None:
        value = position * self._step
        self._value.setText(self._field.shown(value))
        self.moved.emit(value)


class _Hint(QLabel):
    """A line that explains; as high as it needs to be, however deep it is nested in layouts."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.setWordWrap(True)
        set_class(self, "tiny")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width means another number of lines."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """So does another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(self.heightForWidth(self.width()))


class ParameterSliders(QWidget):
    """Some sliders in a column. `turned` carries a field's name and its new value."""

    turned = Signal(str, object)

    def __init__(self, fields: tuple[SliderField, ...]) -> None:
        super().__init__()
        self._sliders: dict[str, ParameterSlider] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        for field in fields:
            slider = self._sliders[field.number.name] = ParameterSlider(field)
            slider.moved.connect(self._notifier(field))
            layout.addWidget(slider)

    def show_values(self, sampling: SamplingParams) -> None:
        """Show these parameters."""
        for field, slider in self._sliders.items():
            slider.show_value(getattr(sampling, field))

    def _notifier(self, field: SliderField) -> Callable[[float], None]:
        name, kind = field.number.name, field.number.kind
        return lambda value: self.turned.emit(name, kind(round(value, 4)))
