"""The whole window over real services, a real database and a scripted engine process."""

import os
import signal
import sqlite3
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import MessageState
from chatdesk.core.paths import AppPaths
from chatdesk.store.database import Database
from chatdesk.ui.chat.composer import ComposerState
from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.chat.messages.context_start_line import ContextStartLine
from chatdesk.ui.chat.messages.thinking_fold import ThinkingFold
from chatdesk.ui.chat.token_counter import DELAY_MS
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.eliding_button import ElidingButton
from chatdesk.ui.window.application import Application
from chatdesk.ui.window_state import WindowState
from tests.helpers import disk_full
from tests.ui.driver import Window, opened, texts


def test_a_first_conversation(window: Window) -> None:
    assert window.window.focusWidget() is window.editor
    answer = window.ask("say: hello there")
    assert answer.text == "hello there "
    assert window.editor.toPlainText() == ""
    window.until(lambda: window.titles == ["A fitting title"])
    assert window.window.windowTitle() == "A fitting title – ChatDesk"


def test_typing_before_the_services_are_there(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        assert window.desktop.services is None
        assert window.ask("say: early").text == "early "


def test_what_is_kept_over_a_restart(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        window.ask("say: " + "many words " * 300)
        window.ask("say: " + "and more " * 300)
        window.type("half a thou")
        view = window.window.chat_view
        before = view.width()
        window.window.resize(900, 640)
        window.until(lambda: view.width() < before)
        view.column.verticalScrollBar().setValue(view.column.verticalScrollBar().maximum() // 3)
        anchor = view.column.scroll_anchor()
        assert anchor
    with opened(qtbot, qapp, paths) as window:
        assert window.editor.toPlainText() == "half a thou"
        assert window.window.size().toTuple() == (900, 640)
        window.until(lambda: window.window.chat_view.column.scroll_anchor() == anchor)
        assert len(window.messages) == 4


def test_the_place_is_kept_when_switching(window: Window) -> None:
    window.ask("say: " + "many words " * 400)
    view = window.window.chat_view
    view.column.verticalScrollBar().setValue(view.column.verticalScrollBar().maximum() // 2)
    anchor = view.column.scroll_anchor()
    assert anchor
    conversation_id = window.messages[0].conversation_id
    window.window.new_chat()
    window.window.open_conversation(conversation_id)
    window.window.save_state()  # as its timer might, before the conversation is read
    window.until(lambda: view.column.scroll_anchor() == anchor)


def test_a_draft_is_kept_per_conversation(window: Window) -> None:
    window.ask("say: one")
    window.type("for the first")
    window.window.new_chat()
    assert window.editor.toPlainText() == ""
    window.type("for a new one")
    first = window.desktop.services
    assert first
    window.window.open_conversation(first.conversations.list()[0].id)
    assert window.editor.toPlainText() == "for the first"
    window.window.new_chat()
    assert window.editor.toPlainText() == "for a new one"


def test_escape_stops_and_continue_goes_on(window: Window) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    assert window.window.composer.state is ComposerState.ANSWERING
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
    window.until(lambda: window.messages[-1].state is MessageState.STOPPED)
    stopped = window.messages[-1]
    window.until(lambda: window.window.composer.state is ComposerState.READY)
    window.window.chat_view.message_actions.continue_requested.emit(stopped.id)
    window.until(lambda: len(window.messages[-1].text) >= 2 * len(stopped.text))
    window.until(lambda: window.messages[-1].state is MessageState.COMPLETE)
    assert window.messages[-1].text.startswith(stopped.text)


def test_thinking_is_shown_as_it_comes_and_goes_on_after_a_stop(window: Window) -> None:
    window.send("ponder")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].thinking) > 20)
    window.until(lambda: fold_words(window) == "Thinking…")
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
    window.until(lambda: window.messages[-1].state is MessageState.STOPPED)
    stopped = window.messages[-1]
    window.until(lambda: window.window.composer.state is ComposerState.READY)
    window.window.chat_view.message_actions.continue_requested.emit(stopped.id)
    window.until(lambda: window.messages[-1].state is MessageState.COMPLETE)
    assert window.messages[-1].text == "Done. "
    assert window.messages[-1].thinking == stopped.thinking + "so."
    window.until(lambda: fold_words(window) == "Thought for 4\u00a0s")


def fold_words(window: Window) -> str:
    fold = window.window.chat_view.findChild(ThinkingFold)
    return fold.fold_button.text() if isinstance(fold, ThinkingFold) else ""


def status_words(window: Window) -> str:
    return window.window.parts.page.status.text()


def test_the_figures_of_an_answer_are_its_own_and_count_while_it_is_written(
    window: Window,
) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    slow = window.messages[0].conversation_id
    window.window.new_chat()
    window.ask("say: " + "one " * 700)
    window.until(lambda: "context 68\u00a0%" in status_words(window))  # 1,401 of 2,048
    assert "100.0\u00a0tokens/s" in status_words(window)
    window.window.open_conversation(slow)
    window.until(lambda: len(window.messages) == 2)
    assert "context 68\u00a0%" not in status_words(window)
    inspector = window.window.parts.inspector

    def lengths() -> list[str]:
        return [words for words in texts(inspector) if words.endswith(" tokens")]

    window.until(lambda: "tokens/s" in status_words(window) and "context" in status_words(window))
    assert "100.0\u00a0tokens/s" not in status_words(window)
    before = lengths()
    window.until(lambda: lengths() != before)
    assert "still writing" in texts(inspector)
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
    window.until(lambda: "100.0\u00a0tokens/s" in status_words(window))
    assert "you" in texts(inspector)


def test_the_count_of_what_was_typed_does_not_stay_after_it_is_sent(window: Window) -> None:
    window.type("slow and many more words")
    window.until(lambda: window.composer_words == "5 tokens")
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Return)
    assert window.composer_words == ""
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.qtbot.wait(2 * DELAY_MS)
    assert window.composer_words == ""


