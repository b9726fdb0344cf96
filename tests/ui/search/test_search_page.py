"""What is typed in the sidebar's field is found in all chats, and opened with the keyboard."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from chatdesk.core.chat import AnswerRecord, Role
from chatdesk.core.search import Hit
from chatdesk.ui.navigator import PageId
from chatdesk.ui.search.hit_list import HitRole, unmarked
from chatdesk.ui.search.page import SearchPage
from tests.ui.driver import Window, texts


@pytest.fixture
def chats(window: Window) -> list[str]:
    """Two chats; the first has two branches, the second is in a project."""
    assert window.desktop.services
    store = window.desktop.services.conversations
    first = store.create(title="Pruning").id
    question = store.add_message(first, None, Role.USER, "When do I cut the fig?")
    record = AnswerRecord(model_name="Qwen")
    store.add_message(first, question.id, Role.ASSISTANT, "In late winter.", answer=record)
    store.add_message(first, question.id, Role.ASSISTANT, "In spring.", answer=record)
    second = store.create(title="Winter buds").id
    store.add_message(second, None, Role.USER, "Are there buds in winter?")
    garden = window.desktop.services.order.create_project("Garden book", "")
    window.desktop.services.order.move([second], garden.id)
    return [first, second]


def field(window: Window) -> QLineEdit:
    return window.window.parts.sidebar.search_field


def page(window: Window) -> SearchPage:
    found = window.window.findChild(SearchPage)
    assert isinstance(found, SearchPage)
    return found


def hits(window: Window) -> list[Hit]:
    model = page(window).hits.hits
    return [model.index(row).data(HitRole.HIT) for row in range(model.rowCount())]


def search(window: Window, words: str, count: int) -> None:
    field(window).setFocus()
    window.qtbot.keyClicks(field(window), words)
    window.until(lambda: len(hits(window)) == count)


def test_it_is_found_as_one_types_and_opened_at_the_message(
    window: Window, chats: list[str]
) -> None:
    search(window, "winter", 3)
    assert page(window).isVisible()
    assert QApplication.focusWidget() is field(window)
    assert unmarked(hits(window)[0].title) == ("Winter buds", [(0, 6)])
    assert "3 places in 2 chats" in texts(page(window))
    window.qtbot.keyClick(field(window), Qt.Key.Key_Down)
    window.qtbot.keyClick(field(window), Qt.Key.Key_Down)
    chosen = page(window).hits.currentIndex().data(HitRole.HIT)
    assert chosen.conversation_id == chats[0]
    window.qtbot.keyClick(field(window), Qt.Key.Key_Return)
    window.until(lambda: [each.text for each in window.messages][1:] == ["In late winter."])
    assert field(window).text() == ""
    assert not page(window).isVisible()


def test_a_message_of_another_branch_of_the_open_chat_is_shown(
    window: Window, chats: list[str]
) -> None:
    window.window.open_conversation(chats[0])
    window.until(lambda: [each.text for each in window.messages][1:] == ["In spring."])
    search(window, "late", 1)
    window.qtbot.keyClick(field(window), Qt.Key.Key_Return)
    window.until(lambda: [each.text for each in window.messages][1:] == ["In late winter."])


def test_control_and_enter_keep_the_list(window: Window, chats: list[str]) -> None:
    search(window, "fig", 1)
    window.qtbot.keyClick(field(window), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    window.until(lambda: len(window.messages) == 2)
    assert field(window).text() == "fig"
    window.until(field(window).hasFocus)
    window.qtbot.keyClick(field(window), Qt.Key.Key_Down)
    window.until(page(window).isVisible)


def test_enter_before_the_answer_opens_the_first(window: Window, chats: list[str]) -> None:
    field(window).setFocus()
    window.qtbot.keyClicks(field(window), "cut the fig")
    window.qtbot.keyClick(field(window), Qt.Key.Key_Return)
    window.until(lambda: len(window.messages) == 2)


def test_escape_leads_back(window: Window, chats: list[str]) -> None:
    search(window, "fig", 1)
    window.qtbot.keyClick(field(window), Qt.Key.Key_Escape)
    assert field(window).text() == ""
    assert not page(window).isVisible()


def test_nothing_found_says_what_to_do(window: Window, chats: list[str]) -> None:
    search(window, "fig", 1)
    window.qtbot.keyClicks(field(window), "zzz")
    window.until(lambda: "Nothing was found" in texts(page(window)))
    assert any("Fewer words" in each for each in texts(page(window)))
    field(window).clear()
    window.until(lambda: any("Type words" in each for each in texts(page(window))))


def test_filters_are_taken_off_where_they_hide_everything(window: Window, chats: list[str]) -> None:
    search(window, "winter", 3)
    filters = page(window).filters
    filters.offer({"x": "Garden book"}, [])
    filters._set(project="Garden book")
    window.until(lambda: len(hits(window)) == 2)
    filters._set(role=Role.ASSISTANT)
    window.until(lambda: "Nothing was found" in texts(page(window)))
    page(window)._without.click()
    window.until(lambda: len(hits(window)) == 3)


def test_a_narrow_window_has_a_field_on_the_page(window: Window, chats: list[str]) -> None:
    window.window.resize(500, 700)
    window.window.navigator.show(PageId.SEARCH)
    own = page(window).field
    assert own.isVisible() and page(window).focusProxy() is own
    window.qtbot.keyClicks(own, "fig")
    window.until(lambda: len(hits(window)) == 1)
    assert field(window).text() == "fig"
