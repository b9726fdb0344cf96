"""The page over real services, a real database and real model files."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QInputDialog, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.model_files import KeptModel, Presence
from chatdesk.core.models import ModelFile
from chatdesk.core.paths import AppPaths
from chatdesk.core.quantizing import Comparison, ModelFigures, Quantizing, QuantizingState
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.settings import Settings
from chatdesk.library.machine.bandwidth import Bandwidth
from chatdesk.services.app import build
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.services.machine.facts import MachineMeasured
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.services.quantize import compare as comparing
from chatdesk.services.quantize.facts import QuantizingChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.models.controller import ModelsController
from chatdesk.ui.models.library.delete_question import DeleteQuestion
from chatdesk.ui.models.library.details_dialog import ModelDetailsDialog
from chatdesk.ui.models.library.duplicates_dialog import DuplicatesDialog
from chatdesk.ui.models.library.model_list import ModelListRow
from chatdesk.ui.models.library.other_apps_dialog import OtherAppsDialog
from chatdesk.ui.models.library.quantize_dialog import QuantizeDialog
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice
from tests.helpers import FAKE_ENGINE
from tests.tiny_models import tiny_model
from tests.ui.driver import texts

T = TypeVar("T", bound=QWidget)
TIMEOUT_MS = 20_000


class Library:
    """A window with the page, over services of its own."""

    def __init__(self, qtbot: QtBot, theme: Theme, home: Path) -> None:
        self.qtbot = qtbot
        self.paths = AppPaths.under(home)
        self.paths.make()
        self.bridge = Bridge()
        self.bugs: list[object] = []
        self.bridge.bug_found.connect(self.bugs.append)
        self.services = build(self.paths, self.bridge.publish, Settings, FAKE_ENGINE)
        self.window = QWidget()
        self.window.resize(1016, 800)
        qtbot.addWidget(self.window)
        self.chats_notice = Notice(theme)
        self.navigator = Navigator()
        self.controller = ModelsController(
            self.bridge,
            self.navigator,
            SettingsValue(Settings()),
            self.chats_notice,
            self.window,
        )
        self.controller.set_theme(theme)

    def add(self, name: str, **fields: object) -> ModelFile:
        path = tiny_model(self.paths.models / f"{name}.gguf", name=name, **fields)  # type: ignore[arg-type]
        return self.services.models.add(path)

    def open(self) -> None:
        self.bridge.open(self.services)
        self.page = self.controller.page()
        QVBoxLayout(self.window).addWidget(self.page)
        self.window.show()
        # not waitExposed: it holds the interpreter while services work on their threads
        self.until(lambda: bool(self.page.kept.rows))

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=TIMEOUT_MS)

    def row(self, name: str) -> ModelListRow:
        def found() -> list[ModelListRow]:
            return [row for row in self.page.kept.rows if row.kept.name == name]

        self.until(lambda: bool(found()))
        return found()[0]

    def kept(self, name: str) -> KeptModel:
        return next(each for each in self.services.models.kept() if each.name == name)

    def names(self) -> list[str]:
        return [row.kept.name for row in self.page.kept.rows]

    def trigger(self, name: str, words: str) -> None:
        menu = self.row(name).menu()
        next(each for each in menu.actions() if each.text() == words).trigger()

    def dialog(self, kind: type[T]) -> T:
        def found() -> list[T]:
            return [each for each in self.window.findChildren(kind) if each.isVisible()]

        self.until(lambda: bool(found()))
        return found()[0]


@pytest.fixture
def library(
    qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Library]:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    library = Library(qtbot, theme, tmp_path / "app")
    yield library
    library.services.close()
    library.bridge.close()
    assert library.bugs == []


def press(part: QWidget, words: str) -> None:
    found = [each for each in part.findChildren(QAbstractButton) if each.text() == words]
    next(each for each in found if each.isVisible()).click()


# What is shown


def test_the_starter_and_what_was_added(library: Library) -> None:
    library.add("Tiny")
    library.open()
    everything = sorted(each.name for each in library.services.models.kept())
    library.until(lambda: sorted(library.names()) == everything)
    starter = next(row for row in library.page.kept.rows if row.kept.is_starter)
    assert any("starter model · always here" in each for each in texts(starter))
    assert any(each.startswith("This computer: ") for each in texts(library.page))


def test_a_file_that_goes_and_comes_back(library: Library) -> None:
    path = Path(library.add("Tiny").path)
    library.open()
    row = library.row("Tiny")
    path.rename(path.with_suffix(".away"))  # as a disk that is unplugged
    activated = QGuiApplication.instance()
    assert isinstance(activated, QGuiApplication)
    activated.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    library.until(lambda: row.kept.presence is Presence.MISSING)
    assert "file missing" in texts(row)
    path.with_suffix(".away").rename(path)
    activated.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    library.until(lambda: row.kept.presence is Presence.THERE)


def test_a_file_that_changed_can_be_used_as_it_is_now(library: Library) -> None:
    path = Path(library.add("Tiny").path)
    library.open()
    row = library.row("Tiny")

    def shown() -> list[ModelListRow]:
        return library.page.kept.rows

    library.until(lambda: len(shown()) == 2)
    tiny_model(path, answer=b"another")
    os.utime(path, ns=(1, 1))
    library.bridge.publish(ModelsChanged())
    library.until(lambda: row.kept.presence is Presence.CHANGED)
    press(row, "Use as it is now")
    library.until(lambda: row.kept.model.id not in [each.kept.model.id for each in shown()])
    assert [each.kept.presence for each in shown()] == [Presence.THERE] * 2


def test_the_model_in_use_is_marked(library: Library) -> None:
    model = library.add("Tiny")
    library.open()
    assert "in use" not in texts(library.row("Tiny"))
    library.bridge.publish(EngineChanged(EngineStatus(EngineState.READY, model)))
    library.until(lambda: "in use" in texts(library.row("Tiny")))


# What is done


def test_favourite_and_rename(library: Library) -> None:
    library.add("Tiny")
    library.open()
    library.trigger("Tiny", "Add to favourites")
    library.until(lambda: library.names()[0] == "Tiny")
    library.trigger("Tiny", "Rename…")
    dialog = library.dialog(QInputDialog)
    dialog.setTextValue("Mine")
    dialog.accept()
    library.until(lambda: library.names()[0] == "Mine")
    notes = library.kept("Mine").notes
    assert (notes.title, notes.favourite) == ("Mine", True)


def test_details_are_kept_when_they_are_closed(library: Library) -> None:
    library.add("Tiny")
    library.open()
    before = library.kept("Tiny").notes
    library.row("Tiny").setFocus()
    library.qtbot.keyClick(library.row("Tiny"), Qt.Key.Key_Return)
    dialog = library.dialog(ModelDetailsDialog)
    tags = [each for each in dialog.findChildren(QLineEdit) if each.accessibleName() == "Tags"]
    tags[0].setText("code, fast")
    press(dialog, "Sampling of its own")
    library.qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    library.until(lambda: library.kept("Tiny").notes != before)
    library.until(lambda: library.kept("Tiny").notes.sampling == SamplingParams())
    assert library.kept("Tiny").notes == replace(
        before, tags=("code", "fast"), sampling=SamplingParams()
    )


def test_details_lead_on(library: Library) -> None:
    model = library.add("Tiny")
    library.open()
    for words, signal in (
        ("Chat", library.navigator.model_requested),
        ("Context, layers and more…", library.navigator.options_requested),
    ):
        library.trigger("Tiny", "Details…")
        dialog = library.dialog(ModelDetailsDialog)
        with library.qtbot.waitSignal(signal) as asked:
            press(dialog, words)
        assert asked.args == [model]
        library.until(lambda: not library.page.window().findChildren(ModelDetailsDialog))


def test_a_row_chats(library: Library) -> None:
    model = library.add("Tiny")
    library.open()
    with library.qtbot.waitSignal(library.navigator.model_requested) as asked:
        press(library.row("Tiny"), "Chat")
    assert asked.args == [model]


def test_deleting_goes_to_the_trash(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    trashed: list[str] = []

    def send2trash(path: Path) -> None:
        trashed.append(Path(path).name)
        Path(path).unlink()

    monkeypatch.setattr("send2trash.send2trash", send2trash)
    library.add("Tiny")
    library.open()
    library.trigger("Tiny", "Delete…")
    press(library.dialog(DeleteQuestion), "Cancel")
    library.trigger("Tiny", "Delete…")
    library.until(lambda: len(library.window.findChildren(DeleteQuestion)) == 1)
    press(library.dialog(DeleteQuestion), "Move to the trash")
    library.until(lambda: "Tiny" not in library.names())
    assert trashed == ["Tiny.gguf"]
    library.until(lambda: "“Tiny F32” is in the trash." in library.page.notice.words)


def test_taking_off_the_list_keeps_the_file(library: Library) -> None:
    path = Path(library.add("Tiny").path)
    library.open()
    library.trigger("Tiny", "Details…")
    details = library.dialog(ModelDetailsDialog)
    press(details, "Delete…")
    press(library.dialog(DeleteQuestion), "Remove from the list only")
    library.until(lambda: "Tiny" not in library.names())
    assert path.exists()
    library.until(lambda: not library.window.findChildren(ModelDetailsDialog))


def test_details_are_renewed_when_the_computer_was_measured(library: Library) -> None:
    library.open()
    starter = next(row for row in library.page.kept.rows if row.kept.is_starter)
    library.qtbot.keyClick(starter, Qt.Key.Key_Return)
    details = library.dialog(ModelDetailsDialog)
    assert "fits" in texts(details)  # nobody has measured yet
    library.services.memory_speed._known = Bandwidth(20e9, 1)
    library.bridge.publish(MachineMeasured())

    def say_it(part: QWidget) -> bool:
        return any(each.startswith("fits · about ") for each in texts(part))

    library.until(lambda: say_it(details) and say_it(starter))
    details.reject()


def test_duplicates_are_found(library: Library) -> None:
    first = Path(library.add("Tiny").path)
    (first.parent / "copy.gguf").write_bytes(first.read_bytes())
    library.open()
    library.page.duplicates_requested.emit()
    dialog = library.dialog(DuplicatesDialog)
    library.until(lambda: any(each.startswith("2 FILES") for each in texts(dialog)))
    assert str(first) in texts(dialog)
    dialog.accept()


def test_models_of_other_apps_are_used_where_they_are(library: Library) -> None:
    folder = Path.home() / ".lmstudio" / "models" / "maker" / "Good-GGUF"
    folder.mkdir(parents=True)
    file = tiny_model(folder / "good-q8.gguf", name="Good")
    library.open()
    library.page.elsewhere_requested.emit()
    dialog = library.dialog(OtherAppsDialog)
    library.until(lambda: bool(dialog.chosen))
    press(dialog, "Use where they are")
    library.until(lambda: "1 model was added." in library.page.notice.words)
    assert str(file) in [each.model.path for each in library.services.models.kept()]
    assert file.exists()


def test_a_damaged_file_of_another_app_is_told(library: Library) -> None:
    folder = Path.home() / ".lmstudio" / "models" / "maker" / "Good-GGUF"
    folder.mkdir(parents=True)
    file = tiny_model(folder / "good-q8.gguf", name="Good")
    library.open()
    library.page.elsewhere_requested.emit()
    dialog = library.dialog(OtherAppsDialog)
    library.until(lambda: bool(dialog.chosen))
    file.write_bytes(b"GGUF")  # meanwhile
    press(dialog, "Use where they are")
    library.until(lambda: library.page.notice.words.startswith("0 models were added. "))


@pytest.mark.engine
def test_a_model_is_made_smaller(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Comparison(ModelFigures(4_000_000, 100.0, 8.0), ModelFigures(1_000_000, 150.0, 8.1))
    monkeypatch.setattr(comparing, "compare", lambda *given: measured)  # takes minutes
    library.add("Tiny", answer=b"abc")
    library.open()
    library.trigger("Tiny", "Make smaller…")
    dialog = library.dialog(QuantizeDialog)
    library.until(lambda: dialog.chosen != "")
    press(dialog, "Make smaller")
    library.until(lambda: "Original" in texts(dialog))
    with library.qtbot.waitSignal(library.navigator.model_requested) as asked:
        library.until(
            lambda: any(
                each.isVisible() and each.text() == "Chat with it"
                for each in dialog.findChildren(QAbstractButton)
            )
        )
        press(dialog, "Chat with it")
    assert asked.args[0].header.quantization == "Q4_K_M"
    library.until(lambda: len(library.names()) == 3)


def test_what_goes_on_in_the_background_is_seen(library: Library) -> None:
    model = library.add("Tiny", answer=b"abc")
    library.open()
    said: list[str] = []
    library.controller.status_changed.connect(said.append)
    running = Quantizing(model, "Q4_K_M", QuantizingState.COMPARING, 0.5, seconds_left=40)
    library.bridge.publish(QuantizingChanged(running))
    library.until(library.page.shrink.isVisible)
    shown = texts(library.page.shrink)
    assert {"BEING MADE SMALLER", "→ Q4_K_M"} <= set(shown)
    assert "Step 2 of 2: comparing it with the original, 40\u00a0s left" in shown
    assert said == ["making smaller 50\u00a0%"]
    press(library.page.shrink, "Show")
    dialog = library.dialog(QuantizeDialog)
    press(dialog, "Go on in the background")
    library.until(lambda: not dialog.isVisible())
    assert library.page.shrink.isVisible()
    cancelled: list[bool] = []
    library.services.quantizing.cancel = lambda: cancelled.append(True)  # type: ignore[method-assign]
    press(library.page.shrink, "Cancel")
    library.until(lambda: cancelled == [True])
    library.bridge.publish(QuantizingChanged(replace(running, state=QuantizingState.CANCELLED)))
    library.until(lambda: not library.page.shrink.isVisible())
    assert said[-1] == ""


@pytest.mark.engine
def test_its_end_is_told_to_who_does_not_look(library: Library) -> None:
    library.add("Tiny", answer=b"abc")
    library.open()
    library.page.hide()
    model = library.kept("Tiny").model
    library.services.quantizing.start(model, "Q8_0", comparing=False)
    library.until(lambda: "as Q8_0" in library.chats_notice.words)
    with library.qtbot.waitSignal(library.navigator.page_requested) as asked:
        library.chats_notice.act()
    assert asked.args == [PageId.MODELS]