def test_how_full_the_context_is_is_not_said_of_another_chat(window: Window) -> None:
    window.ask("say: one")
    window.until(lambda: "context" in status_words(window))
    window.window.new_chat()
    assert "context" not in status_words(window)
    window.until(lambda: "context 0\u00a0%" in status_words(window))


def test_a_text_that_is_too_long_is_no_share_of_the_context(window: Window) -> None:
    window.editor.setPlainText("word " * 3000)
    window.until(lambda: window.composer_words == "Too long: 3,000 of 2,048 tokens")
    assert "context full" in status_words(window)
    assert "146\u00a0%" not in status_words(window)


def test_what_is_typed_anywhere_in_the_chat_is_typed_in_the_composer(window: Window) -> None:
    answer = window.ask("say: one")
    view = window.window.chat_view.column
    for place in (view, window.view_of(answer).actions_row.copy_button):
        place.setFocus()
        window.qtbot.keyClick(place, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        assert window.window.focusWidget() is place
        window.qtbot.keyClick(place, "x")
        assert window.window.focusWidget() is window.editor
    assert window.editor.toPlainText() == "xx"


def test_the_page_keys_scroll_the_chat_from_the_composer(window: Window) -> None:
    window.ask("say: " + "many words " * 400)
    bar = window.window.chat_view.column.verticalScrollBar()
    end = bar.value()
    window.qtbot.keyClick(window.editor, Qt.Key.Key_PageUp)
    assert bar.value() == end - bar.pageStep()
    window.qtbot.keyClick(window.editor, Qt.Key.Key_PageDown)
    assert bar.value() == end


def test_the_line_where_the_models_view_begins(window: Window) -> None:
    first = window.ask("say: " + "one " * 600)
    line = window.window.chat_view.findChild(ContextStartLine)
    meter = window.window.findChild(Inspector)
    assert isinstance(line, ContextStartLine) and isinstance(meter, Inspector)
    assert not line.isVisible()
    window.ask("say: " + "two " * 600)
    window.until(line.isVisible)
    assert window.composer_words == "The model no longer reads the beginning"
    assert "context full" in status_words(window)
    assert any("no longer read" in words for words in texts(meter))
    window.view_of(first).actions_row.pin_button.click()
    window.until(lambda: window.messages[1].pinned)
    window.until(window.view_of(first).marks.isVisible)


def test_regenerating_and_going_back(window: Window) -> None:
    first = window.ask("say: one")
    window.window.chat_view.message_actions.regenerate_requested.emit(first.id)
    window.until(
        lambda: (
            window.messages[-1].id != first.id
            and window.messages[-1].state is MessageState.COMPLETE
        )
    )
    assert len(window.messages) == 2
    window.window.chat_view.message_actions.branch_requested.emit(first.id)
    window.until(lambda: window.messages[-1].id == first.id)


def test_editing_the_last_message_with_up(window: Window) -> None:
    window.ask("say: one")
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Up)
    view = window.view_of(window.messages[0])
    assert view.editor
    view.editor.text.setPlainText("say: two")
    window.qtbot.mouseClick(view.editor.accept_button, Qt.MouseButton.LeftButton)
    window.until(lambda: [message.text for message in window.messages] == ["say: two", "two "])


