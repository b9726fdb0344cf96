"""Finding and fetching through the widgets, over real services and a stand-in hub on loopback."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.downloads import DownloadState
from chatdesk.core.hub import CatalogEntry
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import DownloadSettings, Settings
from chatdesk.services.app import App
from chatdesk.services.engine.facts import EngineState, EngineStatus
from chatdesk.services.hub.downloads import DownloadService
from chatdesk.services.hub.service import HubService
from chatdesk.services.models.service import ModelService
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from chatdesk.store.models import ModelStore
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer
from chatdesk.ui.chat.model_controller import ModelController
from chatdesk.ui.chat.welcome import Suggestions
from chatdesk.ui.models.downloads.controller import DownloadsController
from chatdesk.ui.models.hub.controller import HubController
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.words import speed_number
from tests.gguf_files import write_model
from tests.stand_in_hub import Fault, StandInHub
from tests.ui.driver import TIMEOUT_MS, texts
from tests.ui.learning_data import MODEL

REPO, FILE = "maker/Tiny-GGUF", "Tiny-Q4_0.gguf"


class Desk:
    """The two controllers over services that ask the stand-in hub, and what they show."""

    def __init__(self, qtbot: QtBot, theme: Theme, hub: StandInHub, paths: AppPaths) -> None:
        self.qtbot = qtbot
        self.bridge = Bridge()
        self.bugs: list[BaseException] = []
        self.settings = Settings(downloads=DownloadSettings(mirror=hub.endpoint))
        self.database = Database.open(paths.database)
        publish = self.bridge.publish
        models = ModelService(
            ModelStore(self.database),
            paths.models,
            publish,
            lambda: self.settings,
            devices=lambda: (),
            bandwidth=lambda: 10e9,
        )
        finder = HubService(paths, lambda: (), lambda: self.settings)
        self.downloads = DownloadService(
            DownloadStore(self.database),
            lambda: paths.models,
            finder.hub,
            lambda: self.settings,
            publish,
            models.add_fetched,
        )
        engine = SimpleNamespace(status=EngineStatus(EngineState.LOADING, MODEL))
        self.services = cast(
            App,
            SimpleNamespace(hub=finder, downloads=self.downloads, models=models, engine=engine),
        )
        self.page = QWidget()
        self.notice = Notice(theme)
        self.suggestions = Suggestions(theme)
        self.navigator = Navigator()
        self.hub = HubController(self.bridge, self.navigator, lambda: self.notice)
        self.fetching = DownloadsController(self.bridge, self.navigator, lambda: self.notice)
        self.statuses: list[str] = []
        self.fetching.status_changed.connect(self.statuses.append)
        self.bridge.bug_found.connect(self.bugs.append)
        self.hub.set_theme(theme)

    def open(self) -> None:
        """Show everything below each other, as the page does."""
        column = QVBoxLayout(self.page)
        for part in (self.notice, self.hub.search, self.fetching.view, self.hub.catalog):
            column.addWidget(part)
        self.qtbot.addWidget(self.page)
        self.page.resize(900, 1200)
        self.page.show()

    def attach(self) -> None:
        self.bridge.open(self.services)

    def until_said(self, words: str) -> None:
        self.qtbot.waitUntil(lambda: self.says(words), timeout=TIMEOUT_MS)

    def says(self, words: str) -> bool:
        return any(words in each for each in texts(self.page))

    def look_for(self, words: str) -> None:
        field = self.hub.search.findChild(QLineEdit)
        assert field
        field.setText(words)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    def button(self, name: str) -> QAbstractButton | None:
        found: list[Any] = self.page.findChildren(QAbstractButton)
        shown = (each for each in found if each.isVisible())
        return next((e for e in shown if name in (e.text(), e.accessibleName())), None)

    def until_offered(self, name: str) -> QAbstractButton:
        self.qtbot.waitUntil(lambda: self.button(name) is not None, timeout=TIMEOUT_MS)
        found = self.button(name)
        assert found
        return found

    def press(self, name: str) -> None:
        self.qtbot.keyClick(self.until_offered(name), Qt.Key.Key_Space)

    def first_choice(self) -> CatalogEntry:
        """The recommended model that is shown first."""
        self.until_said("recommended")
        return self.hub.catalog.rows[0].entry

    def close(self) -> None:
        self.downloads.close()
        self.bridge.close()
        self.database.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StandInHub]:
    with StandInHub() as hub:
        model = write_model(tmp_path / FILE)
        hub.add(REPO, {FILE: model}, card="# Tiny\nAs small as can be.", downloads=1234, likes=5)
        hub.add("maker/Shy-GGUF", {"Shy-Q8_0.gguf": b"GGUF"}, gated=True)
        yield hub


@pytest.fixture
def desk(
    qtbot: QtBot, theme: Theme, hub: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("chatdesk.services.hub.service.measure_bandwidth", lambda file: 20e9)
    paths = AppPaths.under(tmp_path / "home")
    paths.make()
    desk = Desk(qtbot, theme, hub, paths)
    yield desk
    desk.close()
    assert not desk.bugs


@pytest.fixture
def opened(desk: Desk) -> Desk:
    desk.attach()
    desk.open()
    return desk


def test_from_a_search_to_a_model_to_chat_with(opened: Desk) -> None:
    opened.look_for("tiny")
    opened.until_said("1,234 downloads · 5 likes")
    opened.press(f"Open {REPO}")
    opened.until_said("fits")
    opened.until_said("recommended")
    opened.press("Download: Q4_0")
    opened.until_said("its checksum is right")
    opened.until_offered("Already here: Q4_0")
    with opened.qtbot.waitSignal(opened.navigator.model_requested) as asked:
        opened.press("Chat")
    path = Path(asked.args[0].path)
    assert path.name == FILE
    assert path.is_file()
    assert opened.statuses[-1] == ""
    opened.press("Clear: Tiny")
    opened.qtbot.waitUntil(opened.fetching.view.isHidden, timeout=TIMEOUT_MS)
    assert path.is_file()


def test_nothing_is_asked_of_the_hub_unasked(opened: Desk, hub: StandInHub) -> None:
    opened.until_said("recommended")  # the recommended models are there
    field = opened.hub.search.findChild(QLineEdit)
    opened.qtbot.keyClicks(field, "tiny")
    assert not hub.requests


def test_a_download_is_held_and_goes_on(opened: Desk, hub: StandInHub) -> None:
    hub.fault(Fault(bytes_per_s=400), FILE)
    opened.look_for(f"{hub.endpoint}/{REPO}")
    opened.press("Download: Q4_0")
    opened.press("Pause: Tiny")
    opened.until_said("paused")
    opened.qtbot.waitUntil(lambda: opened.statuses[-1] == "paused", timeout=TIMEOUT_MS)
    hub.heal()
    opened.press("Resume: Tiny")
    opened.until_said("its checksum is right")


def test_a_download_is_given_up(opened: Desk, hub: StandInHub) -> None:
    hub.fault(Fault(bytes_per_s=400), FILE)
    opened.look_for(f"{hub.endpoint}/{REPO}")
    opened.press("Download: Q4_0")
    opened.press("Cancel: Tiny")
    opened.qtbot.waitUntil(opened.fetching.view.isHidden, timeout=TIMEOUT_MS)
    opened.until_offered("Download: Q4_0")


def test_a_wrong_file_is_told_and_tried_again(opened: Desk, hub: StandInHub) -> None:
    opened.look_for(f"{hub.endpoint}/{REPO}")
    hub.fault(Fault(status=404), FILE)
    opened.press("Download: Q4_0")
    opened.until_offered("Try again: Tiny")
    hub.heal()
    opened.press("Try again: Tiny")
    opened.until_said("its checksum is right")


def test_what_ends_unseen_is_told(desk: Desk, hub: StandInHub) -> None:
    desk.attach()
    repository = desk.services.hub.open(REPO)
    desk.downloads.start(REPO, repository.revision, repository.variants[0])
    desk.qtbot.waitUntil(
        lambda: desk.notice.words == "Tiny is on this computer now.", timeout=TIMEOUT_MS
    )
    with desk.qtbot.waitSignal(desk.navigator.model_requested):
        desk.notice.act()


def test_what_fails_unseen_is_told(desk: Desk, hub: StandInHub) -> None:
    desk.attach()
    repository = desk.services.hub.open(REPO)
    hub.fault(Fault(status=404), FILE)
    desk.downloads.start(REPO, repository.revision, repository.variants[0])
    desk.qtbot.waitUntil(
        lambda: desk.notice.words.startswith("Tiny could not be downloaded."), timeout=TIMEOUT_MS
    )
    hub.heal()
    desk.notice.act()
    desk.qtbot.waitUntil(
        lambda: desk.downloads.list()[0].state is DownloadState.DONE, timeout=TIMEOUT_MS
    )


@pytest.mark.parametrize(
    "fault", [Fault(status=500), Fault(status=404), Fault(status=429, retry_after="3")]
)
def test_a_hub_in_trouble(opened: Desk, hub: StandInHub, fault: Fault) -> None:
    hub.fault(fault)
    opened.look_for("tiny")
    again = opened.until_offered("Try again")
    assert texts(opened.hub.search.state)[0]
    hub.heal()
    again.click()
    opened.until_said("1,234 downloads")


def test_what_was_cancelled_does_not_arrive(opened: Desk, hub: StandInHub) -> None:
    hub.fault(Fault(delay_s=0.3))
    opened.look_for("tiny")
    opened.press("Stop asking the hub")
    opened.look_for("shy")
    opened.until_said("maker/Shy-GGUF")
    assert not opened.says(REPO)


def test_a_gated_repository(opened: Desk) -> None:
    opened.look_for("shy")
    opened.until_said("needs agreement")
    opened.press("Open maker/Shy-GGUF")
    opened.until_said("agree to its terms")
    with opened.qtbot.waitSignal(opened.navigator.settings_requested) as asked:
        opened.press("Open the settings of downloads")
    assert asked.args == [SettingsId.DOWNLOADS]


def test_a_recommended_model_is_fetched(opened: Desk, hub: StandInHub, tmp_path: Path) -> None:
    entry = opened.first_choice()
    hub.add(entry.repo, {entry.file: write_model(tmp_path / "recommended.gguf")})
    opened.press(f"Download: {entry.name}")
    opened.until_offered(f"Already here: {entry.name}")
    opened.until_said("its checksum is right")


def test_a_recommended_model_that_is_gone(opened: Desk, hub: StandInHub) -> None:
    entry = opened.first_choice()
    hub.add(entry.repo, {"other-Q4_0.gguf": b"GGUF"})
    opened.press(f"Download: {entry.name}")
    words = f"{entry.name} is no longer where the list says."
    opened.qtbot.waitUntil(lambda: words in opened.notice.words, timeout=TIMEOUT_MS)
    opened.until_offered(f"Download: {entry.name}")


def test_a_newer_list_that_is_not_there(opened: Desk) -> None:
    opened.press("Look for a newer list")
    failed = opened.until_offered("Look for a newer list")
    opened.qtbot.waitUntil(failed.isEnabled, timeout=TIMEOUT_MS)
    assert not opened.says("Looking for a newer list…")


@pytest.mark.parametrize("bandwidth", [0.0, 20e9], ids=["never measured", "measured"])
def test_a_better_model_is_suggested(
    desk: Desk, bandwidth: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatdesk.services.hub.service.read_bandwidth", lambda file: bandwidth)
    found = desk.services.hub.recommended()
    assert found
    best, estimate = found
    composer = Composer(load_theme("light"), enter_sends=True)
    ModelController(desk.bridge, SettingsValue(Settings()), composer, desk.suggestions, desk.notice)
    desk.qtbot.addWidget(composer)
    desk.qtbot.addWidget(desk.suggestions)
    desk.suggestions.show()
    desk.attach()
    words = f"A better model fits this computer: {best.name}"
    desk.qtbot.waitUntil(lambda: words in texts(desk.suggestions), timeout=TIMEOUT_MS)
    speed = f", about {speed_number(estimate.tokens_per_s)} tokens/s here. " if bandwidth else ". "
    assert any(f" to download{speed}" in text for text in texts(desk.suggestions))
    buttons: list[Any] = desk.suggestions.findChildren(QAbstractButton)
    look = next(e for e in buttons if e.accessibleName() == "Look at the recommended models")
    with desk.qtbot.waitSignal(desk.suggestions.models_requested):
        desk.qtbot.keyClick(look, Qt.Key.Key_Space)


def test_what_was_opened_before_the_services_fills_when_they_come(desk: Desk) -> None:
    desk.open()
    desk.look_for("tiny")  # nobody is there to ask yet
    desk.attach()
    desk.until_said("1,234 downloads")
    desk.until_said("recommended")
    desk.hub.set_theme(load_theme("dark"))


def test_the_settings_hold_at_once(opened: Desk) -> None:
    opened.settings = opened.settings.edited("downloads", mirror="http://127.0.0.1:9")
    opened.look_for("tiny")
    opened.until_offered("Try again")
