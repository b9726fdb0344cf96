"""The state or the end of an answer, and the next step as a button."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from chatdesk.core.chat import Message, MessageState, StopReason
from chatdesk.core.i18n import tr
from chatdesk.ui.icons import icon, icon_size, show_icon
from chatdesk.ui.markdown.passing_button import PassingButton
from chatdesk.ui.theme import Theme, set_class


class StateLine(QWidget):
    """One sentence on the state of an answer, and the next step as a button."""

    continue_clicked = Signal()
    retry_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 2, 0, 2)
        line.setSpacing(8)
        self._icon = QLabel(self)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.continue_button = self._button(tr("Continue"), "play")
        self.continue_button.setToolTip(tr("Go on with this answer where it ended"))
        self.continue_button.clicked.connect(self.continue_clicked)
        self.retry_button = self._button(tr("Try again"), "refresh")
        self.retry_button.setToolTip(tr("Ask for this answer again"))
        self.retry_button.clicked.connect(self.retry_clicked)
        line.addWidget(self._icon)
        line.addWidget(self.words, 1)
        line.addWidget(self.continue_button)
        line.addWidget(self.retry_button)

    @property
    def controls(self) -> list[QWidget]:
        """The buttons of the next step."""
        found = (self.continue_button, self.retry_button)
        return [each for each in found if not each.isHidden()]

    def _button(self, words: str, name: str) -> PassingButton:
        button = PassingButton(self)
        button.setText(words)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        show_icon(button, name, self._theme.muted)
        button.setAccessibleName(words)
        set_class(button, "step")
        return button

    def show_state(self, message: Message, is_last: bool, *, unsaved: bool = False) -> None:
        """Show how `message` ended, and if it is not saved yet; nothing when all is well."""
        words, look, picture = _sentence(message, unsaved)
        resumable = (
            bool(message.text or message.thinking) and message.state is not MessageState.FAILED
        )
        ended_early = bool(_sentence(message)[0])
        self.continue_button.setVisible(ended_early and is_last and resumable)
        self.retry_button.setVisible(
            ended_early
            and is_last
            and not resumable
            and message.state is not MessageState.STREAMING
        )
        self._show(words, look, picture)

    def show_progress(self, done: int, total: int) -> None:
        """Show how much of the prompt was read, in tokens."""
        self.continue_button.hide()
        self.retry_button.hide()
        words = tr("Reading… {done} of {total} tokens", done=f"{done:,}", total=f"{total:,}")
        self._show(words if total else tr("Reading…"), "small", "")

    def _show(self, words: str, look: str, picture: str) -> None:
        if self.words.property("class") != look:
            set_class(self.words, look)
        self.words.setText(words)
        self._icon.setVisible(bool(picture))
        if picture:
            colour = {"danger": self._theme.danger, "warn": self._theme.warn}.get(look)
            shown = icon(picture, colour or self._theme.muted)
            self._icon.setPixmap(shown.pixmap(icon_size(), self.devicePixelRatioF()))
        self.setVisible(bool(words))


def has_words(message: Message, unsaved: bool) -> bool:
    """Return True if there is something to say on the state of an answer."""
    return message.state is MessageState.STREAMING or bool(_sentence(message, unsaved)[0])


def _sentence(message: Message, unsaved: bool = False) -> tuple[str, str, str]:
    """Return the words for a message's state, their look and their icon."""
    if unsaved and message.state is not MessageState.STREAMING:
        return _not_saved(message), "warn", "warning"
    error = message.answer.error if message.answer else None
    reason = message.answer.stop_reason if message.answer else None
    kept = bool(message.text or message.thinking)
    if message.state is MessageState.STOPPED:
        stopped = tr("Stopped by you. What was written is kept.")
        return (stopped if kept else tr("Stopped by you."), "small", "stop")
    if message.state is MessageState.INTERRUPTED:
        lost = tr("The answer was interrupted.")
        kept_words = tr("The answer was interrupted. What was written is kept.")
        return (error or (kept_words if kept else lost), "warn", "warning")
    if message.state is MessageState.FAILED:
        return (error or tr("The answer could not be generated."), "danger", "warning")
    if message.state is MessageState.COMPLETE and reason == StopReason.LENGTH:
        return (tr("The answer reached its maximum length."), "small", "info")
    return ("", "small", "")


def _not_saved(message: Message) -> str:
    """How an answer ended that is not saved yet."""
    error = message.answer.error if message.answer else None
    if message.state is MessageState.STOPPED:
        return tr("Stopped by you. What was written is not saved yet.")
    if message.state is MessageState.COMPLETE:
        return tr("This answer is not saved yet.")
    if error:
        return tr("{what} {todo}", what=error, todo=tr("What was written is not saved yet."))
    return tr("The answer was interrupted. What was written is not saved yet.")
