"""The button over the conversation that goes to its end."""

from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.theme import Theme, scaled, set_class

SIZE, _PICTURE = 36, 18  # pixels
_ABOVE_END = 12  # pixels
_DOT = 4.5  # pixels: the radius of the dot


class JumpButton(QPushButton):
    """A round arrow at the edge of the column, with a dot when something new is below."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._has_news = False
        set_class(self, "jump")
        self.set_theme(theme)
        self._show_words()
        self.hide()

    @property
    def has_news(self) -> bool:
        """True if something came below what is read."""
        return self._has_news

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self.setFixedSize(scaled(SIZE), scaled(SIZE))
        self.setIconSize(icon_size(_PICTURE))
        self.setIcon(icon("arrow-down", theme.text))

    def set_news(self, has_news: bool) -> None:
        """Something came below what is read, or all of it was seen."""
        if has_news != self._has_news:
            self._has_news = has_news
            self._show_words()
            self.update()

    def place(self, over: QRect, column_right: int) -> None:
        """Stand beside the column, or over its edge where this part of the parent is narrow."""
        left = min(column_right + _ABOVE_END, over.right() - self.width() - _ABOVE_END)
        self.move(left, over.bottom() - self.height() - _ABOVE_END)
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button and the dot at its upper edge."""
        super().paintEvent(event)
        if self._has_news:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._theme.background), 1.5))
            painter.setBrush(QColor(self._theme.accent))
            painter.drawEllipse(QPointF(self.width() - _DOT - 2, _DOT + 2), _DOT, _DOT)
            painter.end()

    def _show_words(self) -> None:
        words = tr("Go to the end of the chat")
        if self._has_news:
            words = tr("Go to the end of the chat: there is something new")
        self.setToolTip(words)
        self.setAccessibleName(words)
