from dataclasses import replace
from time import perf_counter

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import AnswerRecord, Mark, Message, MessageState, Rating, Role, StopReason
from chatdesk.ui.chat.messages.action_row import MessageActions
from chatdesk.ui.chat.messages.answer_facts import facts
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.chat.messages.question_card import CARD_WIDTH
from chatdesk.ui.chat.messages.state_line import StateLine
from chatdesk.ui.chat.messages.thinking_fold import ThinkingFold
from chatdesk.ui.markdown.passing_button import PassingButton
from chatdesk.ui.theme import Theme
from tests.ui.conftest import make_message

WIDTH = 760


def shown(
    qtbot: QtBot, theme: Theme, message: Message, siblings: tuple[str, ...] = (), last: bool = True
) -> MessageView:
    view = MessageView(message, theme, MessageActions(), siblings, last)
    qtbot.addWidget(view)
    view.resize(WIDTH, view.relayout(WIDTH))
    with qtbot.waitExposed(view):
        view.show()
    return view


def state_line(view: MessageView) -> StateLine:
    found = view.findChild(StateLine)
    assert isinstance(found, StateLine)
    return found


def test_a_short_message_gets_a_narrow_card_at_the_right(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("1", Role.USER, "Hi"))
    card = view.card
    assert card is not None
    assert card.width() < 100
    assert card.geometry().right() == WIDTH - 1


def test_a_long_message_is_wrapped_and_shown_as_written(qtbot: QtBot, theme: Theme) -> None:
    text = "**not bold** " * 40 + "\n\n<b>next</b>"
    view = shown(qtbot, theme, make_message("1", Role.USER, text))
    assert view.card is not None
    assert view.card.width() <= CARD_WIDTH
    assert view.card.text.toPlainText() == text


@pytest.mark.parametrize(
    ("state", "text", "words", "button"),
    [
        (MessageState.STOPPED, "half", "Stopped by you. What was written is kept.", "Continue"),
        (MessageState.STOPPED, "", "Stopped by you.", "Try again"),
        (MessageState.INTERRUPTED, "half", "It broke.", "Continue"),
        (MessageState.FAILED, "", "It broke.", "Try again"),
    ],
)
def test_every_end_says_what_happened_and_what_to_do(
    qtbot: QtBot, theme: Theme, state: MessageState, text: str, words: str, button: str
) -> None:
    record = AnswerRecord(error="It broke." if state is not MessageState.STOPPED else None)
    view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, text, state, record))
    line = state_line(view)
    assert line.isVisible()
    assert line.words.text() == words
    both = {"Continue": line.continue_button, "Try again": line.retry_button}
    assert [name for name, found in both.items() if found.isVisible()] == [button]
    signal = (
        view.message_actions.continue_requested
        if button == "Continue"
        else view.message_actions.regenerate_requested
    )
    with qtbot.waitSignal(signal, check_params_cb=lambda message_id: message_id == "7"):
        both[button].click()


def test_an_answer_cut_at_its_length_can_be_continued(qtbot: QtBot, theme: Theme) -> None:
    record = AnswerRecord(stop_reason=StopReason.LENGTH)
    message = make_message("7", Role.ASSISTANT, "half", answer=record)
    assert state_line(shown(qtbot, theme, message)).continue_button.isVisible()
    earlier = shown(qtbot, theme, message, last=False)
    assert not state_line(earlier).continue_button.isVisible()


def test_progress_of_the_prompt_gives_way_to_the_answer(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, "", MessageState.STREAMING))
    view.set_prompt_progress(512, 3_900)
    assert state_line(view).words.text() == "Reading… 512 of 3,900 tokens"
    view.append_text("The")
    assert not state_line(view).isVisible()


def test_facts_are_what_was_measured(qtbot: QtBot, theme: Theme) -> None:
    record = AnswerRecord(model_name="SmolLM2 135M", completion_tokens=318, duration_s=7.66)
    message = make_message("7", Role.ASSISTANT, "x", answer=record)
    assert facts(message) == ["SmolLM2 135M", "318 tokens", "7.7\u00a0s"]
    assert facts(make_message("8", Role.ASSISTANT, "x")) == []


def test_copy_leaves_the_reasoning_out(qtbot: QtBot, qapp: QApplication, theme: Theme) -> None:
    text = "<think>hm</think>\n\n**The** answer"
    view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, text))
    view.actions_row.copy_button.click()
    assert qapp.clipboard().text() == "**The** answer"


