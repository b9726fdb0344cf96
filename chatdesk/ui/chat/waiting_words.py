"""Words that were sent and are not in the chat yet, above the composer."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.buttons import PictureButton
from chatdesk.ui.widgets.labels import LineLabel

BUTTON = 28


class WaitingWords(QWidget):
    """One card for each; `take_back_requested` carries the number of one to be edited again."""

    take_back_requested = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: tuple[str, Sequence[str]] = ("", ())
        self._cards: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 8)
        self._column.setSpacing(6)
        self.setAccessibleName(tr("Messages that wait"))
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        shown, self._shown = self._shown, ("", ())
        self.show_words(*shown)

    def show_words(self, on_its_way: str, words: Sequence[str]) -> None:
        """Show them; `on_its_way` is the state of the first if that cannot be taken back."""
        if (on_its_way, list(words)) == (self._shown[0], list(self._shown[1])):
            return
        self._shown = on_its_way, tuple(words)
        for card in self._cards:
            card.hide()
            card.deleteLater()
        self._cards = [
            self._card(number, text, on_its_way if number == 0 else "")
            for number, text in enumerate(words)
        ]
        self.setVisible(bool(self._cards))
        for card in self._cards:
            self._column.addWidget(card)
            card.show()  # at once: a layout would do it a turn of the event loop later

    def _card(self, number: int, text: str, on_its_way: str) -> QFrame:
        card = QFrame()
        set_class(card, "user-card")
        state = QLabel(on_its_way or tr("waits for the end of the answer"))
        set_class(state, "small")
        row = QHBoxLayout(card)
        row.setContentsMargins(16, 6, 16 if on_its_way else 8, 6)
        row.setSpacing(12)
        row.addWidget(LineLabel(" ".join(text.split()), ""), 1)
        row.addWidget(state)
        card.setAccessibleName(f"{text[:80]} ({state.text()})")
        if not on_its_way:
            row.addWidget(self._take_back(number))
        card.setMinimumHeight(scaled(BUTTON) + 12)
        return card

    def _take_back(self, number: int) -> QToolButton:
        button = PictureButton(tr("Take it back to edit it"), BUTTON)
        button.setIcon(icon("undo", self._theme.muted))
        button.clicked.connect(partial(self.take_back_requested.emit, number))
        return button
