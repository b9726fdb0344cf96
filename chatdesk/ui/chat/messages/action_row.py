"""The row below a message: its actions, and its cost."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from chatdesk.core.chat import Mark, Message, Rating, Role
from chatdesk.core.i18n import tr
from chatdesk.ui.icons import ICON_SIZE, icon
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.menus import open_menu
from chatdesk.ui.words import token_words

ROW_HEIGHT = 28
_THUMBS = {Rating.UP: "thumb-up", Rating.DOWN: "thumb-down"}
COPIED_MS = 1_500


class MessageActions(QObject):
    """Requests at messages: one object for all of a conversation.

    Who has a button for it emits the signal, who does it connects to it. The id of the message
    comes first.
    """

    regenerate_requested = Signal(str)
    continue_requested = Signal(str)
    edit_requested = Signal(str, str)  # ask this in place of the message
    correct_requested = Signal(str, str)  # put this beside the answer
    edit_changed = Signal(str, object)  # what is in the message's editor; None: it was closed
    edit_given_up = Signal(str, object)  # it was left with other words; None: with the old ones
    composer_wanted = Signal()  # what had the focus is gone
    branch_requested = Signal(str)
    delete_requested = Signal(str)
    pin_requested = Signal(str, bool)
    rate_requested = Signal(str, object)  # a Rating, or None to take it back
    mark_requested = Signal(str, object)  # a Mark or None


class ActionRow(QWidget):
    """Buttons and facts that are seen while the message is pointed at or one has the focus.

    Hidden ones are only not painted: their space stays, and the Tab key still reaches them.
    """

    edit_clicked = Signal()

    def __init__(
        self,
        message: Message,
        theme: Theme,
        actions: MessageActions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._message = message
        self._theme = theme
        self._actions = actions
        role = message.role
        self._hovered = False
        self._always = False
        self._siblings: Sequence[str] = ()
        self._at = 0
        self.rating_buttons: dict[Rating, QToolButton] = {}
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
        if role is not Role.USER:
            set_class(self.copy_button, "flush")  # with the words above it
        edit = tr("Edit and send again") if role is Role.USER else tr("Correct this answer")
        self.edit_button = self._button("pencil", edit, line)
        self.edit_button.clicked.connect(self.edit_clicked)
        if role is not Role.USER:
            self._add_rating(line)
        self.pin_button = self._button("pin", tr("Pin"), line)
        self.pin_button.clicked.connect(self._pin)
        self.more_button = self._button("more", tr("More"), line)
        self.more_button.clicked.connect(self._open_more)
        self.previous_button = self._button("chevron-left", tr("Previous version"), line)
        self.previous_button.clicked.connect(lambda: self._go(-1))
        self.position = _Fading(self)
        line.addWidget(self.position)
        self.next_button = self._button("chevron-right", tr("Next version"), line)
        self.next_button.clicked.connect(lambda: self._go(1))
        self.facts = _Facts(self)
        if role is not Role.USER:
            line.addSpacing(8)
            line.addWidget(self.facts, 1)
        else:
            self.facts.hide()

    @property
    def revealed(self) -> bool:
        """True if the row is visible."""
        focus = self.window().focusWidget() if self.window() else None
        focused = focus is not None and self.isAncestorOf(focus) and focus.hasFocus()
        in_menu = any(button.isDown() for button in self.findChildren(QToolButton))
        return self._always or self._hovered or focused or in_menu

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

    def show_message(self, message: Message) -> None:
        """Show if the message is pinned, rated or marked."""
        self._message = message
        self._show_pinned(message.pinned)
        for rating, button in self.rating_buttons.items():
            button.setVisible(bool(message.text))
            self._show_rated(rating, button, message.rating is rating)

    def _show_pinned(self, pinned: bool) -> None:
        self.pin_button.setIcon(icon("pin", self._theme.accent if pinned else self._theme.muted))
        self.pin_button.setAccessibleName(tr("Unpin") if pinned else tr("Pin"))
        self.pin_button.setToolTip(
            tr("Unpin: when the context is full, the model may stop reading this message")
            if pinned
            else tr("Pin: the model goes on reading this message when the context is full")
        )

    def more_menu(self) -> QMenu:
        """The menu of what is rarely done."""
        menu = QMenu(self)
        if self._message.role is not Role.USER:
            self._add_marks(menu)
            menu.addSeparator()
        delete = partial(self._actions.delete_requested.emit, self._message.id)
        asked = self._message.role is Role.USER
        menu.addAction(tr("Delete with its answer") if asked else tr("Delete"), delete)
        return menu

    def _add_marks(self, menu: QMenu) -> None:
        for mark, words in (
            (Mark.INCLUDE, tr("Learn from this")),
            (Mark.EXCLUDE, tr("Never learn from this")),
        ):
            is_set = self._message.mark is mark
            wanted = None if is_set else mark
            request = partial(self._actions.mark_requested.emit, self._message.id, wanted)
            action = menu.addAction(words, request)
            action.setCheckable(True)
            action.setChecked(is_set)

    def _open_more(self) -> None:
        menu = self.more_menu()
        self.more_button.setDown(True)
        menu.aboutToHide.connect(lambda: self.more_button.setDown(False))
        menu.aboutToHide.connect(self.repaint_all)
        open_menu(menu, self.more_button, once=True)

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

    def _add_rating(self, line: QHBoxLayout) -> None:
        self.regenerate_button = self._button("refresh", tr("Answer again"), line)
        self.regenerate_button.clicked.connect(self._regenerate)
        for rating, name in ((Rating.UP, tr("Good answer")), (Rating.DOWN, tr("Bad answer"))):
            button = self._button(_THUMBS[rating], name, line)
            button.setCheckable(True)
            set_class(button, "rating")
            button.clicked.connect(partial(self._rate, rating))
            self.rating_buttons[rating] = button

    def _rate(self, rating: Rating) -> None:
        button = self.rating_buttons[rating]
        wanted = button.isChecked()
        button.setChecked(not wanted)  # until it is stored
        self._actions.rate_requested.emit(self._message.id, rating if wanted else None)

    def _show_rated(self, rating: Rating, button: QToolButton, rated: bool) -> None:
        colour = self._theme.accent if rated else self._theme.muted
        button.setIcon(icon(_THUMBS[rating] + ("-filled" if rated else ""), colour))
        button.setChecked(rated)
        if rated:
            button.setToolTip(tr("Take the rating back"))
        elif rating is Rating.UP:
            button.setToolTip(tr("Good answer: the model may learn from it"))
        else:
            button.setToolTip(tr("Bad answer: the model may learn to avoid it"))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._message.text)
        self.copy_button.setIcon(icon("check", self._theme.accent))
        self.copy_button.setToolTip(tr("Copied"))
        self._copied.start()

    def _show_copy(self) -> None:
        self.copy_button.setIcon(icon("copy", self._theme.muted))
        self.copy_button.setToolTip(tr("Copy"))

    def _go(self, step: int) -> None:
        self._actions.branch_requested.emit(self._siblings[self._at + step])

    def _regenerate(self) -> None:
        self._actions.regenerate_requested.emit(self._message.id)

    def _pin(self) -> None:
        self._actions.pin_requested.emit(self._message.id, not self._message.pinned)


class _ActionButton(QToolButton):
    def __init__(self, row: ActionRow) -> None:
        super().__init__(row)
        self._row = row
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._row.revealed or self.isChecked():
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
        set_class(self, "tiny")

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._row.revealed:
            super().paintEvent(event)


class _Facts(_Fading):
    """At the right end; cut off where it is narrow."""

    def __init__(self, row: ActionRow) -> None:
        super().__init__(row)
        self._words = ""
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_words(self, words: str) -> None:
        self._words = words
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        elide, room = Qt.TextElideMode.ElideRight, self.width() + 1  # widths are rounded
        self.setText(self.fontMetrics().elidedText(self._words, elide, room))


def facts(message: Message) -> str:
    """Return the measurements of an answer: model, tokens, seconds. Missing ones are left out."""
    answer = message.answer
    if answer is None or message.corrects:  # what a person wrote has no such figures
        return ""
    parts = [answer.model_name] if answer.model_name else []
    if answer.completion_tokens is not None:
        parts.append(token_words(answer.completion_tokens))
    if answer.duration_s is not None:
        parts.append(tr("{seconds} s", seconds=f"{answer.duration_s:.1f}"))
    return " · ".join(parts)
