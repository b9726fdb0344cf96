"""The models that are recommended: those that fit this computer first, and why others do not."""

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.hub import CatalogEntry
from chatdesk.core.i18n import current_language, tr
from chatdesk.core.model_files import Estimate
from chatdesk.core.models import Fit
from chatdesk.core.units import size_words
from chatdesk.ui.models.download_words import (
    FileKey,
    file_key,
    need_words,
    purpose_words,
    why_words,
)
from chatdesk.ui.models.row import HubRow
from chatdesk.ui.models.words import fit_words, is_slow
from chatdesk.ui.theme import set_class
from chatdesk.ui.widgets.fields import plain_button, section
from chatdesk.ui.widgets.labels import PlainLabel
from chatdesk.ui.widgets.tag import Tone

Entry = tuple[CatalogEntry, Estimate]
_FEW = 6  # shown before all are asked for
_EVERYTHING = ""  # no purpose


class CatalogList(QWidget):
    """Shows entries with what they would take here.

    `download_requested` carries a `CatalogEntry`; `newer_requested` asks to look for a newer list.
    """

    download_requested = Signal(object)
    newer_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Entry, ...] = ()
        self.rows: list[_EntryRow] = []
        self._best: CatalogEntry | None = None
        self._purpose = _EVERYTHING
        self._taken: dict[FileKey, str] = {}
        self._newer = plain_button(tr("Look for a newer list"))
        set_class(self._newer, "link")
        self._newer.clicked.connect(self.newer_requested)
        self._all = plain_button("")
        set_class(self._all, "link")
        self._all.clicked.connect(self._show_all)
        self._all.hide()
        self._shows_all = False
        self._told = PlainLabel()
        self._told.hide()
        self._chips = QHBoxLayout()
        self._chips.setSpacing(6)
        self._group = QButtonGroup(self)
        self._listed = QVBoxLayout()
        self._listed.setSpacing(0)
        self._build()

    def _build(self) -> None:
        heading = QHBoxLayout()
        title = section(tr("Recommended for this computer").upper())
        title.setWordWrap(True)  # beside the button, it must not widen a narrow window
        heading.addWidget(title, 1)
        heading.addWidget(self._newer)
        self._chips.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(heading)
        column.addWidget(self._told)
        column.addLayout(self._chips)
        column.addLayout(self._listed)
        column.addWidget(self._all, 0, Qt.AlignmentFlag.AlignLeft)

    def show_entries(self, entries: Sequence[Entry], best: CatalogEntry | None = None) -> None:
        """Show these: the best, what is quick, what is slow, and at last what is too large.

        Of what is quick the largest comes first, as it knows most; else the smallest.
        """
        self._best = best

        def place(each: Entry) -> tuple[bool, bool, bool, int]:
            entry, estimate = each
            too_large, slow = estimate.fit is Fit.TOO_LARGE, is_slow(estimate.tokens_per_s)
            size = entry.bytes if too_large or slow else -entry.bytes
            return too_large, entry != best, slow, size

        self._entries = tuple(sorted(entries, key=place))
        self._show_purposes()
        self._fill()

    def mark_taken(self, fetching: Collection[FileKey], kept: Collection[FileKey]) -> None:
        """Mark the files that are being fetched, and those on this computer."""
        self._taken = {key: tr("Downloading") for key in fetching}
        self._taken |= {key: tr("Already here") for key in kept}
        for row in self.rows:
            row.mark(self._taken)

    def mark_asking(self, entry: CatalogEntry) -> None:
        """The hub is being asked for an entry's file."""
        for row in self.rows:
            if row.entry == entry:
                row.mark({row.key: tr("Asking…")})

    def show_looking(self) -> None:
        """A newer list is being looked for."""
        self._newer.setEnabled(False)
        self._notify(tr("Looking for a newer list…"))

    def show_looked(self, words: str, *, failed: bool = False) -> None:
        """Show the result of a check for a newer list."""
        self._newer.setEnabled(True)
        self._notify(words, "danger" if failed else "small")

    def _notify(self, words: str, look: str = "small") -> None:
        set_class(self._told, look)
        self._told.setText(words)
        self._told.setVisible(bool(words))

    def _show_purposes(self) -> None:
        for chip in self._group.buttons():
            self._group.removeButton(chip)
            self._chips.removeWidget(chip)
            chip.deleteLater()
        found = dict.fromkeys(each for entry, _ in self._entries for each in entry.purposes)
        if self._purpose not in found:
            self._purpose = _EVERYTHING
        for place, purpose in enumerate((_EVERYTHING, *found)):
            self._chips.insertWidget(place, self._chip(purpose))

    def _chip(self, purpose: str) -> QPushButton:
        words = purpose_words(purpose) if purpose else tr("all")
        chip = plain_button(words, tr("Show models for: {purpose}", purpose=words))
        set_class(chip, "chip")
        chip.setCheckable(True)
        chip.setChecked(purpose == self._purpose)
        self._group.addButton(chip)
        chip.clicked.connect(partial(self._choose, purpose))
        return chip

    def _choose(self, purpose: str, _checked: bool = True) -> None:
        self._purpose = purpose
        self._fill()

    def _show_all(self) -> None:
        self._shows_all = True
        self._fill()
        self.rows[_FEW].button.setFocus()  # where one was reading

    def _fill(self) -> None:
        focused = next((row.entry for row in self.rows if row.has_focus), None)
        for row in self.rows:
            self._listed.removeWidget(row)
            row.deleteLater()
        found = [
            each for each in self._entries if not self._purpose or self._purpose in each[0].purposes
        ]
        self._all.setText(tr("Show all {n}", n=len(found)))
        self._all.setVisible(len(found) > _FEW and not self._shows_all)
        self.rows = [_EntryRow(*each) for each in (found if self._shows_all else found[:_FEW])]
        for row in self.rows:
            if row.entry == self._best:
                row.stress()
            row.download_requested.connect(self.download_requested)
            row.mark(self._taken)
            self._listed.addWidget(row)
            if row.entry == focused:
                row.button.setFocus()


