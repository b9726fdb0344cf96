"""The sampling parameters: a preset, the temperature, and all others when unfolded."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.sampling import Preset, SamplerGroup, SamplingParams
from chatdesk.ui.sampling.more_samplers import MoreSamplers
from chatdesk.ui.sampling.preset_chooser import PresetChooser
from chatdesk.ui.sampling.sliders import ParameterSliders, slider_fields_of
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.fields import Fold, recolour, section


class SamplingPanel(QWidget):
    """Requests go up as whole values: `changed` carries `SamplingParams`.

    `presets_changed` carries all `Preset`s of the person, once `show_presets` has shown them.
    """

    changed = Signal(object)
    presets_changed = Signal(object)

    def __init__(self, sampling: SamplingParams, theme: Theme) -> None:
        super().__init__()
        self._sampling = sampling
        self._theme = theme
        self._preset = PresetChooser(sampling, theme)
        self._preset.chosen.connect(self._use_preset)
        self._preset.own_changed.connect(self.presets_changed)
        self._temperature = ParameterSliders(slider_fields_of(SamplerGroup.TEMPERATURE)[""])
        self._temperature.turned.connect(self._change)
        self._fold = Fold(tr("More"), theme)
        self._fold.toggled.connect(self._unfold)
        self._more: MoreSamplers | None = None
        self._column = layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        chooser = QVBoxLayout()
        chooser.setSpacing(6)
        chooser.addWidget(section(tr("Preset")))
        chooser.addWidget(self._preset)
        layout.addLayout(chooser)
        layout.addWidget(self._temperature)
        layout.addWidget(self._fold)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self._preset.set_theme(theme)
        recolour(self, theme)

    def flush(self) -> None:
        """Tell what was typed last."""
        if self._more:
            self._more.flush()

    def show_presets(self, presets: Sequence[Preset]) -> None:
        """Offer the person's own presets, too, and to change them."""
        self._preset.show_own(presets)

    def show_sampling(self, sampling: SamplingParams) -> None:
        """Show other values; its own values change nothing."""
        if sampling != self._sampling:
            self._sampling = sampling
            self._show()

    def _use_preset(self, sampling: SamplingParams) -> None:
        self._sampling = sampling
        self._show()
        self.changed.emit(sampling)

    def _change(self, field: str, value: object) -> None:
        self._sampling = replace(self._sampling, **{field: value})  # type: ignore[arg-type]
        self._preset.show_sampling(self._sampling)
        if self._more:
            self._more.show_values(self._sampling)
        self.changed.emit(self._sampling)

    def _show(self) -> None:
        self._preset.show_sampling(self._sampling)
        self._temperature.show_values(self._sampling)
        if self._more:
            self._more.show_values(self._sampling)

    def _unfold(self, shown: bool) -> None:
        if self._more is None:  # few will ever want it: the window is lighter without
            self._more = MoreSamplers(self._theme)
            self._more.turned.connect(self._change)
            self._more.show_values(self._sampling)
            self._column.addWidget(self._more)
        self._more.setVisible(shown)
