"""A repository of the hub: its models by quantization, how each would fit, and its card."""

from collections.abc import Collection
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.hub import HubRepository, Variant
from chatdesk.core.i18n import tr, trn
from chatdesk.core.model_files import Estimate
from chatdesk.core.models import Fit, ModelRole
from chatdesk.core.units import size_words
from chatdesk.library.models.role import role_of
from chatdesk.ui.icons import LARGE, icon, icon_size
from chatdesk.ui.models.download_words import FileKey, file_key, repository_words, why_words
from chatdesk.ui.models.row import HubRow
from chatdesk.ui.models.words import fit_words
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.buttons import PictureButton
from chatdesk.ui.widgets.fields import Fold, plain_button, small
from chatdesk.ui.widgets.labels import LineLabel, PlainLabel
from chatdesk.ui.widgets.tag import Tag, Tone

if TYPE_CHECKING:  # with it comes what talks to the hub
    from chatdesk.services.hub.service import Judged

_CARD_LINES = 18
_CARD_CHARS = 200_000  # nobody reads further, and laying out more would hold the window up


class RepositoryView(QWidget):
    """Shows a repository; `download_requested` carries it and the `Variant` that is wanted."""

    back_requested = Signal()
    settings_requested = Signal()
    download_requested = Signal(object, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._repository: HubRepository | None = None
        self._rows: list[_VariantRow] = []
        self._taken: dict[FileKey, str] = {}
        self._back = PictureButton(tr("Back to the results"), 32)
        self._back.clicked.connect(self.back_requested)
        self.setFocusProxy(self._back)
        self._name = LineLabel(look="card-title")
        self._facts = PlainLabel()
        self._gated = _GatedCard(theme)
        self._gated.settings_requested.connect(self.settings_requested)
        self._judged = PlainLabel()
        self._judged.setAccessibleName(tr("About these models"))
        self._listed = QVBoxLayout()
        self._listed.setSpacing(0)
        self._fold = Fold(tr("What its makers say"), theme)
        self._card = _CardWords()
        self._build()
        self.set_theme(theme)

    def _build(self) -> None:
        self._fold.toggled.connect(self._card.setVisible)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._back)
        top.addWidget(self._name, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self._facts)
        column.addWidget(self._gated)
        column.addWidget(self._judged)
        column.addLayout(self._listed)
        column.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._card)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._back.setIcon(icon("chevron-left", theme.muted))
        self._fold.set_theme(theme)
        self._gated.set_theme(theme)

    @property
    def shown(self) -> HubRepository | None:
        """The repository, while it is shown."""
        return None if self.isHidden() else self._repository

    def show_repository(self, repository: HubRepository) -> None:
        """Show what there is; `show_judged` will say what fits."""
        self._repository = repository
        self._name.setText(repository.model.repo)
        self._facts.setText(repository_words(repository.model))
        self._gated.setVisible(repository.model.gated)
        self._fill(repository)
        self._card.setPlainText(repository.card[:_CARD_CHARS])
        self._fold.setChecked(False)
        self._fold.setVisible(bool(repository.card))
        self._card.hide()
        self._say(tr("Reading the header of a file, to tell what fits this computer…"))

    def show_judged(self, repository: HubRepository, judged: "Judged") -> None:
        """Show how each variant would fit, and the recommended one."""
        if repository is not self._repository:  # another one was opened meanwhile
            return
        for place, row in enumerate(self._rows):
            estimate = judged.estimates[place] if place < len(judged.estimates) else None
            row.show_estimate(estimate, recommended=place == judged.recommended)
        if judged.header and role_of(judged.header) is ModelRole.BASE:
            self._say(tr("Without a chat template: it continues a text rather than answering."))
        else:
            self._say(judged.problem, failed=True)

    def mark_taken(self, fetching: Collection[FileKey], kept: Collection[FileKey]) -> None:
        """Mark the files that are being fetched, and those on this computer."""
        self._taken = {key: tr("Downloading") for key in fetching}
        self._taken |= {key: tr("Already here") for key in kept}
        self._mark()

    def _mark(self) -> None:
        repo = self._repository.model.repo if self._repository else ""
        for row in self._rows:
            row.mark(self._taken.get(file_key(repo, row.variant.files[0].path), ""))

    def _fill(self, repository: HubRepository) -> None:
        for row in self._rows:
            self._listed.removeWidget(row)
            row.deleteLater()
        self._rows = [_VariantRow(variant) for variant in repository.variants]
        for row in self._rows:
            ask = partial(self.download_requested.emit, repository, row.variant)
            row.download_requested.connect(ask)
            self._listed.addWidget(row)
        self._mark()

    def _say(self, words: str, *, failed: bool = False) -> None:
        set_class(self._judged, "danger" if failed else "small")
        self._judged.setText(words)
        self._judged.setVisible(bool(words))


