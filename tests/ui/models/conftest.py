"""The parts of the Models page over real services and a stand-in hub on loopback."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

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
from chatdesk.ui.models.downloads.controller import DownloadsController
from chatdesk.ui.models.hub.controller import HubController
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice
from tests.gguf_files import write_model
from tests.stand_in_hub import StandInHub
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
            bandwidth=lambda: self.bandwidth,
        )
        self.bandwidth = 20e9
        finder = HubService(paths, lambda: (), lambda: self.settings, lambda: self.bandwidth)
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
    paths = AppPaths.under(tmp_path / "home")
    paths.make()
    desk = Desk(qtbot, theme, hub, paths)
    yield desk
    desk.close()
    assert not desk.bugs
