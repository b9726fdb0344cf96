"""The page of models: find some, what is on this computer, what is fetched, what is recommended."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLabel, QMenu, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.model_files import KeptModel
from chatdesk.library.machine.hardware import Hardware
from chatdesk.ui.models.library.model_list import OVERHANG, ModelList
from chatdesk.ui.models.library.shrink_row import ShrinkPart
from chatdesk.ui.models.words import computer_words
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button, section, small
from chatdesk.ui.widgets.labels import PlainLabel
from chatdesk.ui.widgets.menus import open_when_pressed
from chatdesk.ui.widgets.page import PageView


class ModelsPage(PageView):
    """Places the parts it is given among its own; requests go up."""

    add_requested = Signal()
    elsewhere_requested = Signal()
    duplicates_requested = Signal()

    def __init__(self, theme: Theme, search: QWidget, downloads: QWidget, catalog: QWidget) -> None:
        super().__init__(tr("Models"), theme, OVERHANG)
        self.search, self.downloads, self.catalog = search, downloads, catalog
        self.kept = ModelList(theme)
        self.shrink = ShrinkPart()
        self._more = plain_button(tr("More"), tr("More about the models on this computer"))
        self._add = plain_button(tr("Add a file…"), tr("Add a model file"))
        self._computer = PlainLabel(look="muted")
        self._looking = small(tr("Reading the models on this computer…"))
        self._empty = self._empty_card()
        self._build()
        self._add.clicked.connect(self.add_requested)
        self.set_theme(theme)

    # Assembly

    def _build(self) -> None:
        open_when_pressed(self._more, self._menu())
        column = self.column
        column.setSpacing(0)
        header = self.header(self._computer, self._more, self._add)
        column.addLayout(_inset(header, self.search))
        column.addSpacing(22)
        column.addLayout(
            _inset(section(tr("On this computer").upper()), self._looking, self._empty)
        )
        column.addWidget(self.kept)
        column.addSpacing(20)
        column.addLayout(_inset(self.shrink, self.downloads, self.catalog))
        column.addStretch(1)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction(tr("Find models of other apps…"), self.elsewhere_requested.emit)
        menu.addAction(tr("Find duplicates…"), self.duplicates_requested.emit)
        return menu

    def _empty_card(self) -> QFrame:
        card = QFrame()
        set_class(card, "card")
        title = QLabel(tr("There is no model on this computer yet"))
        title.setWordWrap(True)
        set_class(title, "card-title")
        words = small(
            tr(
                "Download one of those below, add a GGUF file that you have, or let ChatDesk look "
                "for models of other apps. You can also drag a file onto the window."
            )
        )
        column = QVBoxLayout(card)
        column.setContentsMargins(18, 16, 18, 18)
        column.setSpacing(6)
        column.addWidget(title)
        column.addWidget(words)
        card.hide()
        return card

    # State to show

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme; the makers of given parts apply it to these."""
        super().set_theme(theme)
        self.kept.set_theme(theme)

    def show_computer(self, hardware: Hardware) -> None:
        """Say what this computer has."""
        self._computer.setText(computer_words(hardware))

    def stop_looking(self) -> None:
        """Stop waiting: the models on this computer are known, or could not be read."""
        self._looking.hide()

    def show_kept(self, kept: Sequence[KeptModel], in_use: str) -> None:
        """Show the models on this computer; `in_use` is the id of the one in use, or ""."""
        self.stop_looking()
        self._empty.setVisible(not kept)
        self.kept.show_kept(kept, in_use)


def _inset(*parts: QWidget | QVBoxLayout) -> QVBoxLayout:
    """A column that begins where the words of the rows do."""
    column = QVBoxLayout()
    column.setContentsMargins(OVERHANG, 0, OVERHANG, 0)
    column.setSpacing(16)
    for part in parts:
        if isinstance(part, QWidget):
            column.addWidget(part)
        else:
            column.addLayout(part)
    return column