def test_an_edit_that_is_too_long_is_not_lost(window: Window) -> None:
    window.ask("say: one")
    window.window.chat_view.edit(window.messages[0].id)
    editor = window.view_of(window.messages[0]).editor
    assert editor
    too_long = "word " * 3000
    editor.text.setPlainText(too_long)
    window.qtbot.mouseClick(editor.accept_button, Qt.MouseButton.LeftButton)
    window.until(lambda: "3,000" in window.window.notice.words)
    assert window.view_of(window.messages[0]).editor is editor
    assert editor.text.toPlainText() == too_long
    assert not editor.text.isReadOnly()


def test_a_prompt_too_long_stays_in_the_composer(window: Window) -> None:
    window.editor.setPlainText("word " * 3000)
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Return)
    window.until(lambda: "3,000" in window.window.notice.words)
    assert "2,032" in window.window.notice.words
    assert window.editor.toPlainText() == "word " * 3000
    assert not window.editor.isReadOnly()
    assert window.messages == []


@pytest.mark.posix
def test_the_engine_killed_in_mid_answer(window: Window) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    services = window.desktop.services
    assert services
    pid = services.engine.process_id
    assert pid
    os.kill(pid, signal.SIGKILL)
    window.until(lambda: window.messages[-1].state is MessageState.INTERRUPTED)
    assert window.messages[-1].text.startswith("0 1 2 ")
    assert window.ask("say: back").text == "back "


def test_deleting_can_be_undone(window: Window) -> None:
    window.ask("say: one")
    window.until(lambda: window.titles == ["A fitting title"])
    services = window.desktop.services
    assert services
    window.window.parts.chat_deleter.delete(services.conversations.list()[0].id)
    window.until(lambda: window.titles == [])
    assert "A fitting title" in window.window.notice.words
    window.window.notice.act()
    window.until(lambda: window.titles == ["A fitting title"])
    window.until(lambda: len(window.messages) == 2)


def test_a_title_typed_by_the_user(window: Window) -> None:
    window.ask("say: one")
    window.until(lambda: window.titles == ["A fitting title"])
    model = window.window.parts.list_model
    row = next(row for row in range(model.rowCount()) if model.index(row).data() != "Today")
    assert model.setData(model.index(row), "  My   name ")
    window.until(lambda: window.titles == ["My name"])


def test_a_full_disk_is_told_and_can_be_retried(window: Window) -> None:
    window.send("slow long")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 500)
    services = window.desktop.services
    assert services
    with disk_full(services):
        window.until(lambda: len(window.messages[-1].text) > 20_000)
        window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
        window.until(lambda: window.messages[-1].state is MessageState.STOPPED)
        text = window.messages[-1].text
        assert "full" in window.window.notice.words
        window.window.notice.act()
        window.until(lambda: "full" in window.window.notice.words)
    window.window.notice.act()
    window.until(lambda: window.window.notice.words == "Everything is saved.")
    stored = services.conversations.get(window.messages[-1].conversation_id).path()[-1]
    assert stored.text == text
    assert window.messages[-1].text == text


def test_sending_onto_a_full_disk_keeps_the_words(window: Window) -> None:
    window.ask("say: one")
    services = window.desktop.services
    assert services
    question = "say: " + "x" * 50_000
    with disk_full(services):
        window.editor.setPlainText(question)
        window.qtbot.keyClick(window.editor, Qt.Key.Key_Return)
        window.until(lambda: "full" in window.window.notice.words)
        assert window.editor.toPlainText() == question
    window.window.notice.act()
    window.until(lambda: window.messages[-1].text == "x" * 50_000 + " ")


