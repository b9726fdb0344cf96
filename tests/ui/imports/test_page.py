"""The import as a person does it: drop, look, choose, import, see."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.chat import Mark
from chatdesk.ui.imports.invitation import ImportInvitation
from chatdesk.ui.imports.page import ImportPage
from chatdesk.ui.navigator import PageId
from chatdesk.ui.widgets.fields import Choice
from tests.exchange.conversations.reading import PICTURE, written, zipped
from tests.exchange.conversations.test_chatgpt import PLAIN, chat
from tests.ui.driver import Window, texts
from tests.ui.window.test_file_drop import drag, drop, overlay


def export(folder: Path, count: int = 2) -> Path:
    chats = [chat(PLAIN, "a", conversation_id=f"c{n}", title=f"Chat {n}") for n in range(count)]
    empty = chat({}, conversation_id="e", title=None)
    return zipped(folder / "export.zip", {"conversations.json": [*chats, empty], "x.png": PICTURE})


def page_of(window: Window) -> ImportPage:
    page = window.window.findChild(ImportPage)
    assert isinstance(page, ImportPage)
    return page


def button(page: QWidget, words: str) -> QPushButton:
    found = [each for each in page.findChildren(QPushButton) if each.text() == words]
    assert len(found) == 1, [each.text() for each in page.findChildren(QPushButton)]
    return found[0]


def previewed(window: Window, path: Path) -> ImportPage:
    window.window.navigator.import_chats(path)
    page = page_of(window)
    window.until(lambda: page.model.rowCount() > 0)
    return page


def test_an_export_that_is_dropped_is_shown_and_imported(window: Window, tmp_path: Path) -> None:
    path = export(tmp_path)
    assert drag(window, path)
    assert overlay(window) == "Drop it here to import its chats"
    drop(window, path)
    window.until(lambda: window.window.findChild(ImportPage) is not None)
    page = page_of(window)
    window.until(lambda: page.model.rowCount() == 3)
    assert page.isVisible()
    seen = texts(page)
    assert "2 chats are new" in seen
    assert "export.zip · ChatGPT · 3 chats, 8 messages · nothing is sent anywhere" in seen
    assert [page.model.index(row).data() for row in range(3)] == ["Chat 0", "Chat 1", "(no title)"]
    button(page, "Import 2 chats").click()
    window.until(lambda: "2 chats came in." in texts(page))
    button(page, "Open the newest").click()
    window.until(lambda: [each.text for each in window.messages][:1] == ["Wie? 什么?"])
    assert not page.isVisible()
    assert [each.project.name for each in window.window.parts.list_model.projects] == [
        "Imported from ChatGPT"
    ]
    services = window.desktop.services
    assert services
    assert {each.mark for each in services.conversations.list()} == {Mark.EXCLUDE}


def test_chats_are_chosen_with_the_keyboard_and_put_into_a_project(
    window: Window, tmp_path: Path
) -> None:
    window.until_ready()
    assert window.desktop.services
    window.desktop.services.order.create_project("Mine")
    page = previewed(window, export(tmp_path))
    listed = page._list
    listed.setCurrentIndex(page.model.index(0))
    QTest.keyClick(listed, Qt.Key.Key_Space)
    assert page.model.chosen == {"c1"}
    button(page, "none").click()
    assert not button(page, "Import 0 chats").isEnabled()
    button(page, "all").click()
    spot = listed.visualRect(page.model.index(1)).center()
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert page.model.chosen == {"c0"}
    empty = listed.visualRect(page.model.index(2)).center()
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=empty)
    assert page.model.chosen == {"c0"}
    project, learned = page.findChildren(Choice)
    project.choose("Mine")
    learned.choose(True)
    button(page, "Import 1 chat").click()
    window.until(lambda: "1 chat came in." in texts(page))
    (found,) = window.desktop.services.conversations.list()
    (mine,) = window.desktop.services.order.projects()
    assert (found.title, found.project_id, found.mark) == ("Chat 0", mine.project.id, None)
    page = previewed(window, export(tmp_path))
    window.until(lambda: "1 chat is new" in texts(page))
    spoken = page.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Chat 0; is left out; 4 messages; 2 branches; is here already"


def test_what_could_not_be_read_is_in_the_report(window: Window, tmp_path: Path) -> None:
    page = previewed(window, export(tmp_path))
    assert "1 thing to know" in texts(page)
    button(page, "Show the report").click()
    assert (
        page._report.isVisible()
        and page._report.toPlainText() == "a chat without a title: The chat is empty."
    )


def test_an_unknown_file_is_a_problem_and_a_text_goes_into_the_message(
    window: Window, tmp_path: Path
) -> None:
    window.until_ready()
    drop(window, zipped(tmp_path / "photos.zip", {"a.png": PICTURE}))
    window.until(lambda: any("photos.zip" in words for words in texts(window.window.notice)))
    drop(window, written(tmp_path, '{"just": "data"}', "data.json"))
    window.until(lambda: window.editor.toPlainText().strip() == '{"just": "data"}')


def test_a_file_of_chats_that_is_dropped_is_an_export(window: Window, tmp_path: Path) -> None:
    drop(window, written(tmp_path, [chat(PLAIN)], "mine.json"))
    window.until(lambda: window.window.findChild(ImportPage) is not None)
    window.until(lambda: page_of(window).model.rowCount() == 1)
    assert window.editor.toPlainText() == ""


def test_the_first_screen_leads_there_until_there_are_chats(window: Window) -> None:
    window.until_ready()
    invitation = window.window.findChild(ImportInvitation)
    assert isinstance(invitation, ImportInvitation)
    window.until(invitation.isVisible)
    invitation.button.click()
    window.until(lambda: window.window.findChild(ImportPage) is not None)
    assert page_of(window).isVisible()
    window.window.navigator.show(PageId.CHAT)
    window.ask("say: hello")
    window.window.new_chat()
    window.until(lambda: not invitation.isVisible())


def test_cancel_ends_the_import_and_keeps_what_came_in(window: Window, tmp_path: Path) -> None:
    window.until_ready()
    page = previewed(window, export(tmp_path, 3000))
    button(page, "Import 3,000 chats").click()
    assert window.desktop.services
    services = window.desktop.services
    window.until(lambda: len(services.conversations.list()) > 0)
    button(page, "Cancel").click()
    window.until(lambda: any("came in" in words for words in texts(page)))
    assert 0 < len(services.conversations.list()) < 3000
