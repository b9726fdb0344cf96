"""Models whose files are byte for byte the same, and what could be freed."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr, trn
from chatdesk.core.model_files import KeptModel
from chatdesk.core.units import size_words
from chatdesk.ui.models.dialog import LibraryDialog, Working
from chatdesk.ui.widgets.fields import plain_button, section
from chatdesk.ui.widgets.labels import PlainLabel

SIZE = (600, 400)


class DuplicatesDialog(LibraryDialog):
    """Waits for `show_groups`; `delete_requested` carries a `KeptModel`."""

    delete_requested = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(
            tr("Duplicates"),
            tr("Files are the same if every byte is, whatever they are called."),
            SIZE,
            parent,
        )
        self._working = Working(
            tr("Reading every file whole, to compare them. Large models take minutes.")
        )
        self.body.addWidget(self._working)
        self._end = self.add_button(tr("Cancel"))
        self._end.clicked.connect(self.accept)

    def show_groups(self, groups: Sequence[Sequence[KeptModel]]) -> None:
        """Show the models that are the same, group by group."""
        self._finish()
        if not groups:
            self.body.addWidget(PlainLabel(tr("No two models are the same."), ""))
        for group in groups:
            self.body.addLayout(self._group(group))

    def show_problem(self, problem: EnvironmentProblem) -> None:
        """Say why they could not be compared."""
        self._finish()
        self.body.addWidget(PlainLabel(f"{problem.what} {problem.todo}".strip(), "danger"))

    def _finish(self) -> None:
        self._working.hide()
        self._end.setText(tr("Close"))
        self._end.setAccessibleName(tr("Close"))

    def _group(self, group: Sequence[KeptModel]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 10)
        column.setSpacing(6)
        spare = (len(group) - 1) * group[0].model.header.bytes
        heading = trn(
            "{n} file, {size} to spare",
            "{n} files, {size} to spare",
            len(group),
            size=size_words(spare),
        )
        column.addWidget(section(heading.upper()))
        for kept in group:
            column.addLayout(self._row(kept))
        return column

    def _row(self, kept: KeptModel) -> QHBoxLayout:
        delete = plain_button(
            tr("Delete…"), tr("{action}: {name}", action=tr("Delete…"), name=kept.full_name)
        )
        delete.setEnabled(not kept.is_starter)
        delete.clicked.connect(lambda: self.delete_requested.emit(kept))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(PlainLabel(kept.full_name, "strong"))
        words.addWidget(PlainLabel(kept.model.path))
        row = QHBoxLayout()
        row.addLayout(words, 1)
        row.addWidget(delete)
        return row
