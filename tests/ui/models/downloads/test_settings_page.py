from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar, cast

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.null import Keyring as NoKeyring
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import DownloadSettings, Settings
from chatdesk.services.app import App
from chatdesk.services.engine.facts import EngineState, EngineStatus
from chatdesk.services.hub.service import HubService
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.models.downloads.settings_page import DownloadSettingsPage, is_web_address
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings.controller import SettingsController
from chatdesk.ui.settings.dialog import SettingsDialog
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.fields import Decimal, WholeNumber
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window.settings_pages import settings_pages
from tests.ui.driver import TIMEOUT_MS, texts

W = TypeVar("W", bound=QWidget)


class Shown:
    """The page, and what was changed on it."""

    def __init__(self, qtbot: QtBot, theme: Theme) -> None:
        self.qtbot = qtbot
        self._settings = SettingsValue(Settings(downloads=DownloadSettings(folder="/models")))
        self.page = DownloadSettingsPage(self._settings, theme)
        self.tokens: list[str] = []
        self.page.token_changed.connect(self.tokens.append)
        qtbot.addWidget(self.page)
        self.page.show()

    @property
    def settings(self) -> DownloadSettings:
        return self._settings.now.downloads

    def field(self, name: str) -> QLineEdit:
        return self._named(QLineEdit, name)

    def press(self, name: str) -> None:
        self.qtbot.keyClick(self._named(QPushButton, name), Qt.Key.Key_Space)

    def is_offered(self, name: str) -> bool:
        return self._named(QPushButton, name).isVisible()

    def _named(self, kind: type[W], name: str) -> W:
        found = self.page.findChildren(kind)
        return next(each for each in found if each.accessibleName() == name)


@pytest.fixture
def shown(qtbot: QtBot, theme: Theme) -> Iterator[Shown]:
    yield Shown(qtbot, theme)


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("https://mirror.example", True),
        ("http://10.0.0.2:8080/hub", True),
        ("mirror.example", False),
        ("ftp://mirror.example", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://me:secret@mirror.example", False),
        ("https://mirror.example:port", False),
        ("https://[::1", False),
        ("https://mirror.example?token=1", False),
    ],
)
def test_what_may_be_asked(address: str, right: bool) -> None:
    assert is_web_address(address) is right


def test_a_mirror_is_used_only_if_it_can_be_one(shown: Shown) -> None:
    mirror = shown.field("Mirror")
    shown.qtbot.keyClicks(mirror, "mirror")
    shown.qtbot.keyClick(mirror, Qt.Key.Key_Return)
    assert "“mirror” is not a web address: it begins with https://" in texts(shown.page)
    assert shown.settings.mirror == ""
    mirror.setText(" https://mirror.example/ ")
    shown.qtbot.keyClick(mirror, Qt.Key.Key_Return)
    assert shown.settings.mirror == "https://mirror.example"
    assert not any("is not a web address" in words for words in texts(shown.page))
    mirror.clear()
    shown.qtbot.keyClick(mirror, Qt.Key.Key_Return)
    assert shown.settings.mirror == ""


def test_a_token_is_never_shown_and_not_left_in_the_field(shown: Shown) -> None:
    token = shown.field("Access token")
    assert token.echoMode() is QLineEdit.EchoMode.Password
    shown.qtbot.keyClicks(token, " hf_secret ")
    shown.press("Save the access token")
    assert shown.tokens == ["hf_secret"]
    assert not token.text()
    assert not any("hf_secret" in words for words in texts(shown.page))


def test_whether_there_is_a_token(shown: Shown) -> None:
    assert not any("token is saved" in each for each in texts(shown.page))  # nobody knows yet
    assert not shown.is_offered("Remove the access token")
    shown.page.show_token(False)
    assert "No token is saved." in texts(shown.page)
    shown.page.show_token(True)
    assert "A token is saved." in texts(shown.page)
    shown.press("Remove the access token")
    assert shown.tokens == [""]
    shown.page.show_token(True, EnvironmentProblem("There is no keyring."))
    assert "There is no keyring." in texts(shown.page)
    assert shown.is_offered("Remove the access token")


