"""Chats that were deleted come back: all that the notice counts, or the last with a key."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListView

from chatdesk.core.errors import StoreProblem
from tests.ui.driver import Window

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def chats(window: Window) -> list[str]:
    """Three chats, the newest open, with titles that say which is which."""
    assert window.desktop.services
    ids = []
    for name in ("one", "two", "three"):
        window.window.new_chat()
        ids.append(window.ask(f"say: {name}").conversation_id)
        window.desktop.services.chat.rename(ids[-1], name)
    window.until(lambda: window.titles == ["three", "two", "one"])
    return ids


def delete(window: Window, chat: str) -> None:
    left = len(window.titles) - 1
    window.window.parts.chat_deleter.delete(chat)
    window.until(lambda: len(window.titles) == left)


def test_the_notice_counts_and_brings_all_of_them_back(window: Window, chats: list[str]) -> None:
    delete(window, chats[0])
    assert window.window.notice.words == "“one” was deleted."
    delete(window, chats[1])
    assert window.window.notice.words == "2 chats were deleted."
    window.window.notice.act()
    window.until(lambda: window.titles == ["three", "two", "one"])
    assert window.window.notice.words == ""
    assert window.window.parts.chat.current == chats[2]  # where one was reading


def test_the_key_brings_the_last_one_back_and_then_the_one_before(
    window: Window, chats: list[str]
) -> None:
    for chat in chats[:2]:
        delete(window, chat)
    listed = window.window.parts.sidebar.findChild(QListView)
    assert isinstance(listed, QListView)
    listed.setFocus()
    window.qtbot.keyClick(listed, Qt.Key.Key_Z, CONTROL)
    window.until(lambda: window.titles == ["three", "two"])
    assert window.window.notice.words == "“one” was deleted."
    window.qtbot.keyClick(listed, Qt.Key.Key_Z, CONTROL)
    window.until(lambda: window.titles == ["three", "two", "one"])
    assert window.window.notice.words == ""


def test_a_field_with_something_to_undo_keeps_the_key(window: Window, chats: list[str]) -> None:
    delete(window, chats[0])
    window.editor.setFocus()
    window.type("typed")
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Z, CONTROL)
    assert window.editor.toPlainText() == ""
    assert window.titles == ["three", "two"]
    while window.editor.document().isUndoAvailable():
        window.qtbot.keyClick(window.editor, Qt.Key.Key_Z, CONTROL)
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Z, CONTROL)
    window.until(lambda: window.titles == ["three", "two", "one"])


def test_a_draft_waits_in_the_trash(window: Window, chats: list[str]) -> None:
    window.type("half a thought")
    delete(window, chats[2])
    assert window.editor.toPlainText() == ""
    window.window.notice.clear()  # and comes back without the notice
    assert window.desktop.services
    window.desktop.services.chat.restore(chats[2])
    window.until(lambda: len(window.titles) == 3)
    window.window.open_conversation(chats[2])
    assert window.editor.toPlainText() == "half a thought"


def test_nothing_is_kept_of_a_chat_that_is_deleted_for_good(
    window: Window, chats: list[str]
) -> None:
    window.type("half a thought")
    delete(window, chats[2])
    assert window.desktop.services
    window.desktop.services.chat.delete_for_good(chats[2])
    window.until(lambda: window.window.notice.words == "")
    window.window.save_state()
    assert "half a thought" not in window.paths.window_state.read_text()
    window.window.parts.deletions.undo_last()  # has nothing to bring back


def test_a_title_that_could_not_be_stored_can_be_tried_again(
    window: Window, chats: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreProblem("The disk is full.")

    with monkeypatch.context() as full:
        assert window.desktop.services
        full.setattr(window.desktop.services.chat, "rename", refuse)
        window.window.parts.list_model.rename_requested.emit(
            chats[0], "My long and well considered title"
        )
        window.until(lambda: "full" in window.window.notice.words)
    window.window.notice.act()
    window.until(lambda: "My long and well considered title" in window.titles)
    assert window.window.notice.words == ""
