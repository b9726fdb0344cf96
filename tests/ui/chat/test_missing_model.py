"""The chosen model is not there: the app starts with another one, and says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore
from chatdesk.ui.theme import Theme
from chatdesk.ui.window.application import Application
from tests.ui.driver import Window, opened

HEADER = ModelHeader("Mine", "llama", 1000, "F16", 1000, 2048, 2, 10, True)


@pytest.fixture
def chosen(paths: AppPaths) -> ModelFile:
    """A model whose file is on a disk that is not there."""
    database = Database.open(paths.database)
    model = ModelStore(database).add(paths.data / "gone" / "mine.gguf", HEADER, 0)
    database.close()
    return model


@pytest.fixture
def window(
    qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths, chosen: ModelFile
) -> Iterator[Window]:
    settings = Settings().edited("models", chosen=chosen.id)
    with opened(qtbot, qapp, paths, settings) as window:
        window.until(lambda: "is not there" in window.window.notice.words)
        window.until_ready()
        yield window


def press(window: Window, words: str) -> None:
    """Press a button as soon as it is seen."""

    def seen() -> list[QPushButton]:
        buttons = window.window.findChildren(QPushButton)
        return [each for each in buttons if each.text() == words and each.isVisible()]

    window.until(lambda: bool(seen()))
    seen()[0].click()


def answering(window: Window) -> str:
    services = window.desktop.services
    assert services and services.engine.status.model
    return services.engine.status.model.id


def test_it_is_told_before_another_answers(window: Window, chosen: ModelFile) -> None:
    assert window.window.notice.words.startswith("Mine F16 is not there. Fake F16 answers for now.")
    assert answering(window) != chosen.id
    press(window, "Models")
    window.until(lambda: window.window.windowTitle().startswith("Models"))


def test_it_is_found_and_used_again(
    window: Window, chosen: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, moved = tmp_path / "other.gguf", tmp_path / "moved.gguf"
    other.write_bytes(bytes(999))
    moved.write_bytes(bytes(1000))
    picked = iter(["", str(other), str(moved)])
    monkeypatch.setattr("chatdesk.ui.chat.missing_model.choose_file", lambda *given: next(picked))
    press(window, "Find it…")  # and nothing was picked: the notice is still there
    assert "Mine F16 is not there." in window.window.notice.words
    press(window, "Find it…")
    window.until(lambda: "is another model than Mine F16" in window.window.notice.words)
    press(window, "Find it…")
    window.until(lambda: answering(window) == chosen.id)
    assert window.desktop.settings.now.models.chosen == chosen.id
    assert "not there" not in window.window.notice.words
