"""The welcome around the composer before a chat begins: a greeting, and ways to begin."""

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.hub import CatalogEntry
from chatdesk.core.i18n import current_language, tr
from chatdesk.core.model_files import Estimate
from chatdesk.core.units import size_words
from chatdesk.ui.icons import LARGE_ICON_SIZE, icon, show_icon
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.labels import LineLabel
from chatdesk.ui.words import speed_number

WIDTH = 640
_FLAT, _HIGH = 42, 68  # pixels of a card
_STACKED, _NARROW = 600, 420  # pixels below which cards, and a card's button, stand below


class Greeting(QWidget):
    """Above the composer: a greeting by the time of day, and the promise."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._hello = QLabel()
        self._lock = QLabel()
        self._promise = QLabel()
        set_class(self._hello, "title")
        set_class(self._promise, "lead")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._lock)
        row.addWidget(self._promise, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 12)
        layout.setSpacing(10)
        layout.addWidget(self._hello)
        layout.addLayout(row)
        self.set_theme(theme)
        self.greet(datetime.now())
        self.show_shared(shared=False)

    def show_shared(self, *, shared: bool) -> None:
        """Promise no more than holds while other computers lend their devices."""
        self._promise.setText(
            tr("Everything you write stays on your own computers.")
            if shared
            else tr("Everything you write stays on this computer.")
        )

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._lock.setPixmap(icon("lock", theme.muted).pixmap(LARGE_ICON_SIZE))

    def greet(self, at: datetime) -> None:
        """Greet by the hour."""
        if 5 <= at.hour < 12:
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
        self.setFixedHeight(_FLAT if flat else _HIGH)


class Suggestions(QWidget):
    """Below the composer: ways to begin, and what to do for a better model."""

    text_chosen = Signal(str)
    add_model_requested = Signal()
    models_requested = Signal()

    def __init__(self, theme: Theme) -> None:
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
                tr("Translate into Chinese:") + "\n\n",
            ),
            (tr("Explain"), tr("something in simple words"), tr("Explain in simple words: ")),
        ):
            card = _Card(title, line)
            card.clicked.connect(lambda _=False, chosen=text: self.text_chosen.emit(chosen))
            row.addWidget(card)
        self._no_model = False
        self._model_title = QLabel()
        self._model_line = QLabel()
        self._add = QPushButton(tr("Add a model…"))
        self._see = QPushButton(tr("Look at it"))
        self._see.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 14, 0, 0)
        layout.setSpacing(22)
        layout.addLayout(row)
        layout.addWidget(self._model_card())
        self.set_theme(theme)

    def _model_card(self) -> QFrame:
        card = QFrame()
        set_class(card, "card")
        set_class(self._model_title, "strong")
        set_class(self._model_line, "small")
        set_class(self._add, "primary")
        self._model_title.setWordWrap(True)
        self._model_line.setWordWrap(True)
        set_class(self._see, "primary")
        self._see.setAccessibleName(tr("Look at the recommended models"))
        self._add.clicked.connect(self.add_model_requested)
        self._see.clicked.connect(self.models_requested)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self._model_title)
        words.addWidget(self._model_line)
        self._offer = row = QBoxLayout(QBoxLayout.Direction.LeftToRight, card)
        row.setContentsMargins(18, 16, 18, 16)
        row.setSpacing(16)
        row.addLayout(words, 1)
        row.addWidget(self._add)
        row.addWidget(self._see)
        return card

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the cards beside or below each other."""
        super().resizeEvent(event)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        stacked = self.width() < _STACKED
        self._cards.setDirection(down if stacked else right)
        self._offer.setDirection(down if self.width() < _NARROW else right)
        for card in self.findChildren(_Card):
            card.set_flat(flat=stacked)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        for button, name in ((self._add, "plus"), (self._see, "download")):
            show_icon(button, name, theme.on_accent)

    def show_better_model(self, room_bytes: int) -> None:
        """Suggest a better model, by the memory there is room for."""
        self._no_model = False
        self._model_title.setText(tr("A better model fits this computer"))
        self._model_line.setText(
            tr(
                "The starter is tiny and often wrong. There is room here for models of up to "
                "about {size}: drop a GGUF file on this window, or choose one.",
                size=size_words(room_bytes),
            )
        )

    def show_recommended(self, entry: CatalogEntry, estimate: Estimate) -> None:
        """Suggest a model that fits in place of the one in use."""
        size, speed = size_words(entry.bytes), speed_number(estimate.tokens_per_s)
        summary = entry.summary_in(current_language())
        self._model_title.setText(tr("A better model fits this computer: {name}", name=entry.name))
        self._model_line.setText(
            tr(
                "{size} to download, about {n} tokens/s here. {summary}",
                size=size,
                n=speed,
                summary=summary,
            )
            if estimate.tokens_per_s
            else tr("{size} to download. {summary}", size=size, summary=summary)
        )
        self._add.hide()
        self._see.show()

    @property
    def says_no_model(self) -> bool:
        """True if it shows how to get a model."""
        return self._no_model

    def show_no_model(self) -> None:
        """Say how to get a model, since there is none."""
        self._no_model = True
        self._model_title.setText(tr("No model was found on this computer"))
        self._model_line.setText(
            tr(
                "ChatDesk runs open models in the GGUF format, which model hubs offer for "
                "download. Drop such a file on this window, or choose one that you have."
            )
        )
