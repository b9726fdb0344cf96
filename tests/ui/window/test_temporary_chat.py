"""A chat of which nothing is kept, and that is seen to be one."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import MessageState
from chatdesk.core.paths import AppPaths
from chatdesk.ui.theme import Theme
from chatdesk.ui.window.application import Application
from tests.ui.driver import Window, opened, texts

SECRET = "xyzzy-plugh"


def begin(window: Window) -> None:
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    window.qtbot.keyClick(window.window, Qt.Key.Key_N, keys)


def question(window: Window) -> QMessageBox | None:
    boxes = window.window.findChildren(QMessageBox)
    return next((box for box in boxes if box.isVisible()), None)


def answer_question(window: Window, words: str) -> None:
    box = question(window)
    assert box
    next(each for each in box.findChildren(QPushButton) if each.text() == words).click()


def files_with(folder: Path, words: str) -> list[Path]:
    found = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in found if words.encode() in file.read_bytes()]


def test_nothing_of_it_reaches_the_disk(window: Window) -> None:
    window.ask("say: saved")
    services = window.desktop.services
    assert services
    begin(window)
    answer = window.ask(f"say: {SECRET}")
    assert answer.text == f"{SECRET} "
    window.window.chat_view.message_actions.regenerate_requested.emit(answer.id)
    window.until(
        lambda: (
            window.messages[-1].id != answer.id
            and window.messages[-1].state is MessageState.COMPLETE
        )
    )
    window.window.chat_view.message_actions.pin_requested.emit(window.messages[-1].id, True)
    window.until(lambda: window.messages[-1].pinned)
    window.type(f"draft {SECRET}")
    window.window.parts.inspector.system_prompt_changed.emit(f"prompt {SECRET}")
    window.window.save_state()
    window.qtbot.wait(100)
    assert len(services.conversations.list()) == 1
    assert window.titles == ["A fitting title"]
    home = window.paths.data.parent
    assert files_with(home, SECRET) == []
    assert files_with(home, "saved")  # so that the search is one
    assert json.loads(window.paths.window_state.read_bytes())["conversation"] is None


def test_the_engine_keeps_no_session_of_it(window: Window) -> None:
    begin(window)
    options = json.loads(window.ask("options").text)
    assert options["session"] is None
    window.window.parts.chat.new_chat()
    assert json.loads(window.ask("options").text)["session"]


def test_it_is_marked_and_nobody_can_teach_with_it(window: Window) -> None:
    window.ask("say: one")
    assert rating_buttons(window)
    begin(window)
    page = window.window.parts.page
    assert "A temporary chat" in texts(page)
    assert window.window.windowTitle() == "Temporary chat – ChatDesk"
    window.ask("say: two")
    assert not rating_buttons(window)
    mark = next(each for each in page.findChildren(QPushButton) if each.text() == "Temporary")
    assert mark.isVisible() and mark.isChecked()
    assert "saved or learned" in mark.toolTip()
    window.window.parts.chat.new_chat()
    assert not mark.isChecked() and mark.isVisible()
    assert "A temporary chat" not in texts(page)
    window.ask("say: three")
    assert rating_buttons(window) and not mark.isVisible()


def rating_buttons(window: Window) -> list[QAbstractButton]:
    row = window.view_of(window.messages[-1]).actions_row
    return [each for each in row.rating_buttons.values() if each.isVisible()]


def test_leaving_it_asks_first_if_it_has_words(window: Window) -> None:
    window.ask("say: one")
    saved = window.messages[0].conversation_id
    begin(window)
    window.window.open_conversation(saved)  # it was empty: nobody is asked
    assert question(window) is None
    window.until(lambda: len(window.messages) == 2)
    begin(window)
    window.ask("say: two")
    window.window.open_conversation(saved)
    answer_question(window, "Cancel")
    assert window.messages[-1].text == "two "
    window.window.open_conversation(saved)
    answer_question(window, "Leave it")
    window.until(lambda: [each.text for each in window.messages] == ["say: one", "one "])
    services = window.desktop.services
    assert services
    window.until(lambda: services.temporary._database is None)


def test_what_is_being_written_in_it_ends_with_it(window: Window) -> None:
    begin(window)
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.window.new_chat()
    answer_question(window, "Leave it")
    assert window.messages == []
    assert window.ask("say: next").text == "next "
    assert window.window.notice.words == ""


def test_what_was_typed_in_the_new_chat_goes_along(window: Window) -> None:
    window.type("half a thought")
    page = window.window.parts.page
    mark = next(each for each in page.findChildren(QPushButton) if each.text() == "Temporary")
    mark.click()
    assert window.editor.toPlainText() == "half a thought"
    window.window.save_state()
    assert files_with(window.paths.data.parent, "half a thought") == []


def test_closing_the_window_asks_too(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        begin(window)
        window.ask("say: one")
        window.window.close()
        assert window.window.isVisible()
        answer_question(window, "Leave it")
        assert not window.window.isVisible()


def test_a_signal_does_not_ask(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        begin(window)
        window.ask("say: one")
        window.window.close_anyway()
        assert not window.window.isVisible() and question(window) is None
