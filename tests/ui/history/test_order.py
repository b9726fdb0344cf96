"""Projects, pins and the archive in the window, from the menus to the database and back."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QAction, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import ConversationSummary, TitleSource, now
from chatdesk.core.projects import Project, ProjectSummary
from chatdesk.services.app import App
from chatdesk.ui.history.conversation_list import ConversationList
from chatdesk.ui.history.conversation_list_model import ConversationListModel, ListRole
from chatdesk.ui.history.rows import ARCHIVE
from chatdesk.ui.theme import Theme
from tests.ui.driver import Window

GARDEN = Project("d1", "Garden", "green", 0, now())


def chat(
    title: str, project_id: str | None = None, *, pinned: bool = False, archived: bool = False
) -> ConversationSummary:
    moment = now()
    plain = ConversationSummary(title, title, TitleSource.USER, moment, moment, 2)
    return replace(plain, project_id=project_id, pinned=pinned, archived=archived)


def services(window: Window) -> App:
    assert window.desktop.services
    return window.desktop.services


def rows(model: ConversationListModel) -> list[str]:
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def test_rows_are_projects_pins_chats_and_the_archive(qapp: QApplication) -> None:
    model = ConversationListModel()
    chats = [
        chat("a"),
        chat("b", pinned=True),
        chat("c", project_id="d1"),
        chat("d", project_id="d1", pinned=True),
        chat("e", archived=True, project_id="d1"),
        chat("f", project_id="gone"),
    ]
    model.show(chats, [ProjectSummary(GARDEN, 3)])
    closed = ["Projects", "Garden", "Pinned", "b", "Today", "a", "f", "Archived"]
    assert rows(model) == closed
    model.open_folder("d1", is_open=True)
    assert rows(model)[:4] == ["Projects", "Garden", "d", "c"]
    model.open_folder(ARCHIVE, is_open=True)
    assert rows(model)[-2:] == ["Archived", "e"]
    assert model.open_folders == (ARCHIVE, "d1")
    garden = model.index(1)
    assert garden.data(Qt.ItemDataRole.AccessibleTextRole) == "Garden, 2 chats, open"
    model.open_folder("d1", is_open=False)
    model.reveal("c")
    assert "c" in rows(model)


def test_what_is_dropped_asks_for_its_new_place(qapp: QApplication, qtbot: QtBot) -> None:
    model = ConversationListModel()
    model.show([chat("a"), chat("b", archived=True)], [ProjectSummary(GARDEN, 0)])
    data = model.mimeData([model.index(model.row_of("a"))])
    for name, signal, asked in (
        ("Garden", model.move_requested, [("a",), "d1"]),
        ("Today", model.move_requested, [("a",), None]),
        ("Archived", model.archive_requested, [("a",)]),
    ):
        at = model.index(rows(model).index(name))
        assert at.flags() & Qt.ItemFlag.ItemIsDropEnabled
        with qtbot.waitSignal(signal) as told:
            assert model.dropMimeData(data, Qt.DropAction.MoveAction, -1, -1, at)
        assert told.args == asked
    assert not model.dropMimeData(QMimeData(), Qt.DropAction.MoveAction, -1, -1, model.index(1))


def test_a_row_is_dropped_on_a_project(theme: Theme, qtbot: QtBot) -> None:
    model = ConversationListModel()
    model.show([chat("a")], [ProjectSummary(GARDEN, 0)])
    view = ConversationList(model, theme)
    qtbot.addWidget(view)
    view.resize(260, 400)
    view.show()
    data = model.mimeData([model.index(model.row_of("a"))])

    def dropped(name: str) -> bool:
        place = view.visualRect(model.index(rows(model).index(name))).center()
        copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        none = Qt.KeyboardModifier.NoModifier
        moved = QDragMoveEvent(place, copy, data, left, none)
        view.dragMoveEvent(moved)
        event = QDropEvent(QPointF(place), copy, data, left, none)
        event.setAccepted(False)
        view.dropEvent(event)
        assert moved.isAccepted() == event.isAccepted()
        return event.isAccepted()

    with qtbot.waitSignal(model.move_requested) as told:
        assert dropped("Garden")
    assert told.args == [("a",), "d1"]
    assert not dropped("a")


@pytest.fixture
def chats(window: Window) -> Iterator[list[str]]:
    window.until_ready()
    store = services(window).conversations
    made = [store.create(title=title).id for title in ("Figs", "Soil", "无花果")]
    services(window).order.pin([], True)  # the list is told of them
    window.until(lambda: set(window.titles) >= {"Figs", "Soil", "无花果"})
    yield made


def actions(menu: QMenu) -> dict[str, QAction]:
    found = {action.text(): action for action in menu.actions()}
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            found |= actions(below)
    return found


def test_chosen_chats_become_a_project_and_come_back_when_it_is_deleted(
    window: Window, chats: list[str]
) -> None:
    sidebar, model = window.window.parts.sidebar, window.window.parts.list_model
    view = sidebar.findChild(ConversationList)
    assert view
    for each in chats[:2]:
        index = model.index(model.row_of(each))
        view.selectionModel().select(index, view.selectionModel().SelectionFlag.Select)
    menu = sidebar.menu_of(model.index(model.row_of(chats[0])))
    assert "Rename" not in actions(menu)  # several have no one name
    actions(menu)["New project"].trigger()
    window.until(lambda: sidebar.is_renaming)
    (editor,) = view.findChildren(QLineEdit)
    assert editor.accessibleName() == "Name of the project"
    editor.setText("Garden book")
    view.commitData(editor)
    view.closeEditor(editor, view.itemDelegate().EndEditHint.NoHint)
    window.until(lambda: "Garden book" in rows(model))
    (found,) = services(window).order.projects()
    assert (found.project.name, found.conversations) == ("Garden book", 2)
    project = model.index(model.row_of(found.project.id))
    actions(sidebar.menu_of(project))["Delete project, keep its chats"].trigger()
    window.until(lambda: services(window).order.projects() == ())
    window.until(lambda: "The project “Garden book” was deleted." in window.window.notice.words)
    window.window.parts.deletions.undo_last()
    window.until(lambda: services(window).order.projects() == (found,))


def test_a_chat_is_archived_and_brought_back(window: Window, chats: list[str]) -> None:
    sidebar, model = window.window.parts.sidebar, window.window.parts.list_model
    actions(sidebar.menu_of(model.index(model.row_of(chats[0]))))["Archive"].trigger()
    window.until(lambda: "Archived" in rows(model) and "Figs" not in rows(model))
    window.window.notice.act()  # undo
    window.until(lambda: "Figs" in rows(model) and "Archived" not in rows(model))
    actions(sidebar.menu_of(model.index(model.row_of(chats[0]))))["Pin to the top"].trigger()
    window.until(lambda: rows(model)[:2] == ["Pinned", "Figs"])


def test_a_new_chat_begins_in_its_project(window: Window, chats: list[str]) -> None:
    made = services(window).order.create_project("Garden")
    window.until(lambda: "Garden" in rows(window.window.parts.list_model))
    window.window.parts.sidebar.menus.new_chat_requested.emit(made.id)
    window.window.send("Which pot is best?")
    window.until(lambda: [each.conversations for each in services(window).order.projects()] == [1])
    (begun,) = (each for each in services(window).conversations.list() if each.project_id)
    window.until(lambda: window.window.parts.list_model.row_of(begun.id) >= 0)
    assert window.window._state.open_folders == (made.id,)


def test_keys_open_a_folder_and_delete_what_is_chosen(
    window: Window, chats: list[str], qtbot: QtBot
) -> None:
    made = services(window).order.create_project("Garden", conversation_ids=chats[:1])
    model = window.window.parts.list_model
    window.until(lambda: "Figs" not in rows(model))
    view = window.window.parts.sidebar.findChild(ConversationList)
    assert view
    view.setCurrentIndex(model.index(model.row_of(made.id)))
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert "Figs" in rows(model)
    assert view.currentIndex().data(ListRole.ROW).key == made.id
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert "Figs" not in rows(model)
    view.selectAll()
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    window.until(lambda: len(services(window).conversations.list(deleted=True)) == 2)
    window.until(lambda: rows(model) == ["Projects", "Garden"])
