"""The part of the settings about newer versions: the consent to checks, and “Look now”."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import plain_button
from chatdesk.ui.widgets.labels import PlainLabel

if TYPE_CHECKING:  # already imported when the row is shown
    from chatdesk.services.system.updates import Release


class UpdateRow(QWidget):
    """Hidden until `offer` names the server. `page_requested` carries a web address."""

    toggled = Signal(bool)
    look_requested = Signal()
    page_requested = Signal(str)

    def __init__(self, theme: Theme, *, checked: bool) -> None:
        super().__init__()
        self._page = ""
        switch = CheckBox(tr("Check for a newer version once a day"), theme, checked=checked)
        switch.toggled.connect(self.toggled)
        self._note = PlainLabel()
        self._look = plain_button(tr("Check now"), tr("Check for a newer version now"))
        self._look.clicked.connect(self._ask)
        self._open = plain_button(tr("Open its page"), tr("Open the page of the newer version"))
        self._open.clicked.connect(lambda: self.page_requested.emit(self._page))
        self._told = PlainLabel()
        self._told.setAccessibleName(tr("Result of the check for a newer version"))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._look)
        buttons.addWidget(self._open)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(switch)
        column.addWidget(self._note)
        column.addLayout(buttons)
        column.addWidget(self._told)
        self._notify("")
        self.hide()

    def offer(self, host: str) -> None:
        """Show the row, with what is sent, and to whom."""
        self._note.setText(
            tr(
                "Asks {host} for one small signed file. It sends nothing: no version, no number "
                "to know you by, no word of yours. Nothing is downloaded or installed.",
                host=host,
            )
        )
        self.show()

    def show_release(self, release: "Release | None") -> None:
        """Show the result of a check: a newer version, or None."""
        if release is None:
            self._notify(tr("There is no newer version."))
            return
        what = tr("ChatDesk {version} is available.", version=release.version)
        self._notify(f"{what}\n{release.news}", page=release.page)

    def show_problem(self, problem: Exception) -> None:
        """Show that the check failed."""
        self._notify(str(problem), "danger")

    def _ask(self) -> None:
        self._notify(tr("Checking for a newer version…"))
        self._look.setEnabled(False)
        self.look_requested.emit()

    def _notify(self, words: str, look: str = "small", page: str = "") -> None:
        self._page = page
        self._look.setEnabled(True)
        self._open.setVisible(bool(page))
        set_class(self._told, look)
        self._told.setText(words)
        self._told.setVisible(bool(words))
