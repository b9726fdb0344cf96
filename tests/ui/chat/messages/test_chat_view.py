import time
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import AnswerRecord, Message, MessageState, Role
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.chat.messages.context_start_line import ContextStartLine
from chatdesk.ui.chat.messages.jump_button import JumpButton
from chatdesk.ui.chat.messages.message_column import COLUMN
from chatdesk.ui.chat.messages.message_view import MessageView
from chatdesk.ui.chat.messages.thinking_fold import ThinkingFold
from chatdesk.ui.markdown.code_card import CodeCard
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.fading_edges import HEIGHT as FADE
from tests.ui.conftest import make_message
from tests.ui.corpus import ANSWER


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> ChatView:
    made = ChatView(theme)
    qtbot.addWidget(made)
    made.resize(1_000, 700)
    with qtbot.waitExposed(made):
        made.show()
    return made


def conversation(
    count: int, text: str = "Some *words* of an answer.\n\n- one\n- two"
) -> list[Message]:
    roles = (Role.USER, Role.ASSISTANT)
    return [make_message(str(n), roles[n % 2], f"{n}: {text}") for n in range(count)]


def streaming(message_id: str = "a") -> Message:
    return make_message(message_id, Role.ASSISTANT, "", MessageState.STREAMING)


def built(view: ChatView) -> list[str]:
    found = view.findChildren(MessageView)
    return [child.message.id for child in sorted(found, key=lambda child: child.y())]


def text_of(view: ChatView, message_id: str) -> str:
    message = next(v for v in view.findChildren(MessageView) if v.message.id == message_id)
    return "\n".join(part.toPlainText() for part in message.findChildren(ProseView))


def has_lines(view: ChatView, count: int) -> bool:
    return text_of(view, "a").count("line") == count


def in_sight(view: ChatView, message_id: str) -> int:
    """The y of a message in the viewport."""
    message = next(v for v in view.findChildren(MessageView) if v.message.id == message_id)
    return message.mapTo(view.column.viewport(), message.rect().topLeft()).y()


def test_a_long_conversation_opens_at_once_at_its_end(qtbot: QtBot, view: ChatView) -> None:
    messages = conversation(2_000)
    start = time.perf_counter()
    view.show_path(messages, {})
    assert time.perf_counter() - start < 1
    assert view.column.at_bottom
    assert built(view)[-1] == "1999"
    assert len(built(view)) < 40


def test_the_column_is_centred_and_shrinks(view: ChatView) -> None:
    view.show_path(conversation(2), {})
    message = view.findChildren(MessageView)[0]
    assert message.width() == COLUMN
    middle = view.column.viewport().width() // 2
    assert abs(message.geometry().center().x() - middle) <= 1
    view.resize(500, 700)
    assert message.width() < 480


def test_scrolling_up_builds_older_messages_in_place(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(300), {})
    bar = view.column.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() >= 1.5 * view.column.viewport().height())
    first = built(view)[0]
    bar.setValue(10)
    before = in_sight(view, first)
    qtbot.waitUntil(lambda: built(view)[0] != first)
    assert in_sight(view, first) == before


def test_home_and_end_reach_the_ends(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(2_000), {})
    QTest.keyClick(view.column, Qt.Key.Key_Home)
    assert built(view)[0] == "0"
    assert view.column.verticalScrollBar().value() == 0
    QTest.keyClick(view.column, Qt.Key.Key_End)
    assert view.column.at_bottom
    assert built(view)[-1] == "1999"


def test_page_keys_scroll(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(40), {})
    value = view.column.verticalScrollBar().value()
    QTest.keyClick(view.column, Qt.Key.Key_PageUp)
    assert view.column.verticalScrollBar().value() < value


def test_far_widgets_are_let_go(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(400), {})
    bar = view.column.verticalScrollBar()
    for _ in range(60):
        bar.setValue(0)
        qtbot.wait(1)
        if built(view)[0] == "0":
            break
    assert len(built(view)) <= 160


