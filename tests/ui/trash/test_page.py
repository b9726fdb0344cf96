"""The trash is a place in the window."""

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton

from chatdesk.core.chat import ConversationSummary, TitleSource, now
from chatdesk.ui.navigator import PageId
from chatdesk.ui.theme import Theme
from chatdesk.ui.trash.page import SHOWN, TrashPage
from tests.ui.driver import Window, texts


@pytest.fixture
def deleted(window: Window) -> list[str]:
    """Two chats that were deleted, the second one last."""
    assert window.desktop.services
    ids = []
    for name in ("one", "two"):
        window.window.new_chat()
        ids.append(window.ask(f"say: {name}").conversation_id)
        window.desktop.services.chat.rename(ids[-1], name)
    for chat in ids:
        window.desktop.services.chat.delete(chat)
    window.until(lambda: window.titles == [])
    return ids


def entry(window: Window) -> QPushButton:
    found = window.window.parts.sidebar.findChildren(QPushButton)
    return next(each for each in found if each.text() == "Recently deleted")


def page_of(window: Window) -> TrashPage:
    window.window.navigator.show(PageId.TRASH)
    page = window.window.findChild(TrashPage)
    assert isinstance(page, TrashPage)
    return page


def titles(page: TrashPage) -> list[str]:
    return [texts(row)[0] for row in page.rows]


def press(window: Window, words: str) -> None:
    (box,) = [each for each in window.window.findChildren(QMessageBox) if each.isVisible()]
    next(each for each in box.buttons() if each.text() == words).click()


def test_it_is_offered_at_the_end_of_the_chats_once_there_is_something(
    window: Window, deleted: list[str]
) -> None:
    window.until(entry(window).isVisible)
    window.qtbot.mouseClick(entry(window), Qt.MouseButton.LeftButton)
    page = window.window.findChild(TrashPage)
    assert isinstance(page, TrashPage) and page.isVisible()
    window.until(lambda: titles(page) == ["two", "one"])
    assert texts(page.rows[0])[1] == "Deleted today · 30 days left"


def test_without_anything_deleted_nothing_is_offered(window: Window) -> None:
    window.ask("say: one")
    assert not entry(window).isVisible()
    page = page_of(window)
    window.until(lambda: any("Nothing was deleted." in each for each in texts(page)))


def test_a_chat_is_restored(window: Window, deleted: list[str]) -> None:
    page = page_of(window)
    window.until(lambda: len(page.rows) == 2)
    page.rows[0].restore.setFocus()
    page.rows[0].restore.click()
    window.until(lambda: titles(page) == ["one"])
    assert page.rows[0].restore.hasFocus()  # whose neighbour is gone
    assert window.titles == ["two"]
    window.until(lambda: "“two”" in window.window.notice.words)
    window.window.notice.act()
    window.until(lambda: bool(window.messages) and window.messages[0].text == "say: two")


def test_a_chat_is_deleted_for_good_after_one_question(window: Window, deleted: list[str]) -> None:
    page = page_of(window)
    window.until(lambda: len(page.rows) == 2)
    page.rows[0].delete.click()
    press(window, "Cancel")
    assert len(page.rows) == 2
    page.rows[0].delete.click()
    press(window, "Delete for good")
    window.until(lambda: titles(page) == ["one"])
    assert window.desktop.services
    (left,) = window.desktop.services.conversations.list(deleted=True)
    assert left.id == deleted[0]


def test_all_are_deleted_for_good(window: Window, deleted: list[str]) -> None:
    page = page_of(window)
    window.until(lambda: len(page.rows) == 2)
    empty = next(b for b in page.findChildren(QPushButton) if b.text() == "Delete all for good…")
    empty.click()
    press(window, "Delete for good")
    window.until(lambda: not page.rows)
    assert not empty.isVisible()
    window.until(lambda: not entry(window).isVisible())


def summary(number: int, days: float) -> ConversationSummary:
    moment = now()
    gone = moment - timedelta(days=days)
    return ConversationSummary(
        f"c{number}", f"Chat {number}", TitleSource.USER, moment, moment, 2, deleted=gone
    )


@pytest.mark.parametrize(
    ("days", "words"), [(0, "30 days left"), (0.5, "30 days left"), (29.5, "1 day left")]
)
def test_how_long_it_can_be_brought_back(theme: Theme, days: float, words: str) -> None:
    page = TrashPage(theme)
    page.show_deleted([summary(1, days)], 30)
    assert texts(page.rows[0])[1].endswith(words)
    assert "for 30 days" in texts(page)[1]
    page.show_deleted([summary(1, days)], 0)
    assert "until you delete them" in texts(page)[1]
    assert "left" not in texts(page.rows[0])[1]


def test_of_very_many_some_are_shown_at_first(theme: Theme) -> None:
    page = TrashPage(theme)
    page.show_deleted([summary(number, number / 10_000) for number in range(SHOWN + 5)], 30)
    assert len(page.rows) == SHOWN
    more = next(each for each in page.findChildren(QPushButton) if each.text() == "Show more")
    more.click()
    assert len(page.rows) == SHOWN + 5
    assert more.isHidden()
