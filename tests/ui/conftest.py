"""Widgets are tested without a screen, in the app's own look."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("CHATDESK_REDUCED_MOTION", "1")  # tests of movement turn it on

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from chatdesk.core.chat import AnswerRecord, Message, MessageState, Role
from chatdesk.core.i18n import tie_units
from chatdesk.core.models import ModelHeader
from chatdesk.core.parts import plain
from chatdesk.core.paths import AppPaths
from chatdesk.ui.theme import Theme, apply_theme, load_fonts, load_theme, set_text_size
from chatdesk.ui.window.application import Application
from tests.ui.driver import Window, opened

SCREEN = Path(__file__).parents[2] / "benchmarks" / "screen.json"


@pytest.fixture(scope="session")
def qapp_cls() -> type[Application]:
    """The kind of application that pytest-qt makes, for all tests of widgets."""
    if os.environ["QT_QPA_PLATFORM"] == "offscreen":  # its screen is 800x800
        os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={os.path.relpath(SCREEN)}"
    return Application


@pytest.fixture(scope="session")
def theme(qapp: Application) -> Theme:
    """The light theme, applied to the application."""
    load_fonts(qapp)
    theme = load_theme("light")
    apply_theme(qapp, theme)
    return theme


@pytest.fixture(autouse=True)
def words_of_the_window() -> Iterator[None]:
    """Numbers and their units are kept on one line."""
    tie_units(True)
    yield
    tie_units(False)


@pytest.fixture(autouse=True)
def left_widgets(qapp: Application) -> Iterator[None]:
    """Windows that a test leaves behind are destroyed: every later theme would style them, too."""
    before = set(qapp.topLevelWidgets())
    yield
    for widget in set(qapp.topLevelWidgets()) - before:
        if isValid(widget) and widget.parent() is None:
            delete(widget)


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppPaths:
    """The app's folders, and in place of the starter a small file: the engine is scripted."""
    header = ModelHeader("Fake", "llama", 1000, "F16", 1000, 2048, 2, 10, True)
    file = tmp_path / "fake.gguf"
    file.write_bytes(b"GGUF" + bytes(996))
    monkeypatch.setattr("chatdesk.services.models.service.find_starter", lambda: file)
    monkeypatch.setattr("chatdesk.services.models.intake.read_header", lambda path: header)
    monkeypatch.setattr(
        "chatdesk.services.adapters.service.check_adapter", lambda file, model: None
    )
    paths = AppPaths.under(tmp_path)
    paths.make()
    return paths


@pytest.fixture
def large_text(qapp: Application, theme: Theme) -> Iterator[None]:
    """Text of twice the size, for widgets that are made now; style sheets keep theirs."""
    font = QApplication.font()
    set_text_size(qapp, 200)
    yield
    set_text_size(qapp, 100)
    qapp.setFont(font)


@pytest.fixture
def window(qtbot: QtBot, qapp: Application, theme: Theme, paths: AppPaths) -> Iterator[Window]:
    """The running app, its model loaded."""
    with opened(qtbot, qapp, paths) as window:
        window.until_ready()
        yield window


def make_message(
    message_id: str,
    role: Role,
    text: str,
    state: MessageState = MessageState.COMPLETE,
    answer: AnswerRecord | None = None,
    thinking: str = "",
) -> Message:
    """A message of a conversation that is nowhere stored."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    record = answer or AnswerRecord()
    shown = record if role is Role.ASSISTANT else None
    return Message(message_id, "c", None, role, plain(text, thinking), state, created, shown)
