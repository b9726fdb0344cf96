"""Settings that could not be saved are saved later."""

import pytest
from PySide6.QtCore import QTimer

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.settings import Settings
from chatdesk.core.settings_file import read_settings, save_settings
from tests.ui.driver import Window

SAVE = "chatdesk.ui.window.settings_keeper.save_settings"


def refuse(*_: object) -> None:
    raise EnvironmentProblem("The settings could not be saved.")


def stored(window: Window) -> Settings:
    return read_settings(window.paths.settings)


def test_they_are_tried_again_by_and_by(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SAVE, refuse)
    window.desktop.settings.edit("general", theme="dark")
    window.until(lambda: "could not be saved" in window.window.notice.words)
    assert stored(window).general.theme != "dark"
    keeper = window.desktop._settings_keeper
    timer = keeper.findChild(QTimer)
    assert isinstance(timer, QTimer) and timer.isActive()
    monkeypatch.setattr(SAVE, save_settings)
    timer.setInterval(1)
    window.until(lambda: window.window.notice.words == "")
    assert stored(window).general.theme == "dark"


def test_they_are_tried_for_the_last_time_at_closing(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SAVE, refuse)
    window.desktop.settings.edit("general", theme="dark")
    window.until(lambda: "could not be saved" in window.window.notice.words)
    monkeypatch.setattr(SAVE, save_settings)
    window.close()
    assert stored(window).general.theme == "dark"
