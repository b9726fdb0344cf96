"""Files that the system hands to the running app, as macOS does."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from pytestqt.qtbot import QtBot

from chatdesk.ui.window.application import Application
from tests.ui.driver import Window


def test_a_file_that_is_opened_becomes_the_model(
    qapp: Application, window: Window, tmp_path: Path
) -> None:
    model = tmp_path / "一 model.gguf"
    model.write_bytes(b"GGUF, another")
    assert qapp.sendEvent(qapp, QFileOpenEvent(str(model)))
    services = window.desktop.services
    assert services
    window.until(
        lambda: (now := services.engine.status.model) is not None and now.path == str(model)
    )


def test_an_address_is_no_file(qtbot: QtBot, qapp: Application) -> None:
    with qtbot.assertNotEmitted(qapp.files_opened):
        qapp.sendEvent(qapp, QFileOpenEvent(QUrl("https://example.org/model.gguf")))