class _EntryRow(HubRow):
    """A recommended model; one that is too large says why instead of being offered."""

    download_requested = Signal(object)

    def __init__(self, entry: CatalogEntry, estimate: Estimate) -> None:
        super().__init__(entry.name, entry.quantization)
        self.entry = entry
        self.key = file_key(entry.repo, entry.file)
        self.chip.show_words(*fit_words(estimate))
        self.say_size(size_words(entry.bytes))
        self._why = PlainLabel(why_words(estimate))
        self._why.hide()
        self.left.addWidget(self._why)
        if estimate.fit is Fit.TOO_LARGE:
            self.say(need_words(estimate))
            self.button = self.add_button(tr("Why?"), "ghost")
            self.button.setCheckable(True)
            self.button.toggled.connect(self._why.setVisible)
        else:
            purposes = ", ".join(map(purpose_words, entry.purposes))
            parts = (purposes, entry.license, entry.summary_in(current_language()))
            self.say(" · ".join(part for part in parts if part))
            self.button = self.add_button(tr("Download"))
            self.button.clicked.connect(lambda: self.download_requested.emit(entry))
        self._is_offered = estimate.fit is not Fit.TOO_LARGE

    @property
    def has_focus(self) -> bool:
        """True if the focus is on it, or on its button."""
        return self.hasFocus() or self.button.hasFocus()

    def stress(self) -> None:
        """It is the best for this computer."""
        self.add_tag(tr("recommended"), Tone.GOOD)
        set_class(self.button, "primary")

    def mark(self, taken: dict[FileKey, str]) -> None:
        """Say when it is there or on its way already."""
        words = taken.get(self.key, "")
        if self._is_offered:
            self.offer(self.button, words or tr("Download"), offered=not words)