class _VariantRow(HubRow):
    """One quantization."""

    download_requested = Signal()

    def __init__(self, variant: Variant) -> None:
        super().__init__(variant.quantization or variant.files[0].path)
        self.variant = variant
        self.say_size(size_words(variant.bytes))
        parts = len(variant.files)
        name = variant.files[0].path
        self.say(
            trn("{name} and {n} more part", "{name} and {n} more parts", parts - 1, name=name)
            if parts > 1
            else name
        )
        self._best = Tag()
        self._tags.insertWidget(self._tags.count() - 1, self._best)
        self._button = self.add_button(tr("Download"))
        self._button.clicked.connect(self.download_requested)

    def show_estimate(self, estimate: Estimate | None, *, recommended: bool) -> None:
        """Show how it would fit."""
        if estimate:
            self.chip.show_words(*fit_words(estimate))
            too_large = estimate.fit is Fit.TOO_LARGE
            self.chip.setToolTip(why_words(estimate) if too_large else "")
        self._best.show_words(tr("recommended") if recommended else "", Tone.GOOD)
        set_class(self._button, "primary" if recommended else "")

    def mark(self, words: str) -> None:
        """Say when it is there or on its way already."""
        self.offer(self._button, words or tr("Download"), offered=not words)


class _CardWords(QPlainTextEdit):
    """A model's card: as high as its words, up to some whole lines."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAccessibleName(tr("What its makers say"))
        set_class(self, "card-words")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width has other lines."""
        super().resizeEvent(event)
        around = self.height() - self.viewport().height() + 2 * self.document().documentMargin()
        self.setFixedHeight(ceil(around + self._lines_height()) + 1)

    def _lines_height(self) -> float:
        """Of the lines to be seen; those of paragraphs further below are not laid out."""
        block, lines, height = self.document().begin(), 0, 0.0
        while block.isValid() and lines < _CARD_LINES:
            self.blockBoundingGeometry(block)
            seen = min(block.lineCount(), _CARD_LINES - lines)
            height += sum(block.layout().lineAt(line).height() for line in range(seen))
            lines += seen
            block = block.next()
        return height


class _GatedCard(QFrame):
    """The steps for a model whose makers ask for an agreement."""

    settings_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_class(self, "card")
        self._mark = QLabel()
        title = QLabel(tr("Its makers ask for your agreement"))
        set_class(title, "strong")
        title.setWordWrap(True)
        steps = small(
            tr(
                "Sign in on the hub's website, open this repository there and agree to its terms. "
                "Then make an access token in your account there and save it in the settings here."
            )
        )
        settings = plain_button(tr("Settings…"), tr("Open the settings of downloads"))
        settings.clicked.connect(self.settings_requested)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(title)
        words.addWidget(steps)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 12, 12)
        row.setSpacing(12)
        row.addWidget(self._mark)
        row.addLayout(words, 1)
        row.addWidget(settings)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._mark.setPixmap(icon("lock", theme.warn).pixmap(icon_size(LARGE)))