def test_a_database_of_a_newer_version_is_refused_and_untouched(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    Database.open(paths.database).close()
    with sqlite3.connect(paths.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = paths.database.read_bytes()
    with opened(qtbot, qapp, paths) as window:
        window.until(lambda: "newer" in window.window.notice.words)
        window.send("say: hello")
        assert "say: hello" in texts(window.window.parts.page.waiting)
    assert paths.database.read_bytes() == before
    assert WindowState.read(paths.window_state).drafts == {"": "say: hello"}


def composer_state(window: Window) -> ComposerState:
    return window.window.composer.state


def test_what_waits_for_a_database_is_given_back_and_can_be_sent_after_it_is_mended(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    Database.open(paths.database).close()
    good = paths.database.read_bytes()
    paths.database.write_bytes(b"no database" * 1000)
    with opened(qtbot, qapp, paths) as window:
        window.send("say: hello")
        assert composer_state(window) is ComposerState.SENDING
        window.until(lambda: "is not a database" in window.window.notice.words)
        assert composer_state(window) is ComposerState.READY
        assert window.editor.toPlainText() == "say: hello"
        paths.database.write_bytes(good)
        window.window.notice.act()  # tries both again: to open the services, and to send
        window.until_ready()
        window.until(lambda: [each.text for each in window.messages[1:]] == ["hello "])
        assert window.editor.toPlainText() == ""


def test_what_could_not_be_started_is_not_called_starting(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    paths.database.write_bytes(b"no database" * 1000)
    with opened(qtbot, qapp, paths) as window:
        chips = window.window.composer.findChildren(ElidingButton)
        chip = next(each for each in chips if each.accessibleName() == "Model")
        status = window.window.parts.page.status
        assert (chip.words, status.text()) == ("starting…", "starting")
        window.until(lambda: chip.words != "starting…")
        assert (chip.words, status.text()) == ("not started", "not started")
        paths.database.unlink()
        window.window.notice.act()
        window.until(lambda: chip.words == "starting…")
        window.until_ready()
        window.until(lambda: status.text().startswith("CPU"))


def test_the_promise_is_made_once_on_a_screen(window: Window) -> None:
    def promises() -> list[str]:
        labels = window.window.findChildren(QLabel)
        said = [each.text() for each in labels if each.isVisible()]
        return [each for each in said if "stays on this computer" in each]

    assert promises() == ["Everything you write stays on this computer."]
    window.ask("say: one")
    window.until(lambda: len(promises()) == 1)
    assert promises() != ["Everything you write stays on this computer."]
    window.window.new_chat()
    assert promises() == ["Everything you write stays on this computer."]


def test_without_any_model(
    qtbot: QtBot,
    qapp: Application,
    theme: Theme,
    paths: AppPaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatdesk.services.models.service.find_starter", lambda: None)
    with opened(qtbot, qapp, paths) as window:
        suggestions = window.window.parts.page.suggestions
        window.until(lambda: "No model was found on this computer" in texts(suggestions))
        window.send("say: hello")
        window.until(lambda: "No model" in window.window.notice.words)
        assert window.editor.toPlainText() == "say: hello"


def test_a_file_that_is_no_model_disturbs_nothing(
    window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()
    window.ask("say: one")
    file = tmp_path / "holiday.gguf"
    file.write_bytes(b"not a model at all")
    window.window.add_model(file)
    window.until(lambda: "holiday.gguf" in window.window.notice.words)
    assert window.ask("say: two").text == "two "


def test_everything_can_be_reached_and_has_a_name(window: Window) -> None:
    window.ask("say: one")
    messages = window.window.chat_view.column.views
    by_arrows = {control for message in messages for control in message.controls}
    for kind in (QAbstractButton, QLineEdit, QPlainTextEdit):
        for widget in window.window.findChildren(kind):
            is_part = isinstance(widget.parentWidget(), QLineEdit)  # its clear button
            if not is_part and widget.isVisibleTo(window.window):
                text = widget.text() if isinstance(widget, QAbstractButton) else ""
                assert widget.accessibleName() or text, widget
                by_tab = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
                assert by_tab or widget in by_arrows or not widget.isEnabled(), widget


def test_shortcuts_do_not_clash(window: Window) -> None:
    keys = [shortcut.key().toString() for shortcut in window.window.findChildren(QShortcut)]
    assert len(keys) == len(set(keys)) >= 8
    assert QKeySequence("Ctrl+N").toString() in keys
