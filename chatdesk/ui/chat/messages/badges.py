"""The badges above a message: pinned, corrected, or marked for learning."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from chatdesk.core.chat import Mark, Message
from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.theme import Theme, set_class

_PICTURE = 12  # pixels


class Badges(QWidget):
    """One line of small icons with words; hidden when there are none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[tuple[str, str, str], ...] = ()
        self._parts: list[QLabel] = []
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(4)
        self.hide()

    @property
    def words(self) -> tuple[str, ...]:
        """The words shown."""
        return tuple(words for _, words, _ in self._shown)

    def show_message(self, message: Message) -> None:
        """Show the badges of a message."""
        marks = _marks(message)
        if marks != self._shown:
            self._shown = marks
            self._rebuild()
        self.setVisible(bool(marks))

    def _rebuild(self) -> None:
        for part in self._parts:
            self._line.removeWidget(part)
            part.deleteLater()
        self._parts = []
        for name, words, meaning in self._shown:
            picture, label = QLabel(self), QLabel(words, self)
            drawn = icon(name, self._theme.muted)
            picture.setPixmap(drawn.pixmap(icon_size(_PICTURE), self.devicePixelRatioF()))
            picture.setContentsMargins(8 if self._parts else 0, 0, 0, 0)
            set_class(label, "tiny")
            for part in (picture, label):
                part.setToolTip(meaning)
                part.show()
                self._line.addWidget(part)
                self._parts.append(part)


def _marks(message: Message) -> tuple[tuple[str, str, str], ...]:
    """Return the icon, the words and the tooltip of each badge."""
    marks = []
    if message.pinned:
        meaning = tr("The model goes on reading this message when the context is full")
        marks.append(("pin", tr("Pinned"), meaning))
    if message.corrects:
        meaning = tr("You wrote this version; the model may learn from it")
        marks.append(("pencil", tr("Corrected by you"), meaning))
    if message.mark is Mark.INCLUDE:
        meaning = tr("You let the model learn from this answer")
        marks.append(("leaf", tr("To learn from"), meaning))
    if message.mark is Mark.EXCLUDE:
        meaning = tr("The model never learns from this answer")
        marks.append(("leaf-off", tr("Never learned from"), meaning))
    return tuple(marks)
