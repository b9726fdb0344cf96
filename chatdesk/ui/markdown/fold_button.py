"""The line at the end of something long that shows all of it, or folds it again."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import show_icon
from chatdesk.ui.markdown.passing_button import PassingButton
from chatdesk.ui.theme import Theme

FOLD_HEIGHT = 34  # pixels
_CORNER = 9  # pixels, as of what it is the end of


class FoldButton(PassingButton):
    """Folded at first; `words` names it for both states. `folded` follows a person's choice.

    It covers what is folded with the colour `ground`, and ends with a line in the colour `edge`.
    """

    folded = Signal(bool)

    def __init__(
        self, theme: Theme, words: Callable[[bool], str], ground: str, edge: str, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ground, self._edge = ground, edge
        self._words = words
        self.is_folded = True
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.clicked.connect(self._turn)
        self.show_words()

    def set_folded(self, is_folded: bool) -> None:
        """Fold or unfold."""
        self.is_folded = is_folded
        self.show_words()

    def show_words(self) -> None:
        """Show what a click does, by now."""
        self.setText(self._words(self.is_folded))
        self.setAccessibleName(self.text())
        show_icon(self, "chevron-down" if self.is_folded else "chevron-up", self._theme.muted)
        self.setToolTip(tr("Show all of it") if self.is_folded else tr("Show the beginning only"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Cover what is below it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(self._edge))
        painter.setBrush(QColor(self._ground))
        around = QRectF(self.rect()).adjusted(0.5, -2.0 * _CORNER, -0.5, -0.5)
        painter.drawRoundedRect(around, _CORNER, _CORNER)
        painter.end()
        super().paintEvent(event)

    def _turn(self) -> None:
        self.set_folded(not self.is_folded)
        self.folded.emit(self.is_folded)
