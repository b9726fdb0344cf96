"""The line in a conversation at which the model's view begins."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import set_class

_PAD = 10  # pixels above and below the words
_GAP = 12  # between the words and the rules beside them
_SHORTEST_RULE = 24


class ContextStartLine(QWidget):
    """Words in the middle of a thin line; wrapped where it is narrow."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = QLabel(self)
        self.show_cut(cut=False)
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        set_class(self._words, "tiny")
        self._rules = (QFrame(self), QFrame(self))
        for rule in self._rules:
            set_class(rule, "line")

    def show_cut(self, *, cut: bool) -> None:
        """Say that the model reads from here, or that it reads the end of what is above."""
        words = (
            tr("The model reads only the end of the message above. All of it stays in the chat.")
            if cut
            else tr("The model reads from here. What is above stays in the chat.")
        )
        self.is_cut = cut
        self._words.setText(words)
        self.setAccessibleName(words)

    def height_for(self, width: int) -> int:
        """The height in pixels."""
        return self._words.heightForWidth(self._width_of_words(width)) + 2 * _PAD

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the words in the middle, with the lines beside them."""
        super().resizeEvent(event)
        words = self._width_of_words(self.width())
        rule = (self.width() - words) // 2 - _GAP
        self._words.setGeometry(rule + _GAP, 0, words, self.height())
        middle = self.height() // 2
        self._rules[0].setGeometry(0, middle, rule, 1)
        self._rules[1].setGeometry(self.width() - rule, middle, rule, 1)

    def _width_of_words(self, width: int) -> int:
        metrics = self._words.fontMetrics()
        ideal = metrics.horizontalAdvance(self._words.text()) + 4
        return max(1, min(ideal, width - 2 * (_SHORTEST_RULE + _GAP)))
