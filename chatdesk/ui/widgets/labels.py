"""Labels for untrusted words: never read as rich text, never wider than their place."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from chatdesk.ui.theme import set_class, text_scale

_SHORT = 60  # letters of a tool tip of one line


class PlainLabel(QLabel):
    """A paragraph of plain text; `look` is a class of the style sheet."""

    def __init__(self, words: str = "", look: str = "small") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)  # Qt would guess, and read files for images
        self.setWordWrap(True)
        self.setText(words)
        set_class(self, look)


class LineLabel(QLabel):
    """One line, cut at its end where there is no room; then the tool tip has all of it."""

    def __init__(self, words: str = "", look: str = "strong") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(words)
        set_class(self, look)

    def minimumSizeHint(self) -> QSize:
        """It may become as narrow as its place."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as there is room for."""
        room = self.contentsRect()
        elide = Qt.TextElideMode.ElideRight
        shown = self.fontMetrics().elidedText(self.text(), elide, room.width())
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        self.setToolTip("" if shown == self.text() else tool_tip(self.text()))
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(room, flags, shown)


def tool_tip(words: str) -> str:
    """Return untrusted words as a tool tip, which would otherwise be read as rich text.

    A short one has one line; Qt would make it square.
    """
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
    space = "nowrap" if len(words) * text_scale() <= _SHORT else "normal"
    return f'<div style="white-space: {space}">{escaped}</div>'
