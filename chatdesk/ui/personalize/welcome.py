"""The empty Personalize page: how training works, or what it needs."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import LARGE, icon, icon_size
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.fields import small

NARROW = 600  # pixels below which a step has no room for more than a few words in a line


class PersonalizeWelcome(QWidget):
    """Nothing has been learned yet: what to do, and what happens then."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._steps = steps = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        steps.setSpacing(16)
        self._marks: list[tuple[QLabel, str]] = []
        self._columns: list[QVBoxLayout] = []  # of the steps
        for name, title, line in (
            (
                "thumb-up",
                tr("1. Rate or correct answers"),
                tr("Give a thumbs up to answers you like, or write a better one in their place."),
            ),
            (
                "search",
                tr("2. See every line"),
                tr(
                    "“Learn now” shows what would be learned, one by one, with secrets masked. "
                    "You choose; nothing else is learned."
                ),
            ),
            (
                "check",
                tr("3. Used only with proof"),
                tr(
                    "It is tested on answers kept aside. If it does not prove better, nothing "
                    "changes; if you change your mind, one click goes back."
                ),
            ),
        ):
            steps.addWidget(self._step(name, title, line), 1)
        self._count, self._bar = small(""), QProgressBar()
        self._bar.setAccessibleName(tr("Examples to learn from"))
        for part in (self._count, self._bar):
            self._columns[0].addWidget(part)
        heading = QLabel(tr("Nothing has been learned yet"))
        set_class(heading, "card-title")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addLayout(steps)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        for mark, name in self._marks:
            mark.setPixmap(icon(name, theme.accent).pixmap(icon_size(LARGE)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the steps beside or below each other."""
        super().resizeEvent(event)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._steps.setDirection(down if self.width() < scaled(NARROW) else right)

    def show_ready(self, ready: int, least: int) -> None:
        """Show how many examples there are, and how many it takes."""
        self._bar.setRange(0, least)
        self._bar.setValue(ready)
        self._count.setText(
            tr("{n} of {least} examples", n=ready, least=least)
            if ready < least
            else tr("{least} examples or more: enough to begin", least=least)
        )

    def _step(self, name: str, title: str, line: str) -> QFrame:
        mark, heading = QLabel(), QLabel(title)
        self._marks.append((mark, name))
        heading.setWordWrap(True)
        set_class(heading, "strong")
        card = QFrame()
        set_class(card, "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(8)
        column.addWidget(mark)
        column.addSpacing(4)
        column.addWidget(heading)
        column.addWidget(small(line))
        column.addStretch(1)
        self._columns.append(column)
        return card


class MissingCard(QFrame):
    """What training lacks: parts, or a model that can be trained; hidden while nothing is."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_class(self, "card")
        self._mark = QLabel()
        self._to_get = True
        self._title = QLabel()
        set_class(self._title, "strong")
        self._words = small("")
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self._title)
        words.addWidget(self._words)
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 16, 18, 16)
        row.setSpacing(14)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        self.hide()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        name, colour = ("download", theme.accent) if self._to_get else ("info", theme.muted)
        self._mark.setPixmap(icon(name, colour).pixmap(icon_size(LARGE)))

    def show_missing(self, title: str, sentence: str, *, to_get: bool = True) -> None:
        """Say what is missing, and how to get it if one can; nothing for ""."""
        self._to_get = to_get
        self.set_theme(self._theme)
        self._title.setText(title)
        self._words.setText(sentence)
        self.setVisible(bool(sentence))
