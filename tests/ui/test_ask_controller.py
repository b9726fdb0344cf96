"""What was typed is not lost, whatever becomes of it and wherever one goes meanwhile."""

import threading

import pytest
from PySide6.QtCore import Qt

from chatdesk.core.errors import EnvironmentProblem
from tests.ui.driver import TIMEOUT_MS, Window


def test_words_refused_elsewhere_wait_in_the_chat_they_are_for(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.ask("say: one")
    services, chat = window.desktop.services, window.window.parts.chat
    assert services
    asked_in, left = chat.current, threading.Event()
    assert asked_in

    def refuse(*_: object, **__: object) -> str:
        assert left.wait(TIMEOUT_MS / 1000)
        raise EnvironmentProblem("The disk is full.", "Make room.")

    monkeypatch.setattr(services.chat, "send", refuse)
    window.send("say: two")
    assert window.editor.isReadOnly()
    window.window.new_chat()
    assert not window.editor.isReadOnly()
    window.type("something else")
    left.set()
    window.until(lambda: "The disk is full." in window.window.notice.words)
    assert window.editor.toPlainText() == "something else"
    window.window.open_conversation(asked_in)
    assert window.editor.toPlainText() == "say: two"


def test_words_accepted_elsewhere_are_no_draft_any_more(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.ask("say: one")
    services, chat = window.desktop.services, window.window.parts.chat
    assert services
    asked_in, left, send = chat.current, threading.Event(), services.chat.send
    assert asked_in

    def late(*args: object, **fields: object) -> str:
        assert left.wait(TIMEOUT_MS / 1000)
        return send(*args, **fields)  # type: ignore[arg-type]

    monkeypatch.setattr(services.chat, "send", late)
    window.send("say: two")
    window.window.new_chat()
    window.type("something else")
    left.set()
    window.until(lambda: len(services.chat.conversation(asked_in).messages) == 4)
    assert window.editor.toPlainText() == "something else"
    assert window.messages == []
    window.window.open_conversation(asked_in)
    assert window.editor.toPlainText() == ""
    window.until(lambda: [each.text for each in window.messages[2:]] == ["say: two", "two "])


def test_a_correction_that_is_refused_goes_back_into_the_editor(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = window.ask("say: one")
    services = window.desktop.services
    assert services

    def refuse(*_: object) -> None:
        raise EnvironmentProblem("The disk is full.", "Make room.")

    monkeypatch.setattr(services.chat, "correct", refuse)
    window.window.chat_view.edit(answer.id)
    editor = window.view_of(answer).editor
    assert editor
    editor.text.setPlainText("in better words")
    window.qtbot.mouseClick(editor.accept_button, Qt.MouseButton.LeftButton)
    window.until(lambda: "The disk is full." in window.window.notice.words)
    again = window.view_of(answer).editor
    assert again
    assert again.text.toPlainText() == "in better words"
