"""A message that is being edited is no more lost than what is in the composer."""

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPlainTextEdit
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import Message, MessageState, Role
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.paths import AppPaths
from chatdesk.ui.chat.composer import ComposerState
from chatdesk.ui.navigator import PageId
from chatdesk.ui.theme import Theme
from chatdesk.ui.window.application import Application
from chatdesk.ui.window_state import WindowState
from tests.ui.driver import Window, late, opened

CONTROL = Qt.KeyboardModifier.ControlModifier


def begin(window: Window, message: Message, words: str) -> QPlainTextEdit:
    """Click the pencil and type after what is there."""
    window.qtbot.mouseClick(
        window.view_of(message).actions_row.edit_button, Qt.MouseButton.LeftButton
    )
    field = editor_of(window, message)
    assert field
    window.qtbot.keyClicks(field, words)
    return field


def editor_of(window: Window, message: Message) -> QPlainTextEdit | None:
    editor = window.view_of(message).editor
    return editor.text if editor else None


def edited(window: Window, message: Message) -> str | None:
    """What is in the editor of a message; None without an editor, or when it is not shown."""
    if message not in window.messages:
        return None
    field = editor_of(window, message)
    return field.toPlainText() if field else None


def go_elsewhere(window: Window) -> str:
    """Leave the open chat for a new one; the id of the one that was left."""
    left = window.window.parts.chat.current
    assert left
    window.window.new_chat()
    assert window.messages == []
    return left


def kept(window: Window) -> dict[str, tuple[str, str]]:
    """What a restart after a crash would find."""
    return WindowState.read(window.paths.window_state).edits


@pytest.mark.parametrize("role", [Role.USER, Role.ASSISTANT])
def test_an_edit_waits_in_the_chat_that_was_left(window: Window, role: Role) -> None:
    window.ask("say: one")
    message = next(each for each in window.messages if each.role is role)
    begin(window, message, " and a half")
    window.window.navigator.show(PageId.MODELS)
    left = go_elsewhere(window)
    window.type("typed in the new chat")
    window.window.open_conversation(left)
    window.until(lambda: edited(window, message) == f"{message.text} and a half")
    assert window.window.focusWidget() is window.editor  # where one may be typing by now


