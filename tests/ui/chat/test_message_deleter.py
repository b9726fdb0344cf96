"""A message is deleted in its menu, and comes back with the notice or the key."""

from PySide6.QtCore import Qt

from chatdesk.core.chat import Message
from tests.ui.driver import Window


def delete(window: Window, message: Message, words: str) -> None:
    menu = window.view_of(message).actions_row.more_menu()
    next(each for each in menu.actions() if each.text() == words).trigger()


def said(window: Window) -> list[str]:
    return [message.text.strip() for message in window.messages]


def test_a_question_goes_with_its_answer_and_comes_back(window: Window) -> None:
    window.ask("say: one")
    window.ask("say: two")
    delete(window, window.messages[0], "Delete with its answer")
    window.until(lambda: said(window) == ["say: two", "two"])
    assert window.window.notice.words == "2 messages were deleted."
    window.window.notice.act()
    window.until(lambda: said(window) == ["say: one", "one", "say: two", "two"])


def test_the_key_brings_the_last_one_back(window: Window) -> None:
    window.ask("say: one")
    window.ask("say: two")
    for answer in (window.messages[1], window.messages[3]):
        left = len(window.messages) - 1
        delete(window, answer, "Delete")
        window.until(lambda: len(window.messages) == left)  # noqa: B023
    assert window.window.notice.words == "2 messages were deleted."
    window.window.chat_view.column.setFocus()
    window.qtbot.keyClick(
        window.window.chat_view.column, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier
    )
    window.until(lambda: said(window) == ["say: one", "say: two", "two"])
    assert window.window.notice.words == "1 message was deleted."
