"""The results of a hub search: one line a repository, opened with a press."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.hub import HubModel
from chatdesk.core.i18n import tr, trn
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.models.download_words import repository_words
from chatdesk.ui.models.words import role_words
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import section
from chatdesk.ui.widgets.labels import LineLabel
from chatdesk.ui.widgets.tag import Tag, Tone


class HubResults(QWidget):
    """`open_requested` carries the repository's name."""

    open_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._count = section("")
        self._rows: list[_Found] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._count)
        self._column.addSpacing(4)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        for row in self._rows:
            row.set_theme(theme)

    def show_models(self, models: Sequence[HubModel]) -> None:
        """Show these repositories."""
        for row in self._rows:
            self._column.removeWidget(row)
            row.deleteLater()
        found = trn("{n} repository found", "{n} repositories found", len(models))
        self._count.setText(found.upper())
        self._rows = [_Found(model, self._theme) for model in models]
        for row, model in zip(self._rows, models, strict=True):
            row.clicked.connect(lambda _=False, repo=model.repo: self.open_requested.emit(repo))
            self._column.addWidget(row)

    def focus(self, repo: str) -> None:
        """Put the focus on a repository's line, as one comes back from it."""
        for row in self._rows:
            if row.repo == repo:
                row.setFocus(Qt.FocusReason.OtherFocusReason)


class _Found(QPushButton):
    """A repository as one button: its name, and how much it is used."""

    def __init__(self, model: HubModel, theme: Theme) -> None:
        super().__init__()
        self.repo = model.repo
        set_class(self, "found")
        self.setAutoDefault(True)  # Enter opens it, not only the space bar
        line = repository_words(model)
        gated = tr("needs agreement") if model.gated else ""
        role = role_words(model.role) if model.role and not model.role.answers else ""
        self.setAccessibleName(tr("Open {repository}", repository=model.repo))
        self.setAccessibleDescription(" ".join(filter(None, (line, role, gated))))
        self._arrow = QLabel()
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(LineLabel(model.repo))
        purpose, tag = Tag(), Tag()
        top.addWidget(purpose)
        top.addWidget(tag)
        top.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addLayout(top)
        words.addWidget(LineLabel(line, "small"))
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 8, 4, 9)
        row.addLayout(words, 1)
        row.addWidget(self._arrow)
        purpose.show_words(role, Tone.PLAIN)
        tag.show_words(gated, Tone.WARN)
        for part in self.findChildren(QLabel):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._arrow.setPixmap(icon("chevron-right", theme.muted).pixmap(icon_size()))
