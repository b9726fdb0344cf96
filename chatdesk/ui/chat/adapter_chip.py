"""The composer's chip with the adapter that answers, and its menu of other adapters."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import AdapterRecord
from chatdesk.ui.icons import show_icon
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.eliding_button import ElidingButton

WIDEST = 220  # pixels
BASE = ""  # the choice of no adapter; None means the active one


class AdapterChip(ElidingButton):
    """A chip with an adapter's name, hidden while the model has no adapters.

    `chosen` carries an adapter's id, `BASE`, or None for the active one.
    """

    chosen = Signal(object)
    personalize_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(tr("Adapter"), WIDEST)
        self._theme = theme
        self._adapters: tuple[AdapterRecord, ...] = ()
        self._active: AdapterRecord | None = None
        self._choice: str | None = None
        self.explain(tr("What this chat is answered with"))
        self.choices = QMenu(self)
        self.open_when_pressed(self.choices)
        self.hide()

    def show_adapters(
        self, adapters: Sequence[AdapterRecord], active: AdapterRecord | None
    ) -> None:
        """Show the adapters of the model, and the default one."""
        self._adapters = tuple(adapters)
        self._active = active
        self._show()

    def show_choice(self, choice: str | None) -> None:
        """Show the choice of the conversation."""
        self._choice = choice
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self._show()

    def _show(self) -> None:
        chosen = next((each for each in self._adapters if each.id == self._choice), None)
        used = self._active if self._choice is None else chosen
        choice = None if self._choice is None else used.id if used else BASE
        self.set_chevron(self._theme)
        show_icon(self, "leaf", self._theme.accent if used else self._theme.muted)
        set_class(self, "chip-on" if used else "chip")
        self.set_words(used.name if used else tr("No adapter"))
        self._fill_menu(choice)
        self.setVisible(bool(self._adapters))

    def _fill_menu(self, choice: str | None) -> None:
        self.choices.clear()
        now = self._active.name if self._active else tr("the model as it is")
        self._add(tr("Follow Personalize (now {name})", name=now), None, choice)
        self.choices.addSeparator()
        self._add(tr("Always the model as it is"), BASE, choice)
        for adapter in self._adapters:
            self._add(tr("Always {name}", name=adapter.name), adapter.id, choice)
        self.choices.addSeparator()
        self.choices.addAction(tr("Personalize…"), self.personalize_requested.emit)

    def _add(self, words: str, offered: str | None, choice: str | None) -> None:
        ask = partial(self.chosen.emit, offered)
        action = self.choices.addAction(words.replace("&", "&&"), ask)
        action.setCheckable(True)
        action.setChecked(offered == choice)
