"""What was sent is not lost, whatever becomes of it and wherever one goes meanwhile."""

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import MessageState
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.paths import AppPaths
from chatdesk.services.app import App
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.ui.chat.composer import ComposerState
from chatdesk.ui.theme import Theme
from chatdesk.ui.window.application import Application
from chatdesk.ui.window_state import WindowState
from tests.ui.driver import TIMEOUT_MS, Window, late, opened


def refuse(*_: object, **__: object) -> str:
    raise EnvironmentProblem("The disk is full.", "Make room.")


def kept_words(window: Window) -> dict[str, str]:
    """What would be a draft after a restart."""
    return WindowState.read(window.paths.window_state).drafts


def waiting(window: Window) -> list[str]:
    """What stands above the composer."""
    labels = window.window.parts.page.waiting.findChildren(QLabel)
    return [label.text() for label in labels if label.isVisible()]


def composer_state(window: Window) -> ComposerState:
    return window.window.composer.state


def begun(window: Window) -> tuple[App, str]:
    """The services, and the chat in which something was asked and answered."""
    window.ask("say: one")
    services, chat = window.desktop.services, window.window.parts.chat.current
    assert services
    assert chat
    return services, chat


def test_words_refused_elsewhere_wait_in_the_chat_they_are_for(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, asked_in = begun(window)
    left = threading.Event()
    monkeypatch.setattr(services.chat, "send", late(left, refuse))
    window.send("say: two")
    assert window.editor.toPlainText() == ""
    window.window.new_chat()
    window.type("something else")
    left.set()
    window.until(lambda: "The disk is full." in window.window.notice.words)
    assert window.editor.toPlainText() == "something else"
    window.window.open_conversation(asked_in)
    assert window.editor.toPlainText() == "say: two"


def test_trying_again_sends_the_words_that_were_refused(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, asked_in = begun(window)
    with monkeypatch.context() as full:
        full.setattr(services.chat, "send", refuse)
        window.send("say: two")
        window.until(lambda: "The disk is full." in window.window.notice.words)
    window.window.new_chat()
    window.type("something else")
    window.window.notice.act()
    window.until(lambda: len(services.chat.conversation(asked_in).messages) == 4)
    assert window.editor.toPlainText() == "something else"
    assert window.messages == []
    window.window.open_conversation(asked_in)
    window.until(lambda: [each.text for each in window.messages[2:]] == ["say: two", "two "])
    assert window.editor.toPlainText() == ""


def test_words_accepted_elsewhere_are_no_draft_any_more(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, asked_in = begun(window)
    left = threading.Event()
    monkeypatch.setattr(services.chat, "send", late(left, services.chat.send))
    window.send("say: two")
    window.window.new_chat()
    window.type("something else")
    left.set()
    window.until(lambda: len(services.chat.conversation(asked_in).messages) == 4)
    assert window.editor.toPlainText() == "something else"
    assert window.messages == []
    window.window.open_conversation(asked_in)
    window.until(lambda: window.editor.toPlainText() == "")
    window.until(lambda: [each.text for each in window.messages[2:]] == ["say: two", "two "])


def test_words_of_a_chat_that_began_meanwhile_are_no_draft_of_it(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, told = window.desktop.services, threading.Event()
    assert services
    send = services.chat.send

    def accept_late(*args: object, **fields: object) -> str:
        conversation_id = send(*args, **fields)  # type: ignore[arg-type]
        assert told.wait(TIMEOUT_MS / 1000)
        return conversation_id

    monkeypatch.setattr(services.chat, "send", accept_late)
    window.send("say: one")
    window.until(lambda: len(window.messages) == 2)
    began = window.messages[0].conversation_id
    window.window.new_chat()
    told.set()
    window.until(lambda: window.editor.toPlainText() == "")
    window.window.open_conversation(began)
    assert window.editor.toPlainText() == ""


def test_a_bug_leaves_no_chat_sending_for_ever(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("nobody expected this")

    services, bugs = window.desktop.services, list[BaseException]()
    assert services
    monkeypatch.setattr("chatdesk.ui.window.main_window.show_bug", lambda bug, _: bugs.append(bug))
    monkeypatch.setattr(services.chat, "send", fail)
    window.send("say: one")
    window.until(lambda: bool(bugs))
    window.until(lambda: window.editor.toPlainText() == "say: one")
    assert composer_state(window) is ComposerState.READY


def test_a_bug_elsewhere_does_not_let_it_be_sent_twice(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, accept = window.desktop.services, threading.Event()
    assert services
    monkeypatch.setattr("chatdesk.ui.window.main_window.show_bug", lambda bug, _: None)
    monkeypatch.setattr(services.chat, "send", late(accept, services.chat.send))
    window.send("say: one")
    window.desktop.bridge.bug_found.emit(RuntimeError("elsewhere"))
    assert composer_state(window) is ComposerState.SENDING
    accept.set()
    window.until(lambda: [each.text for each in window.messages] == ["say: one", "one "])


def test_a_late_acceptance_ends_no_sending_in_another_chat(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, first = begun(window)
    accept, accept_other = threading.Event(), threading.Event()
    send = services.chat.send
    monkeypatch.setattr(services.chat, "send", late(accept, send))
    window.send("say: two")
    window.window.new_chat()
    assert composer_state(window) is ComposerState.READY
    monkeypatch.setattr(services.chat, "send", late(accept_other, send))
    window.send("say: other")
    window.until(lambda: kept_words(window).get(first) == "say: two")
    accept.set()
    window.until(lambda: first not in kept_words(window))
    assert composer_state(window) is ComposerState.SENDING
    window.window.open_conversation(first)
    assert composer_state(window) is not ComposerState.SENDING
    window.window.new_chat()
    assert composer_state(window) is ComposerState.SENDING
    accept_other.set()
    window.until(lambda: [each.text for each in window.messages] == ["say: other", "other "])


def test_another_first_message_of_a_chat_does_not_become_the_new_chat(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.ask("say: one")
    services, chat = window.desktop.services, window.window.parts.chat
    assert services
    edited, sent = threading.Event(), threading.Event()
    monkeypatch.setattr(services.chat, "edit", late(edited, services.chat.edit))
    monkeypatch.setattr(services.chat, "send", late(sent, services.chat.send))
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Up)
    editor = window.view_of(window.messages[0]).editor
    assert editor
    window.qtbot.mouseClick(editor.accept_button, Qt.MouseButton.LeftButton)
    window.window.new_chat()
    window.send("say: two")
    ended: list[AnswerEnded] = []
    window.desktop.bridge.subscribe(AnswerEnded, ended.append)
    edited.set()
    window.until(lambda: bool(ended))
    assert chat.current is None
    sent.set()
    window.until(lambda: [each.text for each in window.messages] == ["say: two", "two "])


def test_what_is_sent_before_the_services_are_there_goes_to_its_chat(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        window.ask("say: one")
        chat = window.messages[0].conversation_id
    with opened(qtbot, qapp, paths) as window:
        assert window.desktop.services is None
        window.send("say: two")
        window.window.new_chat()
        window.send("say: new")
        window.until(lambda: [each.text for each in window.messages] == ["say: new", "new "])
        window.window.open_conversation(chat)
        window.until(lambda: [each.text for each in window.messages[2:]] == ["say: two", "two "])
        window.until(lambda: window.editor.toPlainText() == "")


def test_a_correction_that_is_refused_goes_back_into_the_editor(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = window.ask("say: one")
    services = window.desktop.services
    assert services
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


def test_what_is_sent_before_the_model_is_loaded_stands_there_and_waits(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.send("say: early words")
        assert window.editor.toPlainText() == ""
        assert waiting(window) == ["say: early words", "waits for the model"]
        window.until(lambda: [each.text for each in window.messages[1:]] == ["early words "])
        window.until(lambda: waiting(window) == [])


def test_what_is_accepted_at_once_does_not_flicker_above_the_composer(window: Window) -> None:
    window.send("say: one")
    assert waiting(window) == []
    window.until(lambda: len(window.messages) == 2)
    assert waiting(window) == []


def test_words_sent_while_an_answer_is_written_wait_for_its_end_in_their_order(
    window: Window,
) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.send("say: two")
    window.send("say: three")
    assert window.editor.toPlainText() == ""
    assert [words for words in waiting(window) if "say" in words] == ["say: two", "say: three"]
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
    window.until(lambda: len(window.messages) == 6)
    window.until(lambda: window.messages[-1].state is MessageState.COMPLETE)
    assert [each.text for each in window.messages[2:]] == [
        "say: two",
        "two ",
        "say: three",
        "three ",
    ]
    assert waiting(window) == []


def test_words_that_wait_can_be_taken_back(window: Window) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.send("say: two")
    window.send("say: three")
    window.type("and more")
    buttons = window.window.parts.page.waiting.findChildren(QToolButton)
    button = next(each for each in buttons if each.isVisible())
    window.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.editor.toPlainText() == "say: two\n\nand more"
    assert window.window.focusWidget() is window.editor
    assert [words for words in waiting(window) if "say" in words] == ["say: three"]


def test_words_that_wait_are_a_draft_after_a_restart(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths
) -> None:
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        window.send("slow")
        window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
        window.send("say: two")
        window.type("and more")
    with opened(qtbot, qapp, paths) as window:
        assert window.editor.toPlainText() == "say: two\n\nand more"
        assert waiting(window) == []


def test_nothing_is_sent_to_a_chat_that_was_deleted_meanwhile(window: Window) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.send("say: two")
    services, chat = window.desktop.services, window.messages[0].conversation_id
    assert services
    ended: list[AnswerEnded] = []
    window.desktop.bridge.subscribe(AnswerEnded, ended.append)
    window.window.parts.chat_deleter.delete(chat)
    window.until(lambda: bool(ended))
    window.qtbot.wait(100)
    assert len(services.conversations.get(chat).messages) == 2
    window.window.notice.act()
    window.until(lambda: window.window.parts.chat.current == chat)
    assert window.editor.toPlainText() == "say: two"
