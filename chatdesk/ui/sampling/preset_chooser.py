"""The presets: the app's own, and those that a person has named."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.sampling import PRESETS, Preset, SamplingParams
from chatdesk.ui.icons import icon
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.buttons import PictureButton
from chatdesk.ui.widgets.fields import Choice
from chatdesk.ui.widgets.menus import open_menu

OWN_OF_THE_CHAT = ("seed", "max_tokens", "stop", "logit_bias")  # a preset leaves them as they are
BUTTON = 34


class PresetChooser(QWidget):
    """A box with the presets, and a menu to save, rename and delete one's own.

    `chosen` carries `SamplingParams`, `own_changed` all `Preset`s of the person.
    """

    chosen = Signal(object)
    own_changed = Signal(object)

    def __init__(self, sampling: SamplingParams, theme: Theme) -> None:
        super().__init__()
        self._sampling = sampling
        self._own: tuple[Preset, ...] = ()
        self._box = Choice({}, None, theme)
        self._box.setAccessibleName(tr("Preset"))
        self._box.setPlaceholderText(tr("Your own"))
        self._box.activated.connect(lambda _: self._use())
        self._more = PictureButton(tr("Save, rename or delete a preset"), BUTTON)
        self._more.clicked.connect(lambda: open_menu(self.menu(), self._more, once=True))
        self._more.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._box, 1)
        row.addWidget(self._more)
        self.set_theme(theme)
        self._list()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._box.set_theme(theme)
        self._more.setIcon(icon("more", theme.muted))

    def show_own(self, presets: Sequence[Preset]) -> None:
        """Offer these presets of the person, and to change them."""
        self._more.show()
        if tuple(presets) != self._own:
            self._own = tuple(presets)
            self._list()

    def show_sampling(self, sampling: SamplingParams) -> None:
        """Name the preset that has these values, apart from the chat's own ones."""
        self._sampling = sampling
        self._box.choose(self._name_of(sampling))

    def _values(self) -> dict[str, SamplingParams]:
        return {**PRESETS, **{_OWN + each.name: each.sampling for each in self._own}}

    def _name_of(self, sampling: SamplingParams) -> str | None:
        values = self._values().items()
        return next((name for name, each in values if self._kept(each) == sampling), None)

    def _kept(self, preset: SamplingParams) -> SamplingParams:
        return replace(preset, **{name: getattr(self._sampling, name) for name in OWN_OF_THE_CHAT})

    def _list(self) -> None:
        own = {_OWN + each.name: each.name for each in self._own}
        self._box.set_options({**_names(), **own})
        self.show_sampling(self._sampling)

    def _use(self) -> None:
        self._sampling = self._kept(self._values()[str(self._box.value)])
        self.chosen.emit(self._sampling)

    # The person's own

    @property
    def _chosen_own(self) -> Preset | None:
        return next((each for each in self._own if _OWN + each.name == self._box.value), None)

    def menu(self) -> QMenu:
        """What can be done with the present values, or with the chosen preset."""
        menu = QMenu(self)
        menu.addAction(tr("Save as a preset…"), self._ask_for_name)
        if chosen := self._chosen_own:
            name = chosen.name.replace("&", "&&")
            menu.addAction(tr("Rename “{name}”…", name=name), self._ask_to_rename)
            menu.addAction(tr("Delete “{name}”", name=name), self._delete)
        return menu

    def _ask_for_name(self) -> None:
        self._ask(tr("Save as a preset"), "", self.save)

    def _ask_to_rename(self) -> None:
        if chosen := self._chosen_own:
            self._ask(tr("Rename the preset"), chosen.name, self.rename)

    def _ask(self, title: str, name: str, act: Callable[[str], None]) -> None:
        from chatdesk.ui.widgets.questions import ask_for_words

        ask_for_words(self.window(), title, tr("Name"), name, act)

    def save(self, name: str) -> None:
        """Keep the present values as a preset; one of that name is replaced."""
        if name := _tidy(name):
            kept = Preset(name, replace(self._sampling, **_NOT_KEPT))
            self._change((*self._without(name), kept))

    def rename(self, name: str) -> None:
        """Give the chosen preset another name."""
        chosen, name = self._chosen_own, _tidy(name)
        if chosen and name and name != chosen.name:
            others = [each for each in self._without(name) if each != chosen]
            self._change((*others, Preset(name, chosen.sampling)))

    def _delete(self) -> None:
        if chosen := self._chosen_own:
            self._change(self._without(chosen.name))

    def _without(self, name: str) -> tuple[Preset, ...]:
        return tuple(each for each in self._own if each.name != name)

    def _change(self, presets: Sequence[Preset]) -> None:
        self._own = tuple(sorted(presets, key=lambda each: each.name.casefold()))
        self._list()
        self.own_changed.emit(self._own)


_OWN = "own:"  # so that a person may call one as the app calls one of its own
_USUAL = SamplingParams()
_NOT_KEPT = {name: getattr(_USUAL, name) for name in OWN_OF_THE_CHAT}


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _names() -> dict[str, str]:
    return {
        "balanced": tr("Balanced"),
        "precise": tr("Precise"),
        "creative": tr("Creative"),
        "repeatable": tr("Repeatable"),
    }