def test_text_is_streamed_and_repeats_are_passed_over(qtbot: QtBot, view: ChatView) -> None:
    view.show_path([make_message("u", Role.USER, "Hi")], {})
    view.add_message(streaming())
    assert view.append_text("a", 0, "Hello")
    assert view.append_text("a", 3, "lo wor")
    assert view.append_text("a", 0, "Hel")
    assert not view.append_text("a", 20, "too far")
    assert not view.append_text("nobody", 0, "x")
    assert view.append_text("a", 9, "ld.")
    qtbot.waitUntil(lambda: "Hello world." in text_of(view, "a"))


def test_following_stays_at_the_end_and_scrolling_up_stops_it(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(30), {})
    view.add_message(streaming())
    for count in range(0, 100, 20):
        view.append_text("a", count * 6, "line\n\n" * 20)
        qtbot.waitUntil(partial(has_lines, view, count + 20))
        assert view.column.at_bottom
    bar = view.column.verticalScrollBar()
    bar.setValue(bar.maximum() - 400)
    value = bar.value()
    view.append_text("a", 600, "more\n\n" * 20)
    qtbot.waitUntil(lambda: "more" in text_of(view, "a"))
    assert bar.value() == value
    jump = view.findChild(JumpButton)
    assert isinstance(jump, JumpButton)
    assert jump.isVisible()
    assert jump.has_news
    assert jump.accessibleName().endswith("there is something new")
    jump.click()
    assert view.column.at_bottom
    assert not jump.isVisible()
    bar.setValue(bar.maximum() - 400)
    assert jump.isVisible()
    assert not jump.has_news


def test_a_new_message_of_the_user_is_scrolled_to(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(60), {})
    QTest.keyClick(view.column, Qt.Key.Key_Home)
    view.add_message(make_message("u", Role.USER, "New"))
    assert view.column.at_bottom
    assert built(view)[-1] == "u"


def test_a_finished_answer_shows_its_whole_text(qtbot: QtBot, view: ChatView) -> None:
    view.show_path([make_message("u", Role.USER, "Hi")], {})
    view.add_message(streaming())
    half = len(ANSWER) // 2
    view.append_text("a", 0, ANSWER[:half])
    view.finish(make_message("a", Role.ASSISTANT, ANSWER))
    qtbot.waitUntil(lambda: "The note." in text_of(view, "a"))


def test_text_that_came_while_away_is_there_on_return(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(500), {})
    view.add_message(streaming())
    view.append_text("a", 0, "First ")
    QTest.keyClick(view.column, Qt.Key.Key_Home)
    assert "a" not in built(view)
    assert view.append_text("a", 6, "second")
    QTest.keyClick(view.column, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: "First second" in text_of(view, "a"))


def test_an_anchor_survives_another_width_and_theme(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(200, "words " * 60), {})
    bar = view.column.verticalScrollBar()
    bar.setValue(bar.maximum() - 900)
    anchor = view.column.scroll_anchor()
    assert anchor is not None
    view.resize(620, 700)
    kept = view.column.scroll_anchor()
    assert kept is not None
    assert kept[0] == anchor[0]
    view.set_theme(load_theme("dark"))
    assert view.column.scroll_anchor() == kept


def test_an_anchor_is_restored_in_a_conversation_just_opened(qtbot: QtBot, view: ChatView) -> None:
    messages = conversation(400)
    view.show_path(messages, {})
    view.column.restore_anchor(("123", 20))
    assert view.column.scroll_anchor() == ("123", 20)
    view.column.restore_anchor(None)
    assert view.column.at_bottom
    assert view.column.scroll_anchor() is None


def test_an_anchor_deep_in_a_long_answer_is_reached(qtbot: QtBot, view: ChatView) -> None:
    view.show_path([make_message("a", Role.ASSISTANT, ANSWER * 12), *conversation(3)], {})
    view.column.restore_anchor(("a", 6_000))
    qtbot.waitUntil(lambda: view.column.scroll_anchor() == ("a", 6_000), timeout=10_000)


