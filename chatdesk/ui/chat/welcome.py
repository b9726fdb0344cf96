"""The welcome around the composer before a chat begins: a greeting, and ways to begin."""

from datetime import datetime

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import LARGE, icon, icon_size
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.labels import LineLabel

WIDTH = 640
_FLAT, _HIGH = 42, 68  # pixels of a card
_STACKED = 600  # pixels below which the cards stand below each other


class Greeting(QWidget):
    """Above the composer: a greeting by the time of day, and the promise."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._hello = QLabel()
        self._lock = QLabel()
        self._promise = QLabel()
        set_class(self._hello, "title")
        set_class(self._promise, "lead")
        self._promise.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._lock, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._promise, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 12)
        layout.setSpacing(10)
        layout.addWidget(self._hello)
        layout.addLayout(row)
        self.set_theme(theme)
        self._is_shared = self._is_temporary = False
        self.greet(datetime.now())
        self._show_promise()

    def be_short(self, short: bool) -> None:
        """Leave the greeting out where there is too little room for it."""
        self._hello.setHidden(short)

    def show_shared(self, *, shared: bool) -> None:
        """Promise no more than holds while other computers lend their devices."""
        self._is_shared = shared
        self._show_promise()

    def show_temporary(self, temporary: bool) -> None:
        """Say what a temporary chat is."""
        self._is_temporary = temporary
        self._show_promise()

    def _show_promise(self) -> None:
        if self._is_temporary:
            words = tr("Nothing of this chat is saved or learned. It is gone when you leave it.")
        elif self._is_shared:
            words = tr("Everything you write stays on your own computers.")
        else:
            words = tr("Everything you write stays on this computer.")
        self._promise.setText(words)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._lock.setPixmap(icon("lock", theme.muted).pixmap(icon_size(LARGE)))

    def greet(self, at: datetime) -> None:
        """Greet by the hour."""
        if self._is_temporary:
            self._hello.setText(tr("A temporary chat"))
        elif 5 <= at.hour < 12:
            self._hello.setText(tr("Good morning."))
        elif 12 <= at.hour < 18:
            self._hello.setText(tr("Good afternoon."))
        else:
            self._hello.setText(tr("Good evening."))


class _Card(QPushButton):
    """A way to begin: a title and a line, as one button."""

    def __init__(self, title: str, line: str) -> None:
        super().__init__()
        set_class(self, "begin")
        self.setAccessibleName(f"{title}: {line}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        heading, below = LineLabel(title), LineLabel(line, "small")
        self._height = _HIGH  # pixels at the usual size of text
        self._words = layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        layout.setContentsMargins(15, 0, 15, 0)
        for label, share in ((heading, 0), (below, 1)):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(label, share)
        self.set_flat(flat=False)

    def set_flat(self, *, flat: bool) -> None:
        """Put the line beside the title or below it."""
        direction = QBoxLayout.Direction
        self._words.setDirection(direction.LeftToRight if flat else direction.TopToBottom)
        self._words.setSpacing(10 if flat else 3)
        self._height = _FLAT if flat else _HIGH
        self.setFixedHeight(scaled(self._height))

    def event(self, event: QEvent) -> bool:
        """Keep the height, of which a style sheet sets the least."""
        handled = super().event(event)
        if event.type() in (QEvent.Type.Polish, QEvent.Type.StyleChange):
            self.setFixedHeight(scaled(self._height))
        return handled


class Suggestions(QWidget):
    """Below the composer: ways to begin."""

    text_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._cards = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(10)
        for title, line, text in (
            (
                tr("Summarize"),
                tr("a text you paste"),
                tr("Summarize the following text in three sentences:") + "\n\n",
            ),
            (
                tr("Translate"),
                tr("English and Chinese"),
                tr("Translate to Chinese, or to English if it is Chinese:") + "\n\n",
            ),
            (tr("Explain"), tr("something in simple words"), tr("Explain in simple words: ")),
        ):
            card = _Card(title, line)
            card.clicked.connect(lambda _=False, chosen=text: self.text_chosen.emit(chosen))
            row.addWidget(card)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 14, 0, 0)
        self._column.setSpacing(22)
        self._column.addLayout(row)

    def add(self, card: QWidget) -> None:
        """Place another part's card below."""
        self._column.addWidget(card)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the cards beside or below each other."""
        super().resizeEvent(event)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        stacked = self.width() < scaled(_STACKED)
        self._cards.setDirection(down if stacked else right)
        for card in self.findChildren(_Card):
            card.set_flat(flat=stacked)