def test_an_answer_stopped_in_its_thinking_can_be_continued(qtbot: QtBot, theme: Theme) -> None:
    record = AnswerRecord(thinking_s=3.0)
    message = make_message("7", Role.ASSISTANT, "", MessageState.STOPPED, record, "I think")
    view = shown(qtbot, theme, message)
    assert state_line(view).words.text() == "Stopped by you. What was written is kept."
    assert state_line(view).continue_button.isVisible()
    view.set_message(replace(message, state=MessageState.STREAMING))
    assert not state_line(view).isVisible()
    view.append_thinking(" more", at_start=False)
    view.append_text("So.")
    view.flush(1)
    assert view.body
    fold = view.body.segments[0]
    assert isinstance(fold, ThinkingFold)
    assert fold.text == "I think more"
    done = make_message(
        "7", Role.ASSISTANT, "So.", answer=AnswerRecord(thinking_s=5.0), thinking="I think more"
    )
    view.finish(done, message)
    assert fold_words(view) == "Thought for 5\u00a0s"


def fold_words(view: MessageView) -> str:
    assert view.body
    fold = view.body.segments[0]
    assert isinstance(fold, ThinkingFold)
    return fold.fold_button.text()


@pytest.mark.parametrize("role", [Role.USER, Role.ASSISTANT])
def test_a_pinned_message_says_so_and_can_be_unpinned(
    qtbot: QtBot, theme: Theme, role: Role
) -> None:
    view = shown(qtbot, theme, make_message("7", role, "Remember this."))
    button = view.actions_row.pin_button
    height = view.height()
    assert not view.marks.isVisible()
    assert button.accessibleName() == "Pin"
    with qtbot.waitSignal(view.message_actions.pin_requested) as asked:
        button.click()
    assert asked.args == ["7", True]
    view.set_message(replace(view.message, pinned=True))
    assert view.marks.isVisible()
    assert view.relayout(WIDTH) > height
    shown_below = view.card or view.body
    assert shown_below
    assert view.marks.geometry().bottom() < shown_below.geometry().top()
    assert button.accessibleName() == "Unpin"
    with qtbot.waitSignal(view.message_actions.pin_requested) as asked:
        button.click()
    assert asked.args == ["7", False]
    view.set_message(replace(view.message, pinned=False))
    assert view.relayout(WIDTH) == height


def test_the_mark_of_a_pinned_message_makes_room_for_the_editor(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, replace(make_message("7", Role.USER, "Hi"), pinned=True))
    assert view.marks.isVisible()
    view.begin_edit()
    assert view.editor
    assert not view.marks.isVisible()
    view.editor.cancelled.emit()
    assert view.marks.isVisible()


def test_a_thumb_is_given_and_taken_back(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, "Yes."))
    up, down = (view.actions_row.rating_buttons[rating] for rating in Rating)
    assert (up.accessibleName(), down.accessibleName()) == ("Good answer", "Bad answer")
    assert "may learn" in up.toolTip() and "may learn" in down.toolTip()
    up.setFocus(Qt.FocusReason.TabFocusReason)
    with qtbot.waitSignal(view.message_actions.rate_requested) as asked:
        QTest.keyClick(up, Qt.Key.Key_Space)
    assert asked.args == ["7", Rating.UP]
    assert up.isChecked()  # at once
    view.set_message(view.message)  # it could not be stored
    assert not up.isChecked()
    view.set_message(replace(view.message, rating=Rating.UP))
    assert up.isChecked() and not down.isChecked()
    with qtbot.waitSignal(view.message_actions.rate_requested) as asked:
        up.click()
    assert asked.args == ["7", None]
    with qtbot.waitSignal(view.message_actions.rate_requested) as asked:
        down.click()
    assert asked.args == ["7", Rating.DOWN]


def test_what_was_not_said_is_not_rated(qtbot: QtBot, theme: Theme) -> None:
    streaming = make_message("7", Role.ASSISTANT, "", MessageState.STREAMING)
    view = shown(qtbot, theme, streaming)
    up = view.actions_row.rating_buttons[Rating.UP]
    failed = replace(streaming, state=MessageState.FAILED)
    view.finish(failed, streaming)
    assert not up.isVisible()
    view.finish(replace(failed.with_words(text="So."), state=MessageState.COMPLETE), streaming)
    assert up.isVisible()


def test_a_thumb_that_was_given_is_seen_without_pointing(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, "Yes."), last=False)
    view.set_hovered(False)
    unrated = picture(view)
    view.set_message(replace(view.message, rating=Rating.DOWN))
    rated = picture(view)
    assert rated != unrated
    accent, place = QColor(theme.accent), view.actions_row.rating_buttons[Rating.DOWN].geometry()
    inside = (
        rated.pixelColor(x, y)
        for x in range(place.left(), place.right())
        for y in range(place.top(), place.bottom())
    )
    assert accent in inside


