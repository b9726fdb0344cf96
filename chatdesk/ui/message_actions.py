"""What stands below a message: how it ended, what can be done with it, what it cost."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from chatdesk.core.chat import Message, MessageState, Role
from chatdesk.core.generation import StopReason
from chatdesk.core.i18n import tr, trn
from chatdesk.ui.icons import ICON_SIZE, icon
from chatdesk.ui.theme import Theme, set_class

ROW_HEIGHT = 28
COPIED_MS = 1_500
_PIN = QSize(12, 12)


class ActionRow(QWidget):
    """Buttons and facts that are seen while the message is pointed at or one has the focus.

    Hidden ones are only not painted: their space stays, and the Tab key still reaches them.
    """

    copy_clicked = Signal()
    edit_clicked = Signal()
    regenerate_clicked = Signal()
    branch_clicked = Signal(str)
    pin_clicked = Signal()

    def __init__(self, role: Role, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._hovered = False
        self._always = False
        self._siblings: Sequence[str] = ()
        self._at = 0
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(COPIED_MS)
        self._copied.timeout.connect(self._show_copy)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        if role is Role.USER:
            line.addStretch(1)
        self.copy_button = self._button("copy", tr("Copy"), line)
        self.copy_button.clicked.connect(self._copy)
        if role is Role.USER:
            self.edit_button = self._button("pencil", tr("Edit and send again"), line)
            self.edit_button.clicked.connect(self.edit_clicked)
        else:
            self.regenerate_button = self._button("refresh", tr("Answer again"), line)
            self.regenerate_button.clicked.connect(self.regenerate_clicked)
        self.pin_button = self._button("pin", tr("Pin"), line)
        self.pin_button.clicked.connect(self.pin_clicked)
        self.previous_button = self._button("chevron-left", tr("Previous version"), line)
        self.previous_button.clicked.connect(lambda: self._go(-1))
        self.position = _Fading(self)
        line.addWidget(self.position)
        self.next_button = self._button("chevron-right", tr("Next version"), line)
        self.next_button.clicked.connect(lambda: self._go(1))
        self.facts = _Fading(self)
        if role is not Role.USER:
            line.addStretch(1)
            line.addWidget(self.facts)
        else:
            self.facts.hide()

    @property
    def revealed(self) -> bool:
        """Whether the row can be seen."""
        focus = self.window().focusWidget() if self.window() else None
        focused = focus is not None and self.isAncestorOf(focus) and focus.hasFocus()
        return self._always or self._hovered or focused

    def set_hovered(self, hovered: bool) -> None:
        """The pointer came to the message or left it."""
        self._hovered = hovered
        self.repaint_all()

    def set_always(self, always: bool) -> None:
        """Keep the row in sight, as below the last answer."""
        self._always = always
        self.repaint_all()

    def set_siblings(self, siblings: Sequence[str], message_id: str) -> None:
        """The ids of the message and its alternatives, in order."""
        self._siblings = siblings
        self._at = siblings.index(message_id) if message_id in siblings else 0
        several = len(siblings) > 1
        for widget in (self.previous_button, self.position, self.next_button):
            widget.setVisible(several)
        self.previous_button.setEnabled(self._at > 0)
        self.next_button.setEnabled(self._at < len(siblings) - 1)
        self.position.setText(f"{self._at + 1}/{len(siblings)}")
        self.position.setAccessibleName(
            tr("Version {number} of {count}", number=self._at + 1, count=len(siblings))
        )

    def set_pinned(self, pinned: bool) -> None:
        """Whether the message is pinned."""
        self.pin_button.setIcon(icon("pin", self._theme.accent if pinned else self._theme.muted))
        self.pin_button.setAccessibleName(tr("Unpin") if pinned else tr("Pin"))
        self.pin_button.setToolTip(
            tr("Unpin: when the context is full, the model may stop reading this message")
            if pinned
            else tr("Pin: the model goes on reading this message when the context is full")
        )

    def repaint_all(self) -> None:
        """Show or hide everything in the row."""
        for child in self.findChildren(QWidget):
            child.update()

    def _button(self, name: str, words: str, line: QHBoxLayout) -> QToolButton:
        button = _ActionButton(self)
        button.setIcon(icon(name, self._theme.muted))
        button.setIconSize(ICON_SIZE)
        button.setToolTip(words)
        button.setAccessibleName(words)
        line.addWidget(button)
        return button

    def _copy(self) -> None:
        self.copy_clicked.emit()
        self.copy_button.setIcon(icon("check", self._theme.accent))
        self.copy_button.setToolTip(tr("Copied"))
        self._copied.start()

    def _show_copy(self) -> None:
        self.copy_button.setIcon(icon("copy", self._theme.muted))
        self.copy_button.setToolTip(tr("Copy"))

    def _go(self, step: int) -> None:
        self.branch_clicked.emit(self._siblings[self._at + step])


class _ActionButton(QToolButton):
    def __init__(self, row: ActionRow) -> None:
        super().__init__(row)
        self._row = row
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._row.revealed:
            super().paintEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._row.repaint_all()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._row.repaint_all()


class _Fading(QLabel):
    def __init__(self, row: ActionRow) -> None:
        super().__init__(row)
        self._row = row
        set_class(self, "small")

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._row.revealed:
            super().paintEvent(event)


class PinMark(QWidget):
    """Says that a message is pinned."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip(tr("The model goes on reading this message when the context is full"))
        picture = QLabel(self)
        picture.setPixmap(icon("pin", theme.muted).pixmap(_PIN, self.devicePixelRatioF()))
        words = QLabel(tr("Pinned"), self)
        set_class(words, "tiny")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(picture)
        line.addWidget(words)


class StateLine(QWidget):
    """One sentence on how an answer stands, and the next step as a button."""

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

    def _button(self, words: str, name: str) -> QPushButton:
        button = QPushButton(icon(name, self._theme.muted), words, self)
        button.setIconSize(ICON_SIZE)
        button.setAccessibleName(words)
        set_class(button, "chip")
        return button

    def show_state(self, message: Message, is_last: bool) -> None:
        """Say how `message` ended; nothing when it ended well."""
        words, look, picture = _sentence(message)
        resumable = (
            bool(message.text or message.thinking) and message.state is not MessageState.FAILED
        )
        self.continue_button.setVisible(bool(words) and is_last and resumable)
        self.retry_button.setVisible(
            bool(words) and is_last and not resumable and message.state is not _STREAMING
        )
        self._show(words, look, picture)

    def show_progress(self, done: int, total: int) -> None:
        """Say how much of the prompt was read, in tokens."""
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
            self._icon.setPixmap(shown.pixmap(ICON_SIZE, self.devicePixelRatioF()))
        self.setVisible(bool(words))


def _sentence(message: Message) -> tuple[str, str, str]:
    """The words for a message's state, their look and their icon."""
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


def facts(message: Message) -> str:
    """What was measured of an answer: model, tokens, seconds. Unmeasured things are left out."""
    answer = message.answer
    if answer is None:
        return ""
    parts = [answer.model_name] if answer.model_name else []
    if answer.completion_tokens is not None:
        parts.append(trn("{n} token", "{n} tokens", answer.completion_tokens))
    if answer.duration_s is not None:
        parts.append(tr("{seconds} s", seconds=f"{answer.duration_s:.1f}"))
    return " · ".join(parts)


_STREAMING = MessageState.STREAMING
