"""Newer versions as the window tells of them, from a real https server."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.settings import GeneralSettings, Settings
from chatdesk.services.app import App
from chatdesk.services.system.updates import UpdateService
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.settings import update_controller
from chatdesk.ui.settings.controller import SettingsController
from chatdesk.ui.settings.general_page import GeneralPage
from chatdesk.ui.settings.update_controller import UpdateController
from chatdesk.ui.settings.update_row import UpdateRow
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window.settings_pages import settings_pages
from tests.signed_server import PAGE, PUBLIC, Answer, SignedServer, release, signed, trusted
from tests.ui.driver import TIMEOUT_MS, texts

TOLD = "ChatDesk 9999.0.0 is available. Faster."


class Home:
    """A window with the settings, a notice, and the look for newer versions."""

    def __init__(self, qtbot: QtBot, theme: Theme, server: SignedServer, state: Path) -> None:
        self.qtbot, self.theme, self.server, self.state = qtbot, theme, server, state
        self.bridge = Bridge()
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.notice = Notice(theme)
        qtbot.addWidget(self.notice)
        self.settings: SettingsValue
        self.opener: SettingsController

    def start(self, *, agreed: bool, address: str | None = None) -> None:
        address = f"{self.server.address}/update" if address is None else address
        self.settings = SettingsValue(Settings(general=GeneralSettings(look_for_updates=agreed)))
        self.opener = SettingsController(
            self.bridge, Navigator(), self.settings, settings_pages, self.notice, self.window
        )
        self.opener.set_theme(self.theme)
        UpdateController(self.bridge, self.settings, self.notice, self.window)
        service = UpdateService(self.state, address, PUBLIC)
        sessions = SimpleNamespace(used_bytes=lambda: 0)
        self.bridge.open(cast("App", SimpleNamespace(updates=service, sessions=sessions)))

    def row(self) -> UpdateRow:
        if self.opener.dialog is None:
            self.opener.open()
        assert self.opener.dialog
        return self.opener.dialog.page(GeneralPage).updates

    def press(self, name: str) -> None:
        def offered() -> list[QPushButton]:
            buttons = self.row().findChildren(QPushButton)
            return [each for each in buttons if each.text() == name and each.isVisible()]

        self.until(lambda: bool(offered()))
        self.qtbot.keyClick(offered()[0], Qt.Key.Key_Space)

    def says(self, words: str) -> bool:
        """Whether the row in the settings does."""
        return any(words in text for text in texts(self.row()))

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=TIMEOUT_MS)


@pytest.fixture
def home(
    qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Home]:
    monkeypatch.setattr(update_controller, "FIRST_LOOK_MS", 0)
    with trusted(tmp_path, monkeypatch) as server:
        server.answers["/update"] = Answer(signed(release("9999.0.0")))
        home = Home(qtbot, theme, server, tmp_path / "updates.json")
        yield home
        home.bridge.close()


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was opened in the browser."""
    found: list[str] = []

    def open_url(url: QUrl) -> None:
        found.append(url.toString())

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    return found


def test_nobody_is_asked_before_the_person_agrees(home: Home) -> None:
    home.start(agreed=False)
    switch = home.row().findChild(CheckBox)
    assert switch
    assert not switch.isChecked()
    home.qtbot.wait(200)
    assert home.server.asked == []
    assert "127.0.0.1" in texts(home.row())[0]  # who would be
    home.qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert home.settings.now.general.look_for_updates


def test_a_newer_version_is_told_beside_another_notice(home: Home, pages: list[str]) -> None:
    home.notice.show_words("The engine has trouble.")
    home.start(agreed=True)
    home.until(lambda: home.notice.words == f"{TOLD}\nThe engine has trouble.")
    home.notice.act()
    assert pages == [PAGE]
    assert len(home.server.asked) == 1


def test_a_failure_is_silent(home: Home) -> None:
    home.server.answers["/update"] = Answer(release("9999.0.0"))
    bugs: list[object] = []
    home.bridge.bug_found.connect(bugs.append)
    home.start(agreed=True)
    home.until(lambda: len(home.server.asked) == 1)
    home.qtbot.wait(200)
    assert (home.notice.words, bugs) == ("", [])


def test_look_now_answers_honestly(home: Home, pages: list[str]) -> None:
    home.start(agreed=False)
    for answer, words in (
        (Answer(signed(release("0.0.1"))), "There is no newer version."),
        (Answer(release("9999.0.0")), "is not signed by the makers"),
        (Answer(status=500), "could not be reached"),
        (Answer(signed(release("9999.0.0"))), "ChatDesk 9999.0.0 is available.\nFaster."),
    ):
        home.server.answers["/update"] = answer
        home.press("Check now")
        home.until(partial(home.says, words))
    home.press("Open its page")
    assert pages == [PAGE]
    assert home.notice.words == ""
    assert len(home.server.asked) == 4


def test_an_answer_after_the_settings_were_closed(home: Home) -> None:
    home.start(agreed=False)
    home.press("Check now")
    assert home.opener.dialog
    home.opener.dialog.accept()
    home.until(lambda: len(home.server.asked) == 1)
    home.qtbot.wait(200)
    assert home.notice.words == ""


def test_without_an_address_nothing_is_offered(home: Home) -> None:
    home.start(agreed=True, address="")
    home.row()
    home.qtbot.wait(100)
    assert home.row().isHidden()
    assert home.server.asked == []