def test_an_answer_is_marked_for_learning(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, "Yes."))
    assert choose_more(qtbot, view, "Learn from this") == ["7", Mark.INCLUDE]
    view.set_message(replace(view.message, mark=Mark.INCLUDE))
    assert view.marks.words == ("To learn from",)
    assert choose_more(qtbot, view, "Never learn from this") == ["7", Mark.EXCLUDE]
    view.set_message(replace(view.message, mark=Mark.EXCLUDE))
    assert view.marks.words == ("Never learned from",)
    assert choose_more(qtbot, view, "Never learn from this") == ["7", None]


def choose_more(qtbot: QtBot, view: MessageView, words: str) -> list[object]:
    """What is asked for when this line of the menu is chosen."""
    actions = view.actions_row.more_menu().actions()
    assert sum(action.isChecked() for action in actions) == (view.message.mark is not None)
    action = next(action for action in actions if action.text() == words)
    with qtbot.waitSignal(view.message_actions.mark_requested) as asked:
        action.trigger()
    return list(asked.args)


def test_an_answer_is_corrected_in_its_place(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, "Berne is in France."))
    assert view.actions_row.edit_button.accessibleName() == "Correct this answer"
    view.actions_row.edit_button.click()
    assert view.editor is not None and view.body is not None
    assert not view.body.isVisible()
    assert not view.editor.accept_button.isEnabled()  # nothing is better yet
    QTest.keyClick(view.editor.text, Qt.Key.Key_Escape)
    assert view.body.isVisible() and not view.editing
    view.begin_edit()
    assert view.editor is not None
    view.editor.text.setPlainText("Berne is in Switzerland.")
    with (
        qtbot.assertNotEmitted(view.message_actions.edit_requested),
        qtbot.waitSignal(view.message_actions.correct_requested) as asked,
    ):
        QTest.keyClick(view.editor.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert asked.args == ["7", "Berne is in Switzerland."]


def test_a_correction_says_whose_it_is_and_has_no_figures(qtbot: QtBot, theme: Theme) -> None:
    message = replace(make_message("8", Role.ASSISTANT, "Better."), answer=None, corrects="7")
    view = shown(qtbot, theme, message, ("7", "8"))
    assert view.marks.words == ("Corrected by you",)
    assert facts(message) == []
    assert view.findChild(StateLine) is None


def test_a_long_answer_gets_a_high_editor(qtbot: QtBot, theme: Theme) -> None:
    heights = []
    for words in ("short", "one long paragraph " * 60, "one long paragraph " * 6000):
        view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, words))
        view.begin_edit()
        heights.append(view.relayout(WIDTH))
    assert heights[0] < heights[1] - 60 < heights[2]
    assert heights[2] < 600


def test_versions_are_switched(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("b", Role.ASSISTANT, "x"), ("a", "b"))
    row = view.actions_row
    assert row.position.text() == "2/2"
    assert not row.next_button.isEnabled()
    with qtbot.waitSignal(
        view.message_actions.branch_requested, check_params_cb=lambda found: found == "a"
    ):
        row.previous_button.click()


def test_regenerate_names_the_message(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("b", Role.ASSISTANT, "x"))
    with qtbot.waitSignal(
        view.message_actions.regenerate_requested, check_params_cb=lambda found: found == "b"
    ):
        view.actions_row.regenerate_button.click()


