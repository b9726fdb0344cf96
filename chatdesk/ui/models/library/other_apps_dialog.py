"""Models that other apps keep on this computer: choose which to use, where they are."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr, trn
from chatdesk.core.model_files import FoundElsewhere
from chatdesk.core.units import size_words
from chatdesk.ui.models.dialog import LibraryDialog, Working
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import recolour, section
from chatdesk.ui.widgets.labels import PlainLabel, tool_tip

SIZE = (560, 440)


class OtherAppsDialog(LibraryDialog):
    """Waits for `show_found`; `use_requested` carries a tuple of `FoundElsewhere`."""

    use_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(
            tr("Models of other apps"),
            tr("They are used where they are: nothing is copied, and the other app keeps them."),
            SIZE,
            parent,
        )
        self._theme = theme
        self._boxes: list[tuple[CheckBox, FoundElsewhere]] = []
        self._working = Working(tr("Looking for models of other apps…"))
        self._told = PlainLabel()
        self._told.hide()
        self.body.addWidget(self._working)
        self.body.addWidget(self._told)
        self.add_button(tr("Close")).clicked.connect(self.reject)
        self._use = self.add_button(tr("Use where they are"), "primary")
        self._use.setEnabled(False)
        self._use.clicked.connect(lambda: self.use_requested.emit(self.chosen))

    @property
    def chosen(self) -> tuple[FoundElsewhere, ...]:
        """Those that are ticked."""
        return tuple(found for box, found in self._boxes if box.isChecked())

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        recolour(self, theme)

    def show_found(self, found: Sequence[FoundElsewhere]) -> None:
        """Show what there is, by app."""
        self._working.hide()
        for app in dict.fromkeys(each.app for each in found):
            if self._boxes:
                self.body.addSpacing(8)
            self.body.addWidget(section(app.upper()))
            for each in (each for each in found if each.app == app):
                self.body.addLayout(self._row(each))
        if not found:
            self._notify(
                tr(
                    "No more models were found. ChatDesk looked where LM Studio, Jan, GPT4All, "
                    "Ollama and the Hugging Face cache keep theirs."
                )
            )
        self._count()

    def show_problem(self, problem: EnvironmentProblem) -> None:
        """Say why they could not be found, or used."""
        self._working.hide()
        self._notify(f"{problem.what} {problem.todo}".strip())
        self._count()

    def show_working(self) -> None:
        """They are being taken up."""
        self._use.setEnabled(False)
        self._working.words.setText(tr("Reading what these files are…"))
        self._working.show()

    def _notify(self, words: str) -> None:
        self._use.setVisible(bool(self._boxes))
        self._told.setText(words)
        self._told.show()

    def _row(self, found: FoundElsewhere) -> QHBoxLayout:
        box = CheckBox(found.name.replace("&", "&&"), self._theme, checked=True)
        box.setAccessibleName(found.name)
        box.setAccessibleDescription(f"{found.app}; {size_words(found.bytes)}")
        box.setToolTip(tool_tip(found.path))
        box.toggled.connect(self._count)
        self._boxes.append((box, found))
        row = QHBoxLayout()
        row.addWidget(box, 1)
        size = PlainLabel(size_words(found.bytes))
        size.setWordWrap(False)
        row.addWidget(size)
        return row

    def _count(self) -> None:
        count = len(self.chosen)
        self._use.setEnabled(count > 0)
        self._use.setToolTip(trn("{n} model chosen", "{n} models chosen", count))
