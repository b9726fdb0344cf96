"""The row below a message: its actions, and its cost."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from chatdesk.core.chat import Mark, Message, Rating, Role
from chatdesk.core.i18n import tr
from chatdesk.ui.chat.messages.answer_facts import AnswerFacts, facts
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.markdown.passing_button import PassingButton
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.menus import open_menu

ROW_HEIGHT = 28
_THUMBS = {Rating.UP: "thumb-up", Rating.DOWN: "thumb-down"}
COPIED_MS = 1_500


class MessageActions(QObject):
    """Requests at messages: one object for all of a conversation.

    Who has a button for it emits the signal, who does it connects to it. The id of the message
    comes first. `other_models` are those that may answer in place of the one in use, as id and
    name. `enter` is the rule for the editors of messages; with `teaches` answers can be rated and
    marked for learning.
    """

    regenerate_requested = Signal(str)
    other_model_requested = Signal(str, str)  # answer again with the model of this id
    continue_requested = Signal(str)
    edit_requested = Signal(str, str)  # ask this in place of the message
    correct_requested = Signal(str, str)  # put this beside the answer
    edit_changed = Signal(str, object)  # what is in the message's editor; None: it was closed
    edit_given_up = Signal(str, object)  # it was left with other words; None: with the old ones
    composer_wanted = Signal()  # what had the focus is gone
    branch_requested = Signal(str)
    copy_branch_requested = Signal(str)  # begin a chat with what leads to the message
    delete_requested = Signal(str)
    pin_requested = Signal(str, bool)
    rate_requested = Signal(str, object)  # a Rating, or None to take it back
    mark_requested = Signal(str, object)  # a Mark or None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.other_models: Sequence[tuple[str, str]] = ()
        self.enter = EnterRule()
        self.teaches = True


class ActionRow(QWidget):
    """Buttons and facts that are seen while the message is pointed at or has the focus.

    Hidden ones are only not painted: their space stays. A given thumb and the switch between
    versions are always seen.
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
        self._hovered = self._focused = self._always = self._in_menu = False
        self._siblings: Sequence[str] = ()
        self._at = 0
        self._buttons: list[QToolButton] = []
        self.rating_buttons: dict[Rating, QToolButton] = {}
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(COPIED_MS)
        self._copied.timeout.connect(self._show_copy)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        if message.role is Role.USER:
            line.addStretch(1)
        self._add_buttons(line, message.role)
        self._add_versions(line)
        self.facts = _FadingFacts(self)
        if message.role is not Role.USER:
            line.addSpacing(8)
            line.addWidget(self.facts, 1)
        else:
            self.facts.hide()
        self.show_message(message)

    @property
    def revealed(self) -> bool:
        """True if the row is visible."""
        return self._always or self._hovered or self._focused or self._in_menu

    @property
    def controls(self) -> list[QWidget]:
        """The buttons that can be pressed, from left to right."""
        return [each for each in self._buttons if each.isEnabled() and not each.isHidden()]

    def set_hovered(self, hovered: bool) -> None:
        """The pointer came to the message or left it."""
        if hovered != self._hovered:
            self._hovered = hovered
            self._repaint()

    def set_focused(self, focused: bool) -> None:
        """The focus came to the message or left it."""
        if focused != self._focused:
            self._focused = focused
            self._repaint()

    def set_always(self, always: bool) -> None:
        """Keep the row in sight, as below the last answer."""
        if always != self._always:
            self._always = always
            self._repaint()

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
        """Show if the message is pinned, rated or marked, and what it cost."""
        self._message = message
        self._show_pinned(message.pinned)
        self.facts.show_facts(facts(message))
        for button in self.rating_buttons.values():
            button.setVisible(bool(message.text) and self._actions.teaches)
        self._show_rating(message.rating)

    def more_menu(self) -> QMenu:
        """The menu of what is rarely done."""
        menu = QMenu(self)
        if self._actions.teaches:  # what is temporary stays where it is
            branch = partial(self._actions.copy_branch_requested.emit, self._message.id)
            menu.addAction(tr("Branch into a new chat"), branch)
            menu.addSeparator()
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

    def models_menu(self) -> QMenu:
        """The menu of the other models that may answer."""
        menu = QMenu(self)
        if not self._actions.other_models:
            menu.addAction(tr("There is no other model yet")).setEnabled(False)
        for model_id, name in self._actions.other_models:
            ask = partial(self._actions.other_model_requested.emit, self._message.id, model_id)
            menu.addAction(name, ask)
        return menu

    def _popup(self, menu: QMenu, button: QToolButton) -> None:
        """Open a menu below a button; the row stays in sight meanwhile."""

        def closed() -> None:
            self._in_menu = False
            button.setDown(False)
            self._repaint()

        self._in_menu = True
        button.setDown(True)
        menu.aboutToHide.connect(closed)
        open_menu(menu, button, once=True)

    def _repaint(self) -> None:
        for child in self.findChildren(QWidget):
            child.update()

    # Buttons

    def _add_buttons(self, line: QHBoxLayout, role: Role) -> None:
        add = partial(self._button, line)
        self.copy_button = add("copy", tr("Copy"), self._copy)
        if role is Role.USER:
            self.edit_button = add("pencil", tr("Edit and send again"), self.edit_clicked.emit)
        else:
            set_class(self.copy_button, "flush")  # with the words above it
            self.edit_button = add("pencil", tr("Correct this answer"), self.edit_clicked.emit)
            self._add_answer_buttons(add)
        self.pin_button = add("pin", tr("Pin"), self._pin)
        self.more_button = add("more", tr("More"))
        self.more_button.clicked.connect(lambda: self._popup(self.more_menu(), self.more_button))

    def _add_answer_buttons(self, add: Callable[..., PassingButton]) -> None:
        self.regenerate_button = add("refresh", tr("Answer again"), self._regenerate)
        self.models_button = add("chevron-down", tr("Answer again with another model"))
        self.models_button.clicked.connect(
            lambda: self._popup(self.models_menu(), self.models_button)
        )
        set_class(self.models_button, "narrow")
        for rating, name in ((Rating.UP, tr("Good answer")), (Rating.DOWN, tr("Bad answer"))):
            button = add(_THUMBS[rating], name, partial(self._rate, rating))
            button.setCheckable(True)
            set_class(button, "rating")
            self.rating_buttons[rating] = button

    def _add_versions(self, line: QHBoxLayout) -> None:
        back, on = partial(self._go, -1), partial(self._go, 1)
        kind = PassingButton
        self.previous_button = self._button(
            line, "chevron-left", tr("Previous version"), back, kind
        )
        self.position = QLabel(self)
        set_class(self.position, "small")
        line.addWidget(self.position)
        self.next_button = self._button(line, "chevron-right", tr("Next version"), on, kind)
        self.set_siblings((), self._message.id)

    def _button(
        self,
        line: QHBoxLayout,
        name: str,
        words: str,
        act: Callable[[], None] | None = None,
        kind: type[PassingButton] | None = None,
    ) -> PassingButton:
        button = (kind or _FadingButton)(self)
        button.setIcon(icon(name, self._theme.muted))
        button.setIconSize(icon_size())
        button.setToolTip(words)
        button.setAccessibleName(words)
        if act is not None:
            button.clicked.connect(lambda _checked=False: act())
        line.addWidget(button)
        self._buttons.append(button)
        return button

    # What they do, and how they look

    def _rate(self, rating: Rating) -> None:
        """Show the thumb at once; whoever stores it shows the message again if that fails."""
        wanted = rating if self.rating_buttons[rating].isChecked() else None
        self._show_rating(wanted)
        self._actions.rate_requested.emit(self._message.id, wanted)

    def _show_rating(self, given: Rating | None) -> None:
        for rating, button in self.rating_buttons.items():
            rated = rating is given
            colour = self._theme.accent if rated else self._theme.muted
            button.setIcon(icon(_THUMBS[rating] + ("-filled" if rated else ""), colour))
            button.setChecked(rated)
            if rated:
                button.setToolTip(tr("Take the rating back"))
            elif rating is Rating.UP:
                button.setToolTip(tr("Good answer: the model may learn from it"))
            else:
                button.setToolTip(tr("Bad answer: the model may learn to avoid it"))

    def _show_pinned(self, pinned: bool) -> None:
        self.pin_button.setIcon(icon("pin", self._theme.accent if pinned else self._theme.muted))
        self.pin_button.setAccessibleName(tr("Unpin") if pinned else tr("Pin"))
        self.pin_button.setToolTip(
            tr("Unpin: when the context is full, the model may stop reading this message")
            if pinned
            else tr("Pin: the model goes on reading this message when the context is full")
        )

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


class _FadingButton(PassingButton):
    def paintEvent(self, event: QPaintEvent) -> None:
        row = self.parentWidget()
        if self.isChecked() or (isinstance(row, ActionRow) and row.revealed):
            super().paintEvent(event)


class _FadingFacts(AnswerFacts):
    def paintEvent(self, event: QPaintEvent) -> None:
        row = self.parentWidget()
        if isinstance(row, ActionRow) and row.revealed:
            super().paintEvent(event)
