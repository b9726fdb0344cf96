"""A rounded button whose words are cut where it is narrow; with a chevron if it has a menu."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy

from chatdesk.ui.icons import icon
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.labels import tool_tip
from chatdesk.ui.widgets.menus import open_when_pressed

NARROWEST = 44  # pixels: only its icon
_CHEVRON, _CHEVRON_MARGIN = 12, 10  # pixels; the style sheet keeps the room


class ElidingButton(QPushButton):
    """As wide as its words, at most `widest` pixels; with less room they are cut off."""

    def __init__(self, name: str, widest: int = 400) -> None:
        super().__init__()
        self._words = self._tip = ""
        self._widest = widest
        self._whole = 0  # pixels that show all words
        self._ideal = QSize()
        self._chevron = QIcon()
        self._opens = False  # a menu
        set_class(self, "chip")
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """All its words."""
        return self._words

    def explain(self, tip: str) -> None:
        """Set what the tool tip says; where words are cut, they come first."""
        self._tip = tip
        self._measure()

    def set_words(self, words: str) -> None:
        """Change the words."""
        self._words = words
        self.setAccessibleDescription(words)
        self._measure()

    def open_when_pressed(self, menu: QMenu) -> None:
        """Open a menu when pressed, and show that it does."""
        open_when_pressed(self, menu)
        self._opens = True
        self.setProperty("chevron", True)

    def set_chevron(self, theme: Theme) -> None:
        """Draw the chevron in the colours of a theme."""
        self._chevron = icon("chevron-down", theme.muted)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button, then the chevron."""
        super().paintEvent(event)
        if self._opens:
            side = scaled(_CHEVRON)
            left = self.width() - scaled(_CHEVRON_MARGIN) - side
            top = (self.height() - side) // 2
            self._chevron.paint(QPainter(self), left, top, side, side)

    def sizeHint(self) -> QSize:
        """Room for the words."""
        return self._ideal if self._ideal.isValid() else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Room for the picture."""
        return QSize(scaled(NARROWEST), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much of the words as there is room for."""
        super().resizeEvent(event)
        self._cut(self.width())

    def changeEvent(self, event: QEvent) -> None:
        """Measure again: another look or font needs other room."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._measure()

    def _measure(self) -> None:
        self._ideal = QSize()
        self.setText(_plain(self._words))
        whole = super().sizeHint()
        self._whole = whole.width()
        self._ideal = QSize(min(whole.width(), scaled(self._widest)), whole.height())
        self.updateGeometry()
        self._cut(self.width() if self.isVisible() else self._ideal.width())

    def _cut(self, width: int) -> None:
        words, metrics, tip = self._words, self.fontMetrics(), self._tip
        if width < self._whole:
            room = metrics.horizontalAdvance(words) + width - self._whole
            words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(0, room))
            tip = "\n".join(filter(None, (self._words, tip)))
        self.setToolTip(tool_tip(tip) if tip else "")
        self.setText(_plain(words))


def _plain(words: str) -> str:
    """Return words for a button: Qt reads an ampersand as a shortcut's mark."""
    return words.replace("&", "&&")