def test_an_edit_survives_a_restart_and_a_crash(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        window.ask("say: one")
        question = window.messages[0]
        window.qtbot.keyClick(window.editor, Qt.Key.Key_Up)
        field = editor_of(window, question)
        assert field
        for letter in " and a half":
            window.qtbot.keyClicks(field, letter, delay=60)  # never a pause to save in
        typed = kept(window).get(question.id, ("", ""))[1]
        assert typed.startswith("say: one and")
    with opened(qtbot, qapp, paths) as window:
        window.until(lambda: edited(window, question) == "say: one and a half")


def test_an_edit_stays_when_the_chat_is_read_anew(window: Window) -> None:
    first = window.ask("say: one")
    window.window.chat_view.message_actions.regenerate_requested.emit(first.id)
    window.until(lambda: window.messages[-1].id not in (first.id, window.messages[0].id))
    window.until(lambda: window.window.composer.state is ComposerState.READY)
    field = begin(window, window.messages[0], " and ahalf")
    field.moveCursor(field.textCursor().MoveOperation.PreviousWord)
    window.qtbot.keyClick(field, Qt.Key.Key_Right)
    window.window.chat_view.message_actions.branch_requested.emit(first.id)
    window.until(lambda: window.messages[-1].id == first.id)
    again = editor_of(window, window.messages[0])
    assert again and again is not field
    assert window.window.focusWidget() is again
    window.qtbot.keyClicks(again, " ")
    assert edited(window, window.messages[0]) == "say: one and a half"


def test_another_theme_leaves_the_edit(window: Window, theme: Theme) -> None:
    window.ask("say: one")
    begin(window, window.messages[0], " and a half")
    window.window.set_theme(theme)
    assert edited(window, window.messages[0]) == "say: one and a half"


def given_up(window: Window) -> dict[str, tuple[str, str]]:
    """What a restart after a crash would find of editors that were left."""
    return WindowState.read(window.paths.window_state).given_up


@pytest.mark.parametrize("by", ["Up", "pencil"])
def test_words_that_were_left_with_escape_come_back(window: Window, by: str) -> None:
    window.ask("say: one")
    question = window.messages[0]
    field = begin(window, question, " and a half")
    window.qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert edited(window, question) is None
    assert window.window.focusWidget() is window.editor  # where one types on
    window.until(lambda: bool(given_up(window)))
    window.window.open_conversation(go_elsewhere(window))
    window.until(lambda: question in window.messages)
    if by == "Up":
        window.qtbot.keyClick(window.editor, Qt.Key.Key_Up)
    else:
        begin(window, question, "")
    assert edited(window, question) == "say: one and a half"
    again = editor_of(window, question)
    assert again
    again.undo()
    assert again.toPlainText() == "say: one"
    window.qtbot.keyClick(again, Qt.Key.Key_Escape)
    window.until(lambda: not given_up(window))


def test_words_that_were_left_survive_a_restart(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        window.ask("say: one")
        question = window.messages[0]
        window.qtbot.keyClick(begin(window, question, " and a half"), Qt.Key.Key_Escape)
    with opened(qtbot, qapp, paths) as window:
        window.until(lambda: bool(window.messages))
        begin(window, window.messages[0], "")
        assert edited(window, window.messages[0]) == "say: one and a half"


def test_escape_leaves_the_editor_and_stops_no_answer(window: Window) -> None:
    window.ask("say: one")
    field = begin(window, window.messages[0], " and a half")
    assert window.desktop.services
    window.desktop.services.chat.send(window.messages[0].conversation_id, "slow")
    window.until(lambda: len(window.messages) == 4)
    window.qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert edited(window, window.messages[0]) is None
    assert window.messages[-1].state is MessageState.STREAMING
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
    window.until(lambda: window.messages[-1].state is MessageState.STOPPED)


def test_an_edit_that_is_sent_is_forgotten(window: Window) -> None:
    window.ask("say: one")
    field = begin(window, window.messages[0], " and a half")
    window.until(lambda: bool(kept(window)))
    window.qtbot.keyClick(field, Qt.Key.Key_Return, CONTROL)
    window.until(lambda: bool(window.messages) and window.messages[-1].text == "one and a half ")
    window.until(lambda: not kept(window))


def test_an_edit_goes_with_its_chat_and_comes_back_with_it(window: Window) -> None:
    window.ask("say: one")
    question = window.messages[0]
    begin(window, question, " and a half")
    window.until(lambda: bool(kept(window)))
    window.window.parts.chat_deleter.delete(question.conversation_id)
    window.until(lambda: window.titles == [])
    window.window.notice.act()
    window.until(lambda: edited(window, question) == "say: one and a half")
    assert kept(window)


def test_up_goes_on_with_the_edit_that_is_open(window: Window) -> None:
    window.ask("say: one")
    begin(window, window.messages[0], " and")
    window.editor.setFocus()
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Up)
    assert window.window.focusWidget() is editor_of(window, window.messages[0])
    assert edited(window, window.messages[0]) == "say: one and"


def test_saving_a_correction_puts_the_cursor_into_no_other_editor(window: Window) -> None:
    answer = window.ask("say: one")
    begin(window, window.messages[0], " and a half")
    begin(window, answer, "and a half")
    window.window.open_conversation(go_elsewhere(window))
    window.until(lambda: edited(window, answer) == "one and a half")
    editor = window.view_of(answer).editor
    assert editor
    editor.accept_button.setFocus()  # as a click does
    window.qtbot.mouseClick(editor.accept_button, Qt.MouseButton.LeftButton)
    window.until(lambda: window.messages[-1].corrects == answer.id)
    assert edited(window, window.messages[0]) == "say: one and a half"
    assert window.window.focusWidget() is not editor_of(window, window.messages[0])


def refuse(*_: object) -> None:
    raise EnvironmentProblem("The disk is full.", "Make room.")


@pytest.mark.parametrize(("at", "operation"), [(0, "edit"), (1, "correct")])
def test_what_is_refused_elsewhere_waits_in_its_editor(
    window: Window, monkeypatch: pytest.MonkeyPatch, at: int, operation: str
) -> None:
    window.ask("say: one")
    message = window.messages[at]
    services, left = window.desktop.services, threading.Event()
    assert services
    monkeypatch.setattr(services.chat, operation, late(left, refuse))
    field = begin(window, message, " and a half")
    window.qtbot.keyClick(field, Qt.Key.Key_Return, CONTROL)
    chat = go_elsewhere(window)
    left.set()
    window.until(lambda: "The disk is full." in window.window.notice.words)
    window.window.open_conversation(chat)
    window.until(lambda: edited(window, message) == f"{message.text} and a half")


@pytest.mark.parametrize(("at", "operation"), [(0, "edit"), (1, "correct")])
def test_what_is_accepted_elsewhere_is_edited_no_more(
    window: Window, monkeypatch: pytest.MonkeyPatch, at: int, operation: str
) -> None:
    window.ask("say: one")
    message = window.messages[at]
    services, left = window.desktop.services, threading.Event()
    assert services
    work = getattr(services.chat, operation)
    monkeypatch.setattr(services.chat, operation, late(left, work))
    field = begin(window, message, " and a half")
    window.qtbot.keyClick(field, Qt.Key.Key_Return, CONTROL)
    chat = go_elsewhere(window)
    window.until(lambda: list(kept(window)) == [message.id])  # a crash now would lose nothing
    left.set()
    window.until(lambda: not kept(window))
    window.window.open_conversation(chat)
    window.until(lambda: any("and a half" in each.text for each in window.messages))
    window.until(lambda: window.window.composer.state is ComposerState.READY)


def test_a_long_text_in_the_editor_has_no_bar_below_it(window: Window) -> None:
    window.ask("say: " + "one and another and " * 40)
    field = begin(window, window.messages[0], " more")
    assert not field.horizontalScrollBar().isVisible()


def test_the_hint_below_the_editor_takes_no_line_of_it(window: Window) -> None:
    window.ask("say: one")
    begin(window, window.messages[0], " more")
    card = window.view_of(window.messages[0]).editor
    assert card

    def hints(width: int) -> list[str]:
        card.height_for(width, 600)
        return [each.text() for each in card.findChildren(QLabel) if each.text()]

    assert len(hints(700)) == 1
    assert hints(240) == []
    assert len(hints(700)) == 1
