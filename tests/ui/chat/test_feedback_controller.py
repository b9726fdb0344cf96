"""What a person says about answers, from the window to the database and back."""

import pytest
from PySide6.QtCore import Qt

from chatdesk.core.chat import Conversation, Mark, Rating
from chatdesk.core.errors import EnvironmentProblem, StoreProblem
from chatdesk.ui.history.sidebar import Sidebar
from tests.ui.driver import Window


def stored(window: Window) -> Conversation:
    services = window.desktop.services
    assert services
    return services.conversations.get(window.messages[0].conversation_id)


def test_a_rating_is_kept_and_shown(window: Window) -> None:
    answer = window.ask("say: one")
    buttons = window.view_of(answer).actions_row.rating_buttons

    def rating() -> Rating | None:
        return stored(window).by_id[answer.id].rating

    buttons[Rating.UP].click()
    assert buttons[Rating.UP].isChecked()
    window.until(lambda: rating() is Rating.UP)
    buttons[Rating.DOWN].click()
    assert buttons[Rating.DOWN].isChecked() and not buttons[Rating.UP].isChecked()
    window.until(lambda: rating() is Rating.DOWN)
    buttons[Rating.DOWN].click()
    assert not buttons[Rating.DOWN].isChecked()
    window.until(lambda: rating() is None)


def test_a_rating_that_cannot_be_stored_is_taken_back(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = window.ask("say: one")
    up = window.view_of(answer).actions_row.rating_buttons[Rating.UP]
    services = window.desktop.services
    assert services

    def full(*_: object) -> None:
        raise EnvironmentProblem("The disk is full.")

    monkeypatch.setattr(services.chat, "rate", full)
    up.click()
    assert up.isChecked()
    window.until(lambda: not up.isChecked())
    window.until(lambda: "The disk is full." in window.window.notice.words)


def test_a_mark_is_kept_and_shown(window: Window) -> None:
    answer = window.ask("say: one")
    view = window.view_of(answer)
    view.message_actions.mark_requested.emit(answer.id, Mark.EXCLUDE)
    window.until(lambda: view.marks.words == ("Never learned from",))
    assert stored(window).by_id[answer.id].mark is Mark.EXCLUDE


def test_a_correction_stands_beside_the_answer(window: Window) -> None:
    answer = window.ask("say: one")
    view = window.view_of(answer)
    view.actions_row.edit_button.click()
    assert view.editor
    view.editor.text.setPlainText("Two.")
    window.qtbot.mouseClick(view.editor.accept_button, Qt.MouseButton.LeftButton)
    window.until(lambda: window.messages[-1].text == "Two.")
    correction = window.messages[-1]
    assert correction.corrects == answer.id
    shown = window.view_of(correction)
    assert shown.marks.words == ("Corrected by you",)
    assert shown.actions_row.position.text() == "2/2"
    shown.actions_row.previous_button.click()
    window.until(lambda: window.messages[-1].id == answer.id)
    assert [message.text for message in stored(window).messages] == ["say: one", "one ", "Two."]


def test_a_correction_during_an_answer_is_not_lost(window: Window) -> None:
    answer = window.ask("say: one")
    window.send("slow")
    window.until(lambda: len(window.messages) == 4)
    view = window.view_of(answer)
    view.begin_edit("Two.")
    assert view.editor
    view.editor.accept_button.click()
    assert view.editor and view.editor.text.toPlainText() == "Two."
    assert len(stored(window).siblings(answer.id)) == 1


def test_a_chat_is_marked(window: Window) -> None:
    conversation_id = window.ask("say: one").conversation_id
    sidebar = window.window.findChild(Sidebar)
    assert isinstance(sidebar, Sidebar)
    sidebar.menus.mark_requested.emit(conversation_id, Mark.EXCLUDE)
    window.until(lambda: stored(window).mark is Mark.EXCLUDE)
    sidebar.menus.mark_requested.emit(conversation_id, None)
    window.until(lambda: stored(window).mark is None)


def test_a_rating_that_could_not_be_stored_can_be_tried_again(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreProblem("The disk is full.")

    answer = window.ask("say: one")
    button = window.view_of(answer).actions_row.rating_buttons[Rating.UP]
    assert window.desktop.services
    with monkeypatch.context() as full:
        full.setattr(window.desktop.services.chat, "rate", refuse)
        button.click()
        window.until(lambda: "full" in window.window.notice.words)
    window.window.notice.show_words("Something else.")
    window.window.notice.act()
    window.until(button.isChecked)
    assert stored(window).by_id[answer.id].rating is Rating.UP
    assert window.window.notice.words == "Something else."
