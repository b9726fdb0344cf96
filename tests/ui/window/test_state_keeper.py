"""The window's state is saved, if not at once then later."""

import pytest
from PySide6.QtCore import QTimer

from chatdesk.ui.window.state_keeper import StateKeeper
from chatdesk.ui.window_state import WindowState
from tests.ui.driver import Window


def test_a_draft_that_the_disk_refused_is_written_later(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.ui.window.state_keeper.AGAIN_MS", 20)
    write, refused = WindowState.write, list[bool]()

    def refuse(state: WindowState, path: object) -> bool:
        refused.append(True)
        return False

    monkeypatch.setattr(WindowState, "write", refuse)
    window.type("half a thought")
    window.until(lambda: len(refused) > 2)  # it is tried again and again
    monkeypatch.setattr(WindowState, "write", write)
    file = window.paths.window_state
    window.until(lambda: file.exists() and "half a thought" in file.read_text())
    keeper = window.window.findChild(StateKeeper)
    assert isinstance(keeper, StateKeeper)
    window.until(lambda: not any(each.isActive() for each in keeper.findChildren(QTimer)))