def test_how_fast(shown: Shown) -> None:
    at_once, limit = shown.page.findChild(WholeNumber), shown.page.findChild(Decimal)
    assert at_once and limit
    at_once.setValue(3)
    assert limit.text().startswith("no limit")
    limit.setValue(2.5)
    assert (shown.settings.at_once, shown.settings.limit_bytes) == (3, 2_500_000)


def test_the_folder(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "/models" in texts(shown.page)
    monkeypatch.setattr("chatdesk.ui.models.downloads.settings_page.choose_folder", lambda *_: "")
    shown.press("Choose the folder of new models")
    assert shown.settings.folder == "/models"
    monkeypatch.setattr(
        "chatdesk.ui.models.downloads.settings_page.choose_folder", lambda *_: "/disk/models"
    )
    shown.press("Choose the folder of new models")
    assert shown.settings.folder == "/disk/models"
    shown.press("Use the app's own")
    assert shown.settings.folder == ""
    assert "The app's own folder" in texts(shown.page)


def test_the_keyring_is_asked_when_the_tokens_field_has_the_focus(
    qtbot: QtBot, theme: Theme
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = SettingsDialog(settings_pages(SettingsValue(Settings()), theme), theme, parent)
    dialog.show()
    page, asked = dialog.page(DownloadSettingsPage), list[bool]()
    page.token_asked.connect(lambda: asked.append(True))
    dialog.show_page(SettingsId.DOWNLOADS)
    qtbot.waitExposed(dialog)
    dialog.activateWindow()
    assert asked == []
    field = next(each for each in page.findChildren(QLineEdit) if "token" in each.accessibleName())
    for _ in range(2):
        field.setFocus()
        qtbot.waitUntil(field.hasFocus)
        field.clearFocus()
    assert asked == [True]


def test_what_the_page_remembers_of_the_token(qtbot: QtBot, theme: Theme) -> None:
    settings = SettingsValue(Settings().edited("downloads", token_saved=True))
    page = DownloadSettingsPage(settings, theme)
    qtbot.addWidget(page)
    assert "A token was saved." in texts(page)
    removal = next(
        each
        for each in page.findChildren(QPushButton)
        if each.accessibleName() == "Remove the access token"
    )
    assert not removal.isHidden()


class Keyring(KeyringBackend):
    """Keeps passwords as long as it is there."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def opened(
    qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DownloadSettingsPage]:
    """The page in its dialog, over a real service."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    parent, bridge = QWidget(), Bridge()
    qtbot.addWidget(parent)
    controller = SettingsController(
        bridge, Navigator(), SettingsValue(Settings()), settings_pages, Notice(theme), parent
    )
    controller.set_theme(theme)
    services = SimpleNamespace(
        hub=HubService(AppPaths.under(tmp_path), lambda: (), Settings, float),
        engine=SimpleNamespace(status=EngineStatus(EngineState.OFF)),
        sessions=SimpleNamespace(used_bytes=lambda: 0),
    )
    bridge.open(cast(App, services))
    controller.open(SettingsId.DOWNLOADS)
    assert controller.dialog
    yield controller.dialog.page(DownloadSettingsPage)
    bridge.close()


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    before, ring = keyring.get_keyring(), Keyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def test_a_token_is_kept_in_the_keyring(
    ring: Keyring, opened: DownloadSettingsPage, qtbot: QtBot
) -> None:
    opened.token_changed.emit("hf_secret")
    qtbot.waitUntil(lambda: "A token is saved." in texts(opened), timeout=TIMEOUT_MS)
    assert opened._settings.now.downloads.token_saved
    assert list(ring.kept.values()) == ["hf_secret"]
    opened.token_changed.emit("")
    qtbot.waitUntil(lambda: "No token is saved." in texts(opened), timeout=TIMEOUT_MS)
    assert not ring.kept
    assert not opened._settings.now.downloads.token_saved


def test_without_a_keyring_that_is_told(
    ring: Keyring, opened: DownloadSettingsPage, qtbot: QtBot
) -> None:
    keyring.set_keyring(NoKeyring())
    opened.token_changed.emit("hf_secret")
    qtbot.waitUntil(lambda: any("no keyring" in each for each in texts(opened)), timeout=TIMEOUT_MS)
    assert "A token is saved." not in texts(opened)
    assert not opened._settings.now.downloads.token_saved  # it is gone with the end of the app
