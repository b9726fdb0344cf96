"""A row of the model lists: a name and a line at the left; fit, size and buttons at the right."""

from PySide6.QtCore import QSize, Qt
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

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import scaled, set_class
from chatdesk.ui.widgets.fields import plain_button
from chatdesk.ui.widgets.labels import LineLabel, PlainLabel
from chatdesk.ui.widgets.tag import Tag, Tone

NARROW = 680  # pixels below which the right part goes below the left one
NARROWEST = 440  # below which the fit also has a line of its own
_SIZE_WIDTH = 64


class HubRow(QFrame):
    """A row; `add_button` adds buttons, `add_tag` tags, and `left` takes more lines.

    With one `button_width` the buttons of several rows are aligned.
    """

    button_width = 120

    def __init__(self, name: str, quantization: str = "") -> None:
        super().__init__()
        set_class(self, "hub-row")
        self._name = name
        self.setAccessibleName(name)
        self.title = LineLabel(name)
        self.line = PlainLabel()
        self.chip = Tag()
        self.size_label = QLabel()
        set_class(self.size_label, "small")
        self.size_label.setMinimumWidth(scaled(_SIZE_WIDTH))
        self.size_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for part in (self.line, self.size_label):
            part.hide()
        self._tags = QHBoxLayout()
        self._tags.setSpacing(6)
        self._tags.addWidget(self.title)
        self._tags.addStretch(1)
        self._build()
        self.add_tag(quantization)

    def _build(self) -> None:
        self.left = QVBoxLayout()
        self.left.setSpacing(3)
        self.left.addLayout(self._tags)
        self.left.addWidget(self.line)
        self._right = QWidget()
        self._right.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._buttons = QHBoxLayout(self._right)
        self._buttons.setContentsMargins(0, 0, 0, 0)
        self._buttons.setSpacing(12)
        self._buttons.addWidget(self.chip)
        self._buttons.addStretch(1)
        self._buttons.addWidget(self.size_label)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._both.setContentsMargins(0, 11, 0, 12)
        self._both.setSpacing(16)
        self._both.addLayout(self.left, 1)
        self._both.addWidget(self._right)

    def add_tag(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        """Add a tag beside the name."""
        if words:
            tag = Tag()
            tag.setTextFormat(Qt.TextFormat.PlainText)
            self._tags.insertWidget(self._tags.count() - 1, tag)  # before the stretch
            tag.show_words(words, tone)  # inside its row: otherwise it would be a window

    def add_button(self, words: str, look: str = "") -> QPushButton:
        """Add a button at the right end; its accessible name also names its object."""
        button = plain_button(words)
        button.setMinimumWidth(scaled(self.button_width))
        if look:
            set_class(button, look)
        self.say_button(button, words)
        self._buttons.addWidget(button)
        return button

    def say_button(self, button: QPushButton, words: str) -> None:
        """Change the words of a button."""
        button.setText(words)
        button.setAccessibleName(tr("{action}: {name}", action=words, name=self._name))

    def offer(self, button: QPushButton, words: str, *, offered: bool) -> None:
        """Change the words of a button, and whether it does something now.

        The focus stays in the row: Qt would hand it to the next one, where Enter does that.
        """
        if button.hasFocus() and not offered:
            self.setFocus()
        self.say_button(button, words)
        button.setEnabled(offered)
        if self.hasFocus() and offered:
            button.setFocus()

    def say(self, line: str) -> None:
        """Set the text below the name."""
        self.line.setText(line)
        self.line.setVisible(bool(line))

    def say_size(self, words: str) -> None:
        """Set the size."""
        self.size_label.setText(words)
        self.size_label.setVisible(bool(words))

    def minimumSizeHint(self) -> QSize:
        """It may be as narrow as its buttons."""
        return QSize(self._right.minimumSizeHint().width(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move the right part below the left one where it is narrow."""
        super().resizeEvent(event)
        narrow = self.width() < scaled(NARROW)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._both.setDirection(way)
        self._both.setSpacing(8 if narrow else 16)
        above, is_above = self.width() < scaled(NARROWEST), self.left.indexOf(self.chip) >= 0
        if above and not is_above:
            self.left.addWidget(self.chip)
        elif is_above and not above:
            self._buttons.insertWidget(0, self.chip)
