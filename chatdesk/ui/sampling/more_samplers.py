"""The samplers that few people turn: shown when they are asked for."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.sampling import MAX_SEED, SamplerGroup, SamplingParams
from chatdesk.ui.sampling.sliders import ParameterSliders, slider_fields_of
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.fields import Choice, Decimal, WholeNumber, section
from chatdesk.ui.widgets.form import Form

MOST_TOKENS = 10**6
ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class MoreSamplers(QWidget):
    """Fields of all parameters but the temperature; `turned` carries a field's name and its value.

    Parameters of a sampler that is off are hidden.
    """

    turned = Signal(str, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(14)
        self._groups: list[ParameterSliders] = []
        self._dependent: dict[str, ParameterSliders] = {}
        self._add_group(SamplerGroup.USUAL)
        self._add_sliders(tr("Filters"), SamplerGroup.FILTERS)
        self._add_sliders(tr("Dynamic temperature"), SamplerGroup.DYNAMIC_TEMPERATURE)
        self._add_sliders("XTC", SamplerGroup.XTC)
        self._add_sliders("DRY", SamplerGroup.DRY)
        self._column.addWidget(section("Mirostat"))
        self._mirostat = Choice({0: tr("off"), 1: "Mirostat 1", 2: "Mirostat 2"}, 0, theme)
        self._mirostat.setAccessibleName("Mirostat")
        self._mirostat.activated.connect(
            lambda _: self.turned.emit("mirostat", self._mirostat.value)
        )
        self._column.addWidget(self._mirostat)
        self._add_group(SamplerGroup.MIROSTAT)
        self._add_sliders(tr("Penalties"), SamplerGroup.PENALTIES)
        self._column.addLayout(self._fields())

    def show_values(self, sampling: SamplingParams) -> None:
        """Show these parameters."""
        for sliders in self._groups:
            sliders.show_values(sampling)
        for field, sliders in self._dependent.items():
            sliders.setVisible(bool(getattr(sampling, field)))
        self._mirostat.choose(sampling.mirostat)
        for number, value in (
            (self._look_back, sampling.repeat_last_n),
            (self._longest, sampling.max_tokens or 0),
            (self._seed, -1 if sampling.seed is None else sampling.seed),
        ):
            number.blockSignals(True)
            number.setValue(value)
            number.blockSignals(False)
        if not self._stop.hasFocus():
            self._stop.setText(", ".join(map(_escaped, sampling.stop)))

    def flush(self) -> None:
        """Tell what was typed last."""
        for number in (self._look_back, self._longest, self._seed):
            number.interpretText()
        self._notify_stops()

    def _add_sliders(self, heading: str, group: SamplerGroup) -> None:
        self._column.addWidget(section(heading))
        self._add_group(group)

    def _add_group(self, group: SamplerGroup) -> None:
        for needs, shown in slider_fields_of(group).items():
            sliders = ParameterSliders(shown)
            sliders.turned.connect(self.turned)
            self._groups.append(sliders)
            if needs:
                self._dependent[needs] = sliders
            self._column.addWidget(sliders)

    def _fields(self) -> Form:
        self._look_back = WholeNumber(-1, MOST_TOKENS, 64, tr("everything"))
        self._look_back.valueChanged.connect(lambda n: self.turned.emit("repeat_last_n", n))
        self._longest = WholeNumber(0, MOST_TOKENS, 0, tr("no limit"))
        self._longest.valueChanged.connect(lambda n: self.turned.emit("max_tokens", n or None))
        self._seed = Decimal(-1, MAX_SEED, -1, tr("random"))  # too large for a QSpinBox
        self._seed.setGroupSeparatorShown(False)
        self._seed.valueChanged.connect(
            lambda n: self.turned.emit("seed", None if n < 0 else int(n))
        )
        self._stop = QLineEdit()
        self._stop.setPlaceholderText(tr("none"))
        self._stop.setToolTip(
            tr("Texts that end the answer, with commas between them; \\n is a new line.")
        )
        self._stop.editingFinished.connect(self._notify_stops)
        rows = Form()
        for name, field in (
            (tr("Looks back"), self._look_back),
            (tr("Longest answer"), self._longest),
            (tr("Seed"), self._seed),
            (tr("Stops at"), self._stop),
        ):
            rows.add(name, field, quiet=True)
        return rows

    def _notify_stops(self) -> None:
        if self._stop.isModified():
            self._stop.setModified(False)
            words = self._stop.text().split(",")
            self.turned.emit(
                "stop", tuple(_unescaped(word.strip()) for word in words if word.strip())
            )


def _escaped(text: str) -> str:
    return "".join(ESCAPES.get(letter, letter) for letter in text)


def _unescaped(text: str) -> str:
    parts = text.split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\t", "\t") for part in parts)