@pytest.mark.parametrize("by", ["place", "theme", "key"])
def test_a_place_above_an_answer_that_is_shown_by_and_by_stays(
    qtbot: QtBot, view: ChatView, by: str
) -> None:
    view.resize(1_000, 4_000)  # more than is shown at once
    view.show_path([*conversation(1), make_message("a", Role.ASSISTANT, ANSWER * 30)], {})
    if by == "key":
        QTest.keyClick(view.column, Qt.Key.Key_Home)
    else:
        view.column.restore_anchor(("0", 0))
    if by == "theme":
        qtbot.waitUntil(lambda: whole(view, "a"), timeout=10_000)
        view.set_theme(load_theme("dark"))
    assert not whole(view, "a")
    qtbot.waitUntil(lambda: whole(view, "a"), timeout=10_000)
    assert view.column.verticalScrollBar().value() == 0


def whole(view: ChatView, message_id: str) -> bool:
    found = view.column.view(message_id)
    return found is not None and not found.unfinished


def test_requests_are_passed_on(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(2), lambda message_id: (message_id, "other"))
    answer = next(v for v in view.findChildren(MessageView) if v.message.id == "1")
    with qtbot.waitSignal(view.message_actions.regenerate_requested):
        answer.message_actions.regenerate_requested.emit("1")
    with qtbot.waitSignal(
        view.message_actions.branch_requested, check_params_cb=lambda found: found == "other"
    ):
        answer.actions_row.next_button.click()


def test_the_last_message_of_the_user_is_edited(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(100), {})
    assert view.last_user_message_id() == "98"
    view.edit("0")
    first = next(v for v in view.findChildren(MessageView) if v.message.id == "0")
    assert first.editing
    assert QRect(view.column.viewport().rect()).contains(
        first.mapTo(view.column.viewport(), first.rect().center())
    )


def test_the_buttons_of_an_editor_are_in_sight_in_a_low_window(view: ChatView) -> None:
    long = make_message("0", Role.USER, "\n".join(f"line {n}" for n in range(60)))
    view.show_path([long, *conversation(9)[1:]], {})
    view.resize(600, 260)
    QTest.keyClick(view.column, Qt.Key.Key_Home)
    jump = view.findChildren(JumpButton)[0]
    assert jump.isVisible()
    view.edit("0")
    first = view.column.view("0")
    assert first and first.editor
    assert not jump.isVisible()

    def seen() -> QRect:
        assert first and first.editor
        button = first.editor.accept_button
        return QRect(button.mapTo(view.column.viewport(), QPoint()), button.size())

    clear = view.column.viewport().rect().adjusted(0, FADE, 0, -FADE)
    assert clear.contains(seen())
    low = first.editor.height()
    view.resize(600, 700)
    assert low < first.editor.height() < 400
    view.resize(600, 260)
    assert first.editor.height() == low
    view.end_edit("0")
    assert jump.isVisible()


def test_a_replaced_message_shows_its_state(qtbot: QtBot, view: ChatView) -> None:
    messages = conversation(2)
    view.show_path(messages, {})
    view.replace(replace(messages[1].with_words(text="Something else"), state=MessageState.STOPPED))
    qtbot.waitUntil(lambda: "Something else" in text_of(view, "1"))


def test_a_continued_answer_goes_on_in_its_last_paragraph(qtbot: QtBot, view: ChatView) -> None:
    half = make_message("a", Role.ASSISTANT, "It began", MessageState.STOPPED)
    view.show_path([make_message("u", Role.USER, "Hi"), half], {})
    view.replace(replace(half, state=MessageState.STREAMING))
    assert view.append_text("a", 8, " and went on.")
    qtbot.waitUntil(lambda: text_of(view, "a") == "It began and went on.")
    view.finish(make_message("a", Role.ASSISTANT, "It began and went on."))
    assert text_of(view, "a") == "It began and went on."


def test_thinking_is_streamed_before_the_text(qtbot: QtBot, view: ChatView) -> None:
    view.show_path([make_message("u", Role.USER, "Hi"), streaming()], {})
    assert view.append_thinking("a", 0, "Let me ")
    assert view.append_thinking("a", 4, "me see.")  # part of it is there already
    assert not view.append_thinking("a", 100, "lost")
    assert view.append_text("a", 0, "Yes.")
    assert view.messages[-1].thinking == "Let me see."
    qtbot.waitUntil(lambda: text_of(view, "a") == "Yes.")
    record = AnswerRecord(thinking_s=2.0)
    view.finish(make_message("a", Role.ASSISTANT, "Yes.", answer=record, thinking="Let me see."))
    fold = view.findChild(ThinkingFold)
    assert isinstance(fold, ThinkingFold)
    assert (fold.text, fold.fold_button.text()) == ("Let me see.", "Thought for 2\u00a0s")


