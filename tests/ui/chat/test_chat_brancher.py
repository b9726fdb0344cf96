from chatdesk.core.chat import Message
from chatdesk.ui.chat.messages.action_row import ActionRow
from tests.ui.driver import Window


def row_of(window: Window, message: Message) -> ActionRow:
    row = window.view_of(message).findChild(ActionRow)
    assert row
    return row


def test_a_branch_is_opened_from_the_menu_of_a_message(window: Window) -> None:
    window.until_ready()
    answer = window.ask("say: one")
    window.ask("say: two")
    row = row_of(window, answer)
    menu = row.more_menu()
    (branch,) = (each for each in menu.actions() if each.text() == "Branch into a new chat")
    home = answer.conversation_id
    branch.trigger()
    window.until(lambda: bool(window.messages) and window.messages[0].conversation_id != home)
    assert [each.text.strip() for each in window.messages] == ["say: one", "one"]


def test_a_temporary_chat_stays_where_it_is(window: Window) -> None:
    window.until_ready()
    window.window.new_temporary_chat()
    answer = window.ask("say: one")
    words = [each.text() for each in row_of(window, answer).more_menu().actions()]
    assert "Branch into a new chat" not in words
