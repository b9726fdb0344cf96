from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QToolButton
from pytestqt.qtbot import QtBot

from chatdesk.ui.chat.composer import MAX_LINES, Composer, ComposerState
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.eliding_button import ElidingButton


@pytest.fixture
def composer(qtbot: QtBot, theme: Theme) -> Iterator[Composer]:
    composer = Composer(theme, enter_sends=True)
    qtbot.addWidget(composer)
    composer.resize(600, 120)
    yield composer


def editor(composer: Composer) -> QPlainTextEdit:
    found = composer.findChild(QPlainTextEdit)
    assert found
    return found


def test_enter_sends_and_shift_enter_does_not(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(editor(composer), "hello")
    with qtbot.assertNotEmitted(composer.send_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(composer.send_requested) as sent:
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return)
    assert sent.args == ["hello\n"]
    assert composer.text == "hello\n"  # stays until it is accepted


def test_by_the_setting_only_ctrl_enter_sends(composer: Composer, qtbot: QtBot) -> None:
    composer.enter_sends = False
    qtbot.keyClicks(editor(composer), "hello")
    with qtbot.assertNotEmitted(composer.send_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return)
    with qtbot.waitSignal(composer.send_requested):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


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
        qtbot.assertNotEmitted(composer.send_requested),
        qtbot.assertNotEmitted(composer.stop_requested),
    ):
        qtbot.keyClick(editor(composer), Qt.Key.Key_Return)
    assert composer.text == "next question"


def test_it_grows_with_its_text_and_then_scrolls(composer: Composer, qtbot: QtBot) -> None:
    composer.show()
    heights = []
    for lines in (1, 3, MAX_LINES, MAX_LINES + 20):
        composer.set_text("\n".join(["line"] * lines))
        heights.append(editor(composer).height())
    assert heights[0] < heights[1] < heights[2] == heights[3]


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