def view_line(view: ChatView) -> ContextStartLine:
    found = view.findChild(ContextStartLine)
    assert isinstance(found, ContextStartLine)
    return found


def test_a_line_stands_where_the_models_view_begins(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(6), {})
    assert not view_line(view).isVisible()
    height = view.column.verticalScrollBar().maximum()
    view.column.show_view_line("2")
    line = view_line(view)
    assert line.isVisible()
    assert line.accessibleName() == "The model reads from here. What is above stays in the chat."
    above, below = (
        next(v for v in view.findChildren(MessageView) if v.message.id == name) for name in "23"
    )
    assert above.geometry().bottom() < line.y()
    assert line.geometry().bottom() < below.y()
    assert view.column.at_bottom
    view.column.show_view_line("2", cut=True)
    assert "only the end of the message above" in line.accessibleName()
    view.column.show_view_line("2")
    assert "reads from here" in line.accessibleName()
    view.column.show_view_line("5")  # not even the last message is in view
    assert line.y() > above.y()
    view.resize(300, 700)
    assert line.height() == line.height_for(line.width())
    view.resize(1_000, 700)
    view.column.show_view_line(None)
    assert not line.isVisible()
    assert view.column.verticalScrollBar().maximum() == height
    view.column.show_view_line("2")
    view.clear()
    assert not line.isVisible()


def test_the_line_moves_nothing_that_is_being_read(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(2_000), {})
    view.column.show_view_line("1600")  # far away: nothing is built for it
    assert not view_line(view).isVisible()
    view.column.restore_anchor(("1605", 10))
    qtbot.waitUntil(lambda: "1600" in built(view))
    assert view_line(view).isVisible()
    before = in_sight(view, "1606")
    started = time.perf_counter()
    for after in ("1602", "1604", None):
        view.column.show_view_line(after)
        assert in_sight(view, "1606") == before
    assert time.perf_counter() - started < 0.2


def test_pinning_shows_its_mark(view: ChatView) -> None:
    message = conversation(2)[0]
    view.show_path((message.with_words(text="What is shown"),), {})
    view.change(replace(message, pinned=True))
    first = next(v for v in view.findChildren(MessageView) if v.message.id == "0")
    assert first.marks.isVisible()
    assert view.messages[0].pinned
    assert view.messages[0].text == "What is shown"
    view.change(replace(message, id="gone"))


def test_the_focus_stays_in_the_conversation(view: ChatView, qtbot: QtBot) -> None:
    view.show_path(conversation(2), {})
    view.activateWindow()
    last = next(v for v in view.findChildren(MessageView) if v.message.id == "1")
    last.actions_row.copy_button.setFocus()
    qtbot.waitUntil(last.actions_row.copy_button.hasFocus)
    view.show_path(conversation(4), {})
    qtbot.waitUntil(view.hasFocus)


def test_clear_shows_nothing(view: ChatView) -> None:
    view.show_path(conversation(20), {})
    view.clear()
    assert built(view) == []
    assert view.last_user_message_id() is None
    assert view.column.scroll_anchor() is None


def test_tab_brings_a_hidden_control_into_sight(qtbot: QtBot, view: ChatView) -> None:
    view.show_path(conversation(12, "words " * 100), {})
    view.activateWindow()
    first = next(v for v in view.findChildren(MessageView) if v.message.id == built(view)[0])
    button = first.actions_row.copy_button
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(button.hasFocus)
    seen = button.mapTo(view.column.viewport(), button.rect().center())
    assert view.column.viewport().rect().contains(seen)


def test_a_message_that_moves_away_from_the_pointer_is_not_pointed_at(
    qtbot: QtBot, view: ChatView
) -> None:
    view.show_path(conversation(40), {})
    pointed = view.column.views[-3]
    QCursor.setPos(pointed.mapToGlobal(pointed.rect().center()))
    qtbot.waitUntil(lambda: pointed.actions_row.revealed)
    bar = view.column.verticalScrollBar()
    bar.setValue(bar.value() - 500)
    qtbot.waitUntil(lambda: not pointed.actions_row.revealed)
    under = [each for each in view.column.views if each.actions_row.revealed and each.y() < 10**6]
    assert len(under) == 2  # the one that came there, and the last answer's, which always is
    QCursor.setPos(view.mapToGlobal(QPoint(0, 0)) - QPoint(50, 50))


