"""The sampling parameters: a preset, the usual sliders, and all others when unfolded."""

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.sampling import PRESETS, SamplerGroup, SamplingParams
from chatdesk.ui.sampling.more_samplers import MoreSamplers
from chatdesk.ui.sampling.sliders import ParameterSliders, slider_fields_of
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.fields import Choice, Fold, recolour, section

OWN_OF_THE_CHAT = ("seed", "max_tokens", "stop", "logit_bias")  # a preset leaves them as they are


class SamplingPanel(QWidget):
    """Requests go up as whole values: `changed` carries `SamplingParams`."""

    changed = Signal(object)

    def __init__(self, sampling: SamplingParams, theme: Theme) -> None:
        super().__init__()
        self._sampling = sampling
        self._theme = theme
        self._preset = Choice(_preset_names(), None, theme)
        self._preset.setAccessibleName(tr("Preset"))
        self._preset.setPlaceholderText(tr("Your own"))
        self._preset.activated.connect(lambda _: self._use_preset())
        self._usual = ParameterSliders(slider_fields_of(SamplerGroup.USUAL)[""])
        self._usual.turned.connect(self._change)
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
        layout.addWidget(self._usual)
        layout.addWidget(self._fold)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        recolour(self, theme)

    def flush(self) -> None:
        """Tell what was typed last."""
        if self._more:
            self._more.flush()

    def show_sampling(self, sampling: SamplingParams) -> None:
        """Show other values; its own values change nothing."""
        if sampling != self._sampling:
            self._sampling = sampling
            self._show()

    def _use_preset(self) -> None:
        kept = {name: getattr(self._sampling, name) for name in OWN_OF_THE_CHAT}
        self._sampling = replace(PRESETS[str(self._preset.value)], **kept)
        self._show()
        self.changed.emit(self._sampling)

    def _change(self, field: str, value: object) -> None:
        self._sampling = replace(self._sampling, **{field: value})  # type: ignore[arg-type]
        self._preset.choose(_preset_of(self._sampling))
        if self._more:
            self._more.show_values(self._sampling)
        self.changed.emit(self._sampling)

    def _show(self) -> None:
        self._preset.choose(_preset_of(self._sampling))
        self._usual.show_values(self._sampling)
        if self._more:
            self._more.show_values(self._sampling)

    def _unfold(self, shown: bool) -> None:
        if self._more is None:  # few will ever want it: the window is lighter without
            self._more = MoreSamplers(self._theme)
            self._more.turned.connect(self._change)
            self._more.show_values(self._sampling)
            self._column.addWidget(self._more)
        self._more.setVisible(shown)


def _preset_names() -> dict[str, str]:
    return {
        "balanced": tr("Balanced"),
        "precise": tr("Precise"),
        "creative": tr("Creative"),
        "repeatable": tr("Repeatable"),
    }


def _preset_of(sampling: SamplingParams) -> str | None:
    """Return the preset of these values, apart from the chat's own ones."""
    own = {name: getattr(sampling, name) for name in OWN_OF_THE_CHAT}
    return next((name for name, each in PRESETS.items() if replace(each, **own) == sampling), None)
