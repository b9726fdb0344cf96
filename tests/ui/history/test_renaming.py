"""A chat is renamed in the sidebar, in the editor that opens in its row."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QListView

from chatdesk.ui.history.sidebar import Sidebar
from tests.ui.driver import Window


@pytest.fixture
def title_editor(window: Window) -> QLineEdit:
    """The editor of the only chat's title, opened with F2 while another chat is shown."""
    window.ask("say: one")
    window.until(lambda: window.titles == ["A fitting title"])
    sidebar = window.window.findChild(Sidebar)
    assert isinstance(sidebar, Sidebar)
    chats = sidebar.findChild(QListView)
    assert isinstance(chats, QListView)
    window.window.new_chat()
    chats.setFocus()
    chats.setCurrentIndex(chats.model().index(1, 0))
    window.qtbot.keyClick(chats, Qt.Key.Key_F2)
    editor = chats.viewport().findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    window.until(editor.hasFocus)
    editor.selectAll()
    window.qtbot.keyClicks(editor, "My name")
    return editor


def test_return_takes_the_title_and_opens_no_chat(window: Window, title_editor: QLineEdit) -> None:
    window.qtbot.keyClick(title_editor, Qt.Key.Key_Return)
    window.until(lambda: window.titles == ["My name"])
    assert window.messages == []


def test_escape_leaves_the_title(window: Window, title_editor: QLineEdit) -> None:
    window.qtbot.keyClick(title_editor, Qt.Key.Key_Escape)
    window.until(lambda: not window.window.parts.sidebar.is_renaming)
    assert window.titles == ["A fitting title"]


def test_leaving_the_editor_takes_the_title(window: Window, title_editor: QLineEdit) -> None:
    window.editor.setFocus()
    window.until(lambda: window.titles == ["My name"])