def test_editing_sends_or_gives_up(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("u", Role.USER, "Old"))
    view.actions_row.edit_button.click()
    assert view.editor is not None
    assert view.editor.text.toPlainText() == "Old"
    QTest.keyClick(view.editor.text, Qt.Key.Key_Escape)
    assert not view.editing
    view.begin_edit()
    assert view.editor is not None
    view.editor.text.setPlainText("New")
    with qtbot.waitSignal(view.message_actions.edit_requested) as sent:
        QTest.keyClick(view.editor.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sent.args == ["u", "New"]
    assert view.editor.text.isReadOnly()  # until it is accepted
    assert not view.editor.accept_button.isEnabled()
    view.end_edit()
    assert not view.editing


def test_nothing_is_not_sent(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("u", Role.USER, "Old"))
    view.begin_edit()
    assert view.editor is not None
    view.editor.text.setPlainText("  ")
    assert not view.editor.accept_button.isEnabled()
    with qtbot.assertNotEmitted(view.message_actions.edit_requested):
        QTest.keyClick(view.editor.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def picture(view: MessageView) -> QImage:
    return view.actions_row.grab().toImage()


def test_actions_are_seen_when_pointed_at_or_focused(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("u", Role.USER, "Hi"))
    view.set_hovered(False)
    hidden = picture(view)
    height = view.height()
    view.set_hovered(True)
    assert picture(view) != hidden
    view.set_hovered(False)
    assert picture(view) == hidden
    view.set_focused(True)
    assert picture(view) != hidden
    view.set_focused(False)
    assert picture(view) == hidden
    assert view.relayout(WIDTH) == height


@pytest.mark.parametrize("role", [Role.USER, Role.ASSISTANT])
def test_every_control_has_a_name_a_tip_and_takes_the_focus(
    qtbot: QtBot, theme: Theme, role: Role
) -> None:
    text = "<think>hm</think>\n```python\na\n```\n"
    view = shown(qtbot, theme, make_message("b", role, text), ("a", "b", "c"))
    view.begin_edit()
    controls = view.findChildren(QAbstractButton)
    assert len(controls) >= 4
    for control in controls:
        assert control.accessibleName() or control.text(), control
        assert control.toolTip(), control
    view.end_edit()
    assert set(view.findChildren(PassingButton)) >= set(view.controls)
    assert view.accessibleName()


def test_the_view_needs_no_more_than_its_height(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("b", Role.ASSISTANT, "one\n\n```\ntwo\n```\nthree"))
    inside = [child for child in view.findChildren(QWidget) if child.parent() is view]
    assert max(child.geometry().bottom() for child in inside if child.isVisible()) < view.height()
    assert view.childAt(QPoint(2, 2)) is not None


def test_a_very_long_word_does_not_hold_up_the_window(qtbot: QtBot, theme: Theme) -> None:
    begun = perf_counter()
    view = MessageView(make_message("m", Role.USER, "x" * 50_000), theme, MessageActions())
    qtbot.addWidget(view)
    view.relayout(760)
    assert view.card
    assert view.card.width() <= 560 + 40
    assert perf_counter() - begun < 3  # it was 12 s


def test_a_long_question_is_folded_after_ten_lines(qtbot: QtBot, theme: Theme) -> None:
    ten = shown(qtbot, theme, make_message("u", Role.USER, "\n".join("0123456789")))
    assert ten.card is not None and ten.card.fold_button is None
    view = shown(qtbot, theme, make_message("u", Role.USER, "\n".join("word" * 60)))
    assert view.card is not None
    button = view.card.fold_button
    assert button is not None and button.isVisible()
    assert button.text() == "Show all"
    assert view.controls[0] is button
    folded = view.relayout(WIDTH)
    assert folded <= ten.height() + button.height()
    with qtbot.waitSignal(view.fold_turned):
        button.click()
    assert view.relayout(WIDTH) > 4 * folded
    assert button.text() == "Show less"
    button.click()
    assert view.relayout(WIDTH) == folded


def test_where_it_is_narrow_the_models_name_goes_first(qtbot: QtBot, theme: Theme) -> None:
    record = AnswerRecord(model_name="SmolLM2-135M-Instruct", completion_tokens=20, duration_s=1.0)
    view = shown(qtbot, theme, make_message("7", Role.ASSISTANT, "x", answer=record))
    label = view.actions_row.facts
    whole = "SmolLM2-135M-Instruct · 20 tokens · 1.0\u00a0s"
    assert (label.text(), label.toolTip()) == (whole, "")
    label.resize(label.fontMetrics().horizontalAdvance(whole) - 4, 20)
    assert (label.text(), label.toolTip()) == ("20 tokens · 1.0\u00a0s", whole)
    label.resize(label.fontMetrics().horizontalAdvance("1.0\u00a0s"), 20)
    assert label.text() == "1.0\u00a0s"


def test_the_versions_of_a_message_are_seen_without_pointing(qtbot: QtBot, theme: Theme) -> None:
    view = shown(qtbot, theme, make_message("b", Role.USER, "x"), ("a", "b"), last=False)
    view.set_hovered(False)
    row = view.actions_row
    several = picture(view)
    ink = {several.pixelColor(x, 14).name() for x in _columns(row.position)}
    assert len(ink) > 1  # its words
    assert len({several.pixelColor(x, 14).name() for x in _columns(row.copy_button)}) == 1


def _columns(widget: QWidget) -> range:
    return range(widget.geometry().left(), widget.geometry().right())
