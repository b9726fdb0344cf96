from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QToolButton
from pytestqt.qtbot import QtBot

from chatdesk.ui.chat.composer import MAX_LINES, TOP, Composer, ComposerState
from chatdesk.ui.theme import LINE_HEIGHT, TEXT_PX, Theme
from chatdesk.ui.widgets.eliding_button import ElidingButton
from chatdesk.ui.widgets.enter_rule import EnterRule


@pytest.fixture
def rule() -> EnterRule:
    return EnterRule()


@pytest.fixture
def composer(qtbot: QtBot, theme: Theme, rule: EnterRule) -> Iterator[Composer]:
    composer = Composer(theme, rule)
    qtbot.addWidget(composer)
    composer.resize(600, 120)
    yield composer


def editor(composer: Composer) -> QPlainTextEdit:
    found = composer.findChild(QPlainTextEdit)
    assert found
    return found


def test_a_base_model_is_given_the_beginning_of_a_text(composer: Composer) -> None:
    composer.set_continues(continues=True)
    assert editor(composer).placeholderText().startswith("Begin a text. Enter sends")
    composer.set_continues(continues=False)
    assert editor(composer).placeholderText().startswith("Ask anything. Enter sends")


def test_enter_sends_and_shift_enter_does_not(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(editor(composer), "hello")
    with qtbot.assertNotEmitted(composer.send_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(composer.send_requested) as sent:
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return)
    assert sent.args == ["hello\n"]
    assert "Enter sends, Shift+Enter begins a new line" in editor(composer).placeholderText()


def test_by_the_setting_only_ctrl_enter_sends(
    composer: Composer, qtbot: QtBot, rule: EnterRule
) -> None:
    rule.set_enter_sends(False)
    qtbot.keyClicks(editor(composer), "hello")
    with qtbot.assertNotEmitted(composer.send_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return)
    with qtbot.waitSignal(composer.send_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert "Ctrl+Enter sends" in editor(composer).placeholderText()
    button = composer.findChild(QToolButton)
    assert button and button.toolTip() == "Send (Ctrl+Enter)"


def test_the_models_menu_leads_to_more_models(composer: Composer, qtbot: QtBot) -> None:
    composer.set_models([("a", "A · F16")], "a")
    menu = next(each for each in composer.findChildren(QMenu) if each.actions())
    more = next(each for each in menu.actions() if each.text() == "More models…")
    with qtbot.waitSignal(composer.more_models_requested):
        more.trigger()


def test_nothing_is_sent_of_nothing(composer: Composer, qtbot: QtBot) -> None:
    composer.set_text("  \n ")
    with qtbot.assertNotEmitted(composer.send_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return)
    button = composer.findChild(QToolButton)
    assert button
    assert not button.isEnabled()


def test_while_answering_the_button_stops(composer: Composer, qtbot: QtBot) -> None:
    composer.set_state(ComposerState.ANSWERING)
    composer.set_text("next question")
    button = composer.findChild(QToolButton)
    assert button
    with qtbot.waitSignal(composer.stop_requested):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    with (
        qtbot.waitSignal(composer.send_requested) as sent,
        qtbot.assertNotEmitted(composer.stop_requested),
    ):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return)
    assert sent.args == ["next question"]  # to be queued


def test_it_grows_with_its_text_and_then_scrolls(composer: Composer, qtbot: QtBot) -> None:
    composer.show()
    heights = []
    for lines in (1, 3, MAX_LINES, MAX_LINES + 20):
        composer.set_text("\n".join(["line"] * lines))
        heights.append(editor(composer).height())
    assert heights[0] < heights[1] < heights[2] == heights[3]
    step = round(TEXT_PX * LINE_HEIGHT)
    assert heights[:3] == [lines * step + TOP for lines in (1, 3, MAX_LINES)]
    composer.fit_into(400)  # of a small window
    assert editor(composer).height() == 400 // 3 // step * step + TOP


def test_lines_stand_in_the_rhythm_of_the_answers_also_when_they_are_wrapped(
    composer: Composer, qtbot: QtBot
) -> None:
    composer.show()
    composer.set_text("many words " * 40 + "\n量子\n\nend")
    field, tops = editor(composer), set[int]()
    for position in range(len(composer.text)):
        cursor = field.textCursor()
        cursor.setPosition(position)
        tops.add(field.cursorRect(cursor).top())
    steps = {below - above for above, below in pairwise(sorted(tops))}
    assert steps == {round(TEXT_PX * LINE_HEIGHT)}


def test_a_click_anywhere_in_the_card_puts_the_cursor_there(
    composer: Composer, qtbot: QtBot
) -> None:
    composer.show()
    composer.set_text("first line\nsecond")
    chip = composer.findChild(ElidingButton)
    assert chip and chip.cursor().shape() is Qt.CursorShape.ArrowCursor
    assert composer.cursor().shape() is Qt.CursorShape.IBeamCursor
    bottom, field = composer.height() - 4, editor(composer)
    for at, position in (
        (QPoint(composer.width() // 2, bottom), len("first line\nsecond")),
        (QPoint(composer.width() - 4, field.y() + 4), len("first line")),
        (QPoint(2, field.y() + 4), 0),
    ):
        field.clearFocus()
        qtbot.mouseClick(composer, Qt.MouseButton.LeftButton, pos=at)
        assert composer.focusWidget() is field
        assert field.textCursor().position() == position


def test_page_keys_are_the_chats(composer: Composer, qtbot: QtBot) -> None:
    for key, pages in ((Qt.Key.Key_PageUp, -1), (Qt.Key.Key_PageDown, 1)):
        with qtbot.waitSignal(composer.page_scrolled) as told:
            qtbot.keyClick(editor(composer), key)
        assert told.args == [pages]


def test_up_in_an_empty_field_edits_the_last_message(composer: Composer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(composer.edit_last_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Up)
    composer.set_text("text")
    with qtbot.assertNotEmitted(composer.edit_last_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Up)


def test_dropped_files_are_left_to_the_window(composer: Composer) -> None:
    files, text = QMimeData(), QMimeData()
    files.setUrls([QUrl.fromLocalFile("/models/a.gguf")])
    text.setText("words")
    assert not editor(composer).canInsertFromMimeData(files)
    assert editor(composer).canInsertFromMimeData(text)


def test_where_it_is_narrow_the_chips_give_way(composer: Composer, qtbot: QtBot) -> None:
    composer.set_model("A model with a long name · Q4_1")
    composer.show()
    chip = next(
        each for each in composer.findChildren(ElidingButton) if "Model" in each.accessibleName()
    )
    assert chip.text() == chip.words == "A model with a long name · Q4_1"
    whole = chip.width()
    composer.resize(220, 120)
    qtbot.waitUntil(lambda: chip.width() < whole)
    assert chip.text().endswith("…") and chip.text().startswith("A")
    composer.resize(600, 120)
    qtbot.waitUntil(lambda: chip.text() == chip.words)
    button = composer.findChild(QToolButton)
    assert button and button.isVisible()
