"""An answer that is not saved yet is told until it is, and is not left behind at closing."""

from collections.abc import Iterator
from typing import NoReturn

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox

from chatdesk.core.chat import Message
from chatdesk.core.errors import StoreProblem
from chatdesk.services.app import App
from tests.ui.driver import Window, texts

NOT_SAVED = "1 answer is not saved yet."


def refuse(*_: object, **__: object) -> NoReturn:
    raise StoreProblem("The disk is full.", "Make room.")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, window: Window) -> Iterator[pytest.MonkeyPatch]:
    """No answer can be saved until it is undone."""
    store = services(window).conversations
    monkeypatch.setattr("chatdesk.services.chat.unsaved.RETRY_S", 1000.0)
    with pytest.MonkeyPatch.context() as full:
        full.setattr(store, "finish", refuse)
        full.setattr(store, "write_text", refuse)
        yield full


def services(window: Window) -> App:
    assert window.desktop.services
    return window.desktop.services


def stored(window: Window, answer: Message) -> str:
    return services(window).conversations.get(answer.conversation_id).by_id[answer.id].text


def test_it_is_told_and_saved_with_the_next_write(window: Window, full: pytest.MonkeyPatch) -> None:
    answer = window.ask("say: one")
    window.until(lambda: NOT_SAVED in window.window.notice.words)
    assert "This answer is not saved yet." in texts(window.view_of(answer))
    full.undo()
    services(window).conversations.create(title="Any write")
    window.until(lambda: window.window.notice.words == "Everything is saved.")
    assert stored(window, answer) == "one "
    assert "This answer is not saved yet." not in texts(window.view_of(answer))


def test_what_was_stopped_does_not_say_that_it_is_kept(
    window: Window, full: pytest.MonkeyPatch
) -> None:
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 20)
    window.until(lambda: NOT_SAVED in window.window.notice.words)  # while it is written
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
    words = "Stopped by you. What was written is not saved yet."
    window.until(lambda: words in texts(window.view_of(window.messages[-1])))


def test_another_problem_leaves_its_button(window: Window, full: pytest.MonkeyPatch) -> None:
    answer = window.ask("say: one")
    window.until(lambda: NOT_SAVED in window.window.notice.words)
    full.setattr(services(window).chat, "send", refuse)
    window.send("say: two")
    window.until(lambda: len(window.window.notice.toasts) == 2)
    first, second = window.window.notice.toasts
    assert (first.offers, second.offers) == (("Save now",), ("Try again",))
    full.undo()
    first.act("Save now")
    window.until(lambda: stored(window, answer) == "one ")
    second.act("Try again")
    window.until(lambda: window.messages[-1].text == "two ")


def test_it_is_marked_also_when_the_chat_is_opened_again(
    window: Window, full: pytest.MonkeyPatch
) -> None:
    answer = window.ask("say: one")
    window.window.new_chat()
    window.window.open_conversation(answer.conversation_id)
    window.until(lambda: bool(window.messages))
    assert "This answer is not saved yet." in texts(window.view_of(answer))


def box(window: Window) -> QMessageBox:
    (found,) = [each for each in window.window.findChildren(QMessageBox) if each.isVisible()]
    return found


def press(window: Window, words: str) -> None:
    buttons: list[QAbstractButton] = box(window).buttons()
    next(each for each in buttons if each.text() == words).click()


def test_closing_saves_it_first(window: Window, full: pytest.MonkeyPatch) -> None:
    answer = window.ask("say: one")
    window.until(lambda: NOT_SAVED in window.window.notice.words)
    kept = services(window).conversations
    full.undo()
    saved: list[str] = []
    finish = kept.finish

    def save(message: Message) -> Message:
        saved.append(message.id)
        return finish(message)

    full.setattr(kept, "finish", save)
    window.window.close()
    window.until(lambda: window.desktop.services is None)
    assert saved == [answer.id]


def test_closing_asks_where_it_cannot_be_saved(window: Window, full: pytest.MonkeyPatch) -> None:
    window.ask("say: one")
    window.until(lambda: NOT_SAVED in window.window.notice.words)
    window.window.close()
    window.until(lambda: bool(window.window.findChildren(QMessageBox)))
    assert "The disk is full." in box(window).informativeText()
    assert window.window.isVisible()
    window.window.close()  # once more changes nothing
    press(window, "Cancel")
    window.until(lambda: not window.window.findChildren(QMessageBox))
    assert window.window.isVisible()
    window.window.close()
    window.until(lambda: bool(window.window.findChildren(QMessageBox)))
    press(window, "Close anyway")
    window.until(lambda: window.desktop.services is None)