def code(lines: int) -> str:
    return "```\n" + "".join(f"line {n}\n" for n in range(lines)) + "```\n"


def first_code(view: ChatView, message_id: str) -> CodeCard:
    message = view.column.view(message_id)
    assert message is not None and message.body is not None
    return next(each for each in message.body.segments if isinstance(each, CodeCard))


def test_what_is_unfolded_stays_so_and_in_its_place(qtbot: QtBot, view: ChatView) -> None:
    view.show_path([*conversation(4), make_message("c", Role.ASSISTANT, code(200))], {})
    view.add_message(make_message("u", Role.USER, "Next"))
    view.add_message(streaming())
    card = first_code(view, "c")
    view.column.restore_anchor(("c", 0))
    assert folded(card) == [True]
    assert card.fold_button is not None
    before = in_sight(view, "c")
    card.fold_button.click()
    assert folded(card) == [False]
    assert in_sight(view, "c") == before
    anchor = view.column.scroll_anchor()
    view.append_text("a", 0, "more\n\n" * 30)
    qtbot.waitUntil(lambda: "more" in text_of(view, "a"))
    view.finish(make_message("a", Role.ASSISTANT, "more\n\n" * 30))
    assert folded(card) == [False]
    assert view.column.scroll_anchor() == anchor
    view.set_theme(load_theme("dark"))  # builds all of them anew
    assert folded(first_code(view, "c")) == [False]


def folded(card: CodeCard) -> list[bool]:
    return [card.is_folded]


def test_folding_keeps_the_button_where_it_was_pressed(view: ChatView) -> None:
    long = make_message("c", Role.ASSISTANT, code(300))
    view.show_path([long, *conversation(30)], {})
    view.column.restore_anchor(("c", 0))
    button = first_code(view, "c").fold_button
    assert button is not None
    button.click()
    bar = view.column.verticalScrollBar()
    bar.setValue(button.mapTo(view.column.viewport(), QPoint()).y() + bar.value() - 300)
    before = button.mapTo(view.column.viewport(), QPoint()).y()
    button.click()
    assert button.mapTo(view.column.viewport(), QPoint()).y() == before


def test_code_that_is_seen_growing_is_not_folded(qtbot: QtBot, view: ChatView) -> None:
    view.show_path([make_message("u", Role.USER, "Hi")], {})
    view.add_message(streaming())
    view.append_text("a", 0, code(100))
    qtbot.waitUntil(lambda: bool(view.findChildren(CodeCard)))
    qtbot.waitUntil(lambda: len(first_code(view, "a").code) > 700)
    view.finish(make_message("a", Role.ASSISTANT, code(100)))
    card = first_code(view, "a")
    assert card.fold_button is not None and not card.is_folded


def test_the_head_of_long_code_stays_in_sight(view: ChatView) -> None:
    view.show_path([make_message("c", Role.ASSISTANT, code(300)), *conversation(20)], {})
    view.column.restore_anchor(("c", 0))
    card = first_code(view, "c")
    assert card.fold_button is not None
    card.fold_button.click()
    bar = view.column.verticalScrollBar()
    bar.setValue(bar.value() + 2_000)
    assert card.head.mapTo(view.column.viewport(), QPoint()).y() == 0


def test_the_way_to_the_end_is_a_round_button_at_the_edge(view: ChatView) -> None:
    view.show_path(conversation(100), {})
    bar = view.column.verticalScrollBar()
    bar.setValue(bar.maximum() - 1_000)
    jump = view.findChild(JumpButton)
    assert isinstance(jump, JumpButton)
    assert (jump.width(), jump.height()) == (36, 36)
    assert jump.toolTip() == jump.accessibleName() == "Go to the end of the chat"
    assert jump.x() > view.column.views[0].geometry().right()
    view.resize(500, 700)
    assert view.column.rect().contains(jump.geometry())
