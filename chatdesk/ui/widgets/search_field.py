"""A field to search in, with a magnifier before its words."""

from PySide6.QtGui import QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit

from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.theme import Theme

_GAP = 8  # pixels between the magnifier and the words; an action of Qt's would leave 17


class SearchField(QLineEdit):
    """`words` say what it searches while it is empty; `inset` is the padding at its left."""

    def __init__(self, words: str, theme: Theme, inset: int = 10) -> None:
        super().__init__()
        self._inset = inset
        self._mark = QIcon()
        self.setPlaceholderText(words)
        self.setAccessibleName(words)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._mark = icon("search", theme.muted)
        self.setTextMargins(icon_size().width() + _GAP - 2, 0, 0, 0)  # Qt has 2 of its own
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field, then the magnifier."""
        super().paintEvent(event)
        size = icon_size().width()
        top = (self.height() - size) // 2
        self._mark.paint(QPainter(self), self._inset + 1, top, size, size)
