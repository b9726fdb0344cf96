"""Small rounded words for a state: as a label, and painted in a list's row."""

from enum import StrEnum

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QLabel, QSizePolicy

from chatdesk.ui.theme import TINY_PX, Theme, scaled, set_class, text_font

HEIGHT = 19
_PAD = 7
_RADIUS = 6


class Tone(StrEnum):
    """The meaning of a tag; a class of the style sheet each, after `tag-`."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"

    def colour(self, theme: Theme) -> str:
        """Return the colour of words in this tone."""
        return {
            Tone.PLAIN: theme.muted,
            Tone.GOOD: theme.accent,
            Tone.WARN: theme.warn,
            Tone.BAD: theme.danger,
        }[self]


class Tag(QLabel):
    """A tag, hidden while it has no words."""

    def __init__(self, words: str = "", tone: Tone = Tone.PLAIN) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self.show_words(words, tone)

    def show_words(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        """Change the words."""
        self.setText(words)
        self.setVisible(bool(words))
        set_class(self, f"tag-{tone}")


def tag_width(words: str) -> float:
    """Return the width of a painted tag, in pixels."""
    return QFontMetrics(_font()).horizontalAdvance(words) + 2 * _PAD


def fitting_tag(words: str, room: float) -> str:
    """Return as much of a tag's words as there is room for."""
    measure = QFontMetrics(_font())
    return measure.elidedText(words, Qt.TextElideMode.ElideRight, int(room) - 2 * _PAD)


def paint_tag(
    painter: QPainter,
    x: float,
    middle: float,
    words: str,
    tone: Tone,
    theme: Theme,
    *,
    is_button: bool = False,
) -> QRectF:
    """Paint a tag that begins at `x` around the height `middle`; return its place.

    One that can be pressed has an edge in place of a ground.
    """
    height = scaled(HEIGHT)
    place = QRectF(x, middle - height / 2, tag_width(words), height)
    painter.save()
    if is_button:
        painter.setPen(QColor(tone.colour(theme)))
        painter.setBrush(QColor(theme.surface))
        painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent_soft if tone is Tone.GOOD else theme.hover))
        painter.drawRoundedRect(place, _RADIUS, _RADIUS)
    painter.setFont(_font())
    painter.setPen(QColor(tone.colour(theme)))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)
    painter.restore()
    return place


def _font() -> QFont:
    return text_font(TINY_PX, QFont.Weight.Medium)
