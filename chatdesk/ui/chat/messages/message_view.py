"""One message of the conversation, the user's in a card, the assistant's on the page."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QEnterEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QGroupBox, QWidget

from chatdesk.core.chat import Message, MessageState, Role, with_thinking_apart
from chatdesk.core.i18n import tr
from chatdesk.ui.chat.messages.action_row import ROW_HEIGHT, ActionRow, MessageActions
from chatdesk.ui.chat.messages.answer_body import AnswerBody, Folds
from chatdesk.ui.chat.messages.badges import Badges
from chatdesk.ui.chat.messages.message_editor import MessageEditor
from chatdesk.ui.chat.messages.question_card import QuestionCard
from chatdesk.ui.chat.messages.state_line import StateLine, has_words
from chatdesk.ui.theme import Theme, scaled

_ROW_GAP = 2
_OPEN_BUDGET_S = 0.025  # what is not shown within it comes with the next frames
_MARK_HEIGHT = 20
_BELOW_EDITOR = 12
_UNBOUNDED = 1 << 20


class MessageView(QGroupBox):
    """Shows a message; what can be asked for at it goes to `actions`.

    Its owner gives it a width with `relayout` and answers `resized` by doing so again. It is one
    stop of the Tab key; the arrow keys lead through its controls. `folds` keeps what is folded.
    """

    resized = Signal()
    fold_turned = Signal(object, bool)  # the button of a part, and True if that is folded now

    def __init__(
        self,
        message: Message,
        theme: Theme,
        actions: MessageActions,
        siblings: Sequence[str] = (),
        is_last: bool = False,
        parent: QWidget | None = None,
        folds: Folds | None = None,
    ) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the column leads the Tab key
        self.message = message = with_thinking_apart(message)
        self._theme = theme
        self.message_actions = actions
        self._siblings = siblings
        self._is_last = is_last
        self._unsaved = False
        self.given_up: str | None = None  # what was typed in an editor that was left
        self._folds: Folds = {} if folds is None else folds
        self._row: ActionRow | None = None
        self._row_place = 0, 0  # its width and its top
        self.editor: MessageEditor | None = None
        self.most_high = _UNBOUNDED  # pixels of it that are in sight at once
        self.card: QuestionCard | None = None
        self.body: AnswerBody | None = None
        self._state: StateLine | None = None
        if message.role is Role.USER:
            self.card = QuestionCard(theme, self, folded=self._folds.get(0, True))
            self.card.folded.connect(self._turn_question)
            self.card.show_text(message.text)
            self.setAccessibleName(tr("Your message"))
        else:
            self.body = AnswerBody(theme, self, self._folds)
            self.body.fold_turned.connect(self.fold_turned)
            self.setAccessibleName(tr("Answer"))
        self.marks = Badges(theme, self)
        self._show_marks()
        if self.body is not None:
            self._show_answer(message)
        self._show_state()

    @property
    def actions_row(self) -> ActionRow:
        """The buttons below the message; made when they are first seen."""
        if self._row is None:
            self._row = row = ActionRow(self.message, self._theme, self.message_actions, self)
            row.edit_clicked.connect(self.begin_edit)
            row.set_siblings(self._siblings, self.message.id)
            self._place_row()
            self._show_row()
        return self._row

    def set_message(self, message: Message) -> None:
        """Show another state or text of the same message."""
        message = with_thinking_apart(message)
        was_streaming = self.message.state is MessageState.STREAMING
        streaming = message.state is MessageState.STREAMING
        before = self.message.text, self.message.thinking
        changed = (message.text, message.thinking) != before or streaming != was_streaming
        self.message = message
        self._show_marks()
        if self.card is not None and changed:
            self.card.show_text(message.text)
        elif self.body is not None and changed:
            self._show_answer(message)
        self._show_state()

    def set_last(self, is_last: bool) -> None:
        """Set if no message follows this one."""
        if is_last != self._is_last:
            self._is_last = is_last
            self._show_state()

    def set_unsaved(self, unsaved: bool) -> None:
        """Set if the answer is not saved yet."""
        self._unsaved = unsaved
        self._show_state()

    def append_thinking(self, piece: str, *, at_start: bool) -> None:
        """More of what the model thinks before its answer; `flush` shows it."""
        if self.body is not None:
            self._hide_state()
            self.body.append_thinking(piece, at_start=at_start)

    def append_text(self, piece: str) -> None:
        """More of the answer; `flush` shows it."""
        if self.body is not None:
            self._hide_state()
            self.body.append_text(piece)

    def flush(self, budget_s: float) -> None:
        """Show what has come, for about `budget_s` seconds."""
        if self.body is not None:
            self.body.flush(budget_s)

    @property
    def unfinished(self) -> bool:
        """True if there is more to show than `flush` has shown."""
        return self.body is not None and self.body.unfinished

    def finish(self, message: Message, streamed: Message) -> None:
        """The answer ended as `message`; `streamed` is what came of it piece by piece."""
        self.message = message
        if self.body is not None and message.answer is not None:
            self.body.finish(message.answer.thinking_s)
            came = (streamed.text, streamed.thinking)
            if (message.text, message.thinking) != came or self.body.needs_definitions:
                self._show_whole(message)
            self.body.flush(_OPEN_BUDGET_S)
            self.body.set_caret(False)
        self._show_marks()
        self._show_state()

    def set_prompt_progress(self, done: int, total: int) -> None:
        """The prompt is being read; both numbers are tokens."""
        if self._state is not None and not _has_begun(self.message):
            self._state.show_progress(done, total)

    def set_caret(self, shown: bool) -> None:
        """Show or hide the block where text is being written."""
        if self.body is not None:
            self.body.set_caret(shown)

    @property
    def editing(self) -> bool:
        """True while the text is being edited."""
        return self.editor is not None

    def begin_edit(self, text: str | None = None) -> None:
        """Edit the message in place, or go on.

        It begins with `text`, or else with what was given up last, or else as it stands.
        """
        if self.editor is None:
            kept = self.message.text if self.given_up is None else self.given_up
            text = kept if text is None else text
            self.open_editor(text).go_on()
            self.message_actions.edit_changed.emit(self.message.id, text)
        else:
            self.editor.go_on()

    def open_editor(self, text: str) -> MessageEditor:
        """Show the editor with what was typed in it before; the focus stays where it is."""
        role, message_id = self.message.role, self.message.id
        actions = self.message_actions
        editor = MessageEditor(role, text, self.message.text, actions.enter, self)
        self.editor = editor
        requested = actions.edit_requested if self.card else actions.correct_requested
        editor.cancelled.connect(self._give_up_edit)
        editor.accepted.connect(partial(requested.emit, message_id))
        editor.changed.connect(partial(actions.edit_changed.emit, message_id))
        editor.resized.connect(self.resized)
        for part in (self.card, self.body, self._state, self._row, self.marks):
            if part is not None:
                part.hide()
        editor.show()
        self.resized.emit()
        return editor

    def _give_up_edit(self) -> None:
        """Leave the editor. What was typed comes back with the next one."""
        assert self.editor
        text = self.editor.text.toPlainText()
        is_other = bool(text.strip()) and text.strip() != self.message.text.strip()
        self.end_edit()
        self.given_up = text if is_other else None
        self.message_actions.edit_given_up.emit(self.message.id, self.given_up)

    def end_edit(self) -> None:
        """Close the editor: its text was accepted, or given up."""
        if self.editor is None:
            return
        self.given_up = None
        focused = QApplication.focusWidget()
        was_focused = focused is not None and self.editor.isAncestorOf(focused)
        self.editor.hide()
        self.editor.deleteLater()
        self.editor = None
        for part in (self.card, self.body, self._row):
            if part is not None:
                part.show()
        self._show_marks()
        self._show_state()
        if was_focused:
            self.message_actions.composer_wanted.emit()
        self.message_actions.edit_changed.emit(self.message.id, None)
        self.resized.emit()

    def relayout(self, width: int) -> int:
        """Place everything in `width` pixels; the height that is needed."""
        if self.editor is not None:
            height = self.editor.height_for(width, self.most_high - _BELOW_EDITOR)
            self.editor.setGeometry(0, 0, width, height)
            return height + _BELOW_EDITOR
        top = self._place_mark(width)
        if self.card is not None:
            top += self.card.place(width, top)
        else:
            top = self._place_answer(width, top)
        self._row_place = width, top + _ROW_GAP
        self._place_row()
        return top + _ROW_GAP + scaled(ROW_HEIGHT)

    def keep_in_sight(self, top: int, bottom: int) -> None:
        """Let what is high show its head and its scroll bar between these heights, in pixels."""
        if self.body is not None:
            self.body.keep_in_sight(top - self.body.y(), bottom - self.body.y())

    # The pointer and the focus

    def set_hovered(self, hovered: bool) -> None:
        """Show the actions while the pointer is over the message."""
        if hovered or self._row is not None:
            self.actions_row.set_hovered(hovered)

    def enterEvent(self, event: QEnterEvent) -> None:
        """The actions come into sight."""
        super().enterEvent(event)
        self.set_hovered(True)

    def leaveEvent(self, event: QEvent) -> None:
        """The actions go out of sight."""
        super().leaveEvent(event)
        self.set_hovered(False)

    @property
    def controls(self) -> list[QWidget]:
        """What can be done at the message, in reading order."""
        found: list[QWidget] = []
        for part in (self.card, self.body, self._state):
            if part is not None and not part.isHidden():
                found += part.controls
        row = self.actions_row
        return found if row.isHidden() else [*found, *row.controls]

    def set_focused(self, focused: bool) -> None:
        """Show the actions while the focus is in the message."""
        if focused or self._row is not None:
            self.actions_row.set_focused(focused)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Nothing of a group box is seen; it is one for screen readers."""

    def _turn_question(self, folded: bool) -> None:
        assert self.card is not None
        self._folds[0] = folded
        self.fold_turned.emit(self.card.fold_button, folded)

    def _show_marks(self) -> None:
        if self._row is not None:
            self._row.show_message(self.message)
        self.marks.show_message(self.message)
        if self.editing:
            self.marks.hide()

    def _show_answer(self, message: Message) -> None:
        assert self.body is not None
        if message.state is MessageState.STREAMING:
            self.body.set_text("")
            if message.thinking:
                self.body.append_thinking(message.thinking)
            if message.text:
                self.body.append_text(message.text)
        else:
            self._show_whole(message)
        self.body.flush(_OPEN_BUDGET_S)

    def _show_whole(self, message: Message) -> None:
        assert self.body is not None
        seconds = message.answer.thinking_s if message.answer else None
        self.body.set_text(message.text, message.thinking, seconds)

    def _hide_state(self) -> None:
        if self._state is not None and self._state.isVisibleTo(self):
            self._state.hide()

    def _show_state(self) -> None:
        if self._state is not None or (
            self.body is not None and has_words(self.message, self._unsaved)
        ):
            state = self._state = self._state or self._make_state()
            state.show_state(self.message, self._is_last, unsaved=self._unsaved)
            if self._is_streaming and not _has_begun(self.message):
                state.show_progress(0, 0)
        if self._row is not None or self._shows_actions:
            self.actions_row.set_always(self._is_last and self.body is not None)
            self._show_row()

    def _make_state(self) -> StateLine:
        """Make the line with the state, which few answers have something to say in."""
        made, message_id = StateLine(self._theme, self), self.message.id
        actions = self.message_actions
        made.continue_clicked.connect(partial(actions.continue_requested.emit, message_id))
        made.retry_clicked.connect(partial(actions.regenerate_requested.emit, message_id))
        return made

    @property
    def _is_streaming(self) -> bool:
        return self.message.state is MessageState.STREAMING

    @property
    def _shows_actions(self) -> bool:
        """True if there are actions to be seen without being pointed at."""
        is_last_answer = self._is_last and self.body is not None and not self._is_streaming
        return is_last_answer or self.message.rating is not None or len(self._siblings) > 1

    def _show_row(self) -> None:
        self.actions_row.setVisible(not self._is_streaming and not self.editing)

    def _place_row(self) -> None:
        if self._row is not None:
            width, top = self._row_place
            self._row.setGeometry(0, top, width, scaled(ROW_HEIGHT))

    def _place_mark(self, width: int) -> int:
        """Put the marks above the message; where the message begins."""
        if not self.marks.words:
            return 0
        mark = self.marks.sizeHint().width()
        left = width - mark - 16 if self.card else 0  # below the words of the card
        self.marks.setGeometry(left, 0, mark, scaled(_MARK_HEIGHT))
        return scaled(_MARK_HEIGHT) + _ROW_GAP

    def _place_answer(self, width: int, top: int) -> int:
        assert self.body is not None
        self.body.move(0, top)
        height = self.body.relayout(width)
        top += height
        if self._state is not None and self._state.isVisibleTo(self):
            top += 6 if height else 0
            hint = max(self._state.heightForWidth(width), self._state.sizeHint().height())
            self._state.setGeometry(0, top, width, hint)
            top += hint
        return top


def _has_begun(message: Message) -> bool:
    """Return True if there is something to see of an answer."""
    return bool(message.text or message.thinking)
