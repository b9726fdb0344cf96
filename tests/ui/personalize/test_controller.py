"""The page in the window, over real services and a scripted engine."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QInputDialog,
    QLabel,
    QMessageBox,
    QWidget,
)

from chatdesk.core.chat import Rating
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.personalization import AdapterRecord, AdapterState
from chatdesk.library.adapters.gguf import read_base
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.personalize.facts import LearningChanged, LearningProgress
from chatdesk.services.personalize.service import PersonalizeService
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.database import Database
from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.personalize.page import PersonalizePage
from chatdesk.ui.personalize.preview.dialog import PreviewDialog
from chatdesk.ui.personalize.scorecard_dialog import ScorecardDialog
from chatdesk.ui.theme import load_theme
from tests.peft_files import peft_adapter, two_halves
from tests.training.random_models import FEED_FORWARD, WIDTH, random_model
from tests.ui.driver import Window, texts
from tests.ui.learning_data import record, rejected_scorecard

T = TypeVar("T", bound=QWidget)
BYTES = 8


class Learning:
    """The window, and a way to put runs into its store."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.database = Database.open(window.paths.database)
        self.store = AdapterStore(self.database)
        assert window.desktop.services
        model = window.desktop.services.engine.status.model
        assert model
        self.model = model

    def add(self, adapter_id: str, *, active: bool = False, **fields: object) -> AdapterRecord:
        made = replace(
            record(adapter_id, model_id=self.model.id, model_name="Fake", bytes=BYTES),
            **fields,  # type: ignore[arg-type]
        )
        folder = self.window.paths.adapters / adapter_id
        folder.mkdir(parents=True)
        (folder / "adapter.gguf").write_bytes(b"x" * BYTES)
        self.store.add(made)
        if active:
            self.store.activate(self.model.id, adapter_id)
        self.window.desktop.bridge.publish(AdaptersChanged())
        return made

    def tell(self, progress: LearningProgress, problem: EnvironmentProblem | None = None) -> None:
        self.window.desktop.bridge.publish(LearningChanged(progress, problem))

    @property
    def page(self) -> PersonalizePage:
        page = self.window.window.findChild(PersonalizePage)
        assert isinstance(page, PersonalizePage)
        return page

    def open(self) -> PersonalizePage:
        press(self.window.window, "Personalize")
        self.window.until(self.page.isVisible)
        return self.page

    @property
    def states(self) -> dict[str, AdapterState]:
        return {each.id: each.state for each in self.store.list()}

    @property
    def active(self) -> str:
        found = self.store.active(self.model.id)
        return found.id if found else ""

    def trigger(self, adapter_id: str, words: str) -> None:
        self.window.until(lambda: self.page.model.row_of(adapter_id) >= 0)
        index = self.page.model.index(self.page.model.row_of(adapter_id))
        menu = self.page.history.menu_for(index)
        next(action for action in menu.actions() if action.text() == words).trigger()

    def dialog(self, kind: type[T]) -> T:
        def found() -> T | None:
            shown = self.window.window.findChildren(kind)
            return next((each for each in shown if each.isVisible()), None)

        self.window.until(lambda: found() is not None)
        dialog = found()
        assert dialog
        return dialog


@pytest.fixture
def learning(window: Window) -> Iterator[Learning]:
    learning = Learning(window)
    yield learning
    learning.database.close()


def pressable(part: QWidget, name: str) -> list[QAbstractButton]:
    buttons = part.findChildren(QAbstractButton)
    found = [each for each in buttons if name in (each.text(), each.accessibleName())]
    return [each for each in found if each.isVisible()]


def press(part: QWidget, name: str) -> None:
    pressable(part, name)[0].click()


# Coming and going


def test_learning_can_be_used_as_soon_as_it_is_installed(
    learning: Learning, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_progress = tmp_path / "in-progress"
    in_progress.touch()
    monkeypatch.setattr("chatdesk.services.system.installation.IN_PROGRESS", in_progress)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: importlib.util)
    page = learning.open()
    learning.window.until(page.missing.isVisible)
    assert any("without a restart" in text for text in texts(page.missing))
    in_progress.unlink()
    learning.window.until(lambda: not page.missing.isVisible())


def test_the_page_is_opened_and_left(learning: Learning) -> None:
    window = learning.window
    window.ask("say: one")
    composer = window.window.composer
    page = learning.open()
    assert not composer.isVisible()
    window.qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert composer.isVisible() and not page.isVisible()
    assert window.window.focusWidget() is window.editor
    learning.open()
    press(window.window, "New chat")
    assert composer.isVisible() and window.messages == []
    assert window.desktop.services
    opened = window.desktop.services.conversations.list()[0].id
    window.window.open_conversation(opened)
    window.until(lambda: len(window.messages) == 2)
    learning.open()
    assert window.window.windowTitle().startswith("Personalize")
    window.window.open_conversation(opened)  # which is open behind the page
    assert composer.isVisible()


def test_the_inspector_makes_room(learning: Learning) -> None:
    window = learning.window
    inspector = window.window.findChild(Inspector)
    assert isinstance(inspector, Inspector)
    press(window.window, "Sampling, context and statistics (Ctrl+I)")
    assert inspector.isVisible()
    page = learning.open()
    assert not inspector.isVisible()
    window.qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert inspector.isVisible()


def test_escape_leaves_the_page_while_an_answer_is_written(learning: Learning) -> None:
    window = learning.window
    window.send("slow")
    window.until(lambda: bool(window.messages) and len(window.messages[-1].text) > 5)
    page = learning.open()
    window.qtbot.keyClick(page, Qt.Key.Key_Escape)
    window.until(window.window.composer.isVisible)
    window.until(lambda: len(window.messages[-1].text) > 20)  # it goes on


# Adapters


def test_activating_and_rolling_back(learning: Learning) -> None:
    learning.add("one", active=True)
    learning.add("two")
    page = learning.open()
    learning.trigger("two", "Use it again")
    learning.window.until(lambda: learning.active == "two")
    learning.window.until(lambda: "My voice two" in texts(page.card))
    press(page.card, "Roll back to My voice one")
    learning.window.until(lambda: learning.active == "one")
    learning.window.until(lambda: bool(pressable(page.card, "Back to the model as it is")))
    press(page.card, "Back to the model as it is")
    learning.window.until(lambda: learning.active == "")
    learning.window.until(lambda: "The model as it is" in texts(page.card))


def test_renaming(learning: Learning) -> None:
    learning.add("one")
    page = learning.open()
    learning.trigger("one", "Rename…")
    dialog = learning.dialog(QInputDialog)
    dialog.setTextValue("Grandma")
    dialog.accept()
    learning.window.until(lambda: page.model.index(0).data() == "Grandma")


def test_deleting_asks_first(learning: Learning) -> None:
    learning.add("one", active=True)
    page = learning.open()
    learning.trigger("one", "Delete…")
    press(learning.dialog(QMessageBox), "Cancel")
    learning.trigger("one", "Delete…")
    box = learning.dialog(QMessageBox)
    assert "It is in use" in box.informativeText()
    press(box, "Delete")
    learning.window.until(lambda: learning.states == {})
    learning.window.until(page.how.isVisible)
    assert not (learning.window.paths.adapters / "one").exists()


def test_what_cannot_be_done_is_told_on_the_page(learning: Learning) -> None:
    learning.add("one")
    (learning.window.paths.adapters / "one" / "adapter.gguf").unlink()
    page = learning.open()
    learning.trigger("one", "Use it again")
    learning.window.until(lambda: "is missing" in page.notice.words)
    assert learning.active == ""


def test_another_models_adapter_is_not_retrained(learning: Learning) -> None:
    page = learning.open()
    learning.window.until(page.how.isVisible)
    page.history.retrain_requested.emit(record("one", model_id="other", model_name="Other"))
    assert "Choose that model" in page.notice.words


# Runs


def test_a_run_is_followed_and_its_end_told(
    learning: Learning, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning.add("run", state=AdapterState.TRAINING, scorecard=None)
    begun = LearningProgress("run", AdapterState.TRAINING, 0.5)
    with monkeypatch.context() as running:
        running.setattr(PersonalizeService, "progress", begun)
        page = learning.open()
        learning.window.until(lambda: "Learning “My voice run”" in texts(page.run))
        learning.tell(replace(begun, tokens_per_s=321))
        learning.window.until(
            lambda: any("learning · 321\u00a0tokens/s" in each for each in texts(page.run))
        )
    learning.store.finish("run", AdapterState.REJECTED, scorecard=rejected_scorecard())
    learning.tell(LearningProgress("run", AdapterState.REJECTED))
    learning.window.until(lambda: "did not pass the test" in page.notice.words)
    assert not page.run.isVisible()
    page.notice.act()
    assert "Nothing changed" in " ".join(texts(learning.dialog(ScorecardDialog)))


def test_an_end_is_told_in_the_chat_as_well(learning: Learning) -> None:
    learning.add("run", active=True)
    learning.tell(LearningProgress("run", AdapterState.PROMOTED))
    notice = learning.window.window.notice
    learning.window.until(lambda: "answers from now on" in notice.words)
    notice.act()
    dialog = learning.dialog(ScorecardDialog)
    assert "in use" in texts(dialog)
    marks = [each.pixmap().toImage() for each in dialog.findChildren(QLabel) if each.pixmap()]
    assert marks
    learning.window.window.set_theme(load_theme("dark"))  # while it is open
    dark = [each.pixmap().toImage() for each in dialog.findChildren(QLabel) if each.pixmap()]
    assert dark[-1] != marks[-1]


def test_what_was_told_of_an_end_goes_when_it_is_not_so_any_more(learning: Learning) -> None:
    learning.add("run", active=True)
    page = learning.open()
    learning.tell(LearningProgress("run", AdapterState.PROMOTED))
    learning.window.until(lambda: "answers from now on" in page.notice.words)
    press(page, "Back to the model as it is")
    learning.window.until(lambda: "answers from now on" not in page.notice.words)
    press(page, "Use “My voice run” again")
    learning.window.until(lambda: learning.active == "run")


def test_a_failure_leads_to_the_page(learning: Learning) -> None:
    learning.add("run", state=AdapterState.FAILED, scorecard=None, error="No memory.")
    learning.tell(LearningProgress("run", AdapterState.FAILED), EnvironmentProblem("No memory."))
    notice = learning.window.window.notice
    learning.window.until(lambda: notice.words == "No memory.")
    notice.act()
    learning.window.until(learning.page.isVisible)
    learning.tell(LearningProgress("run", AdapterState.FAILED), EnvironmentProblem("No room."))
    learning.window.until(lambda: notice.words == "No room.")
    assert notice.toasts[-1].offers == ()  # the page is there already


# Made elsewhere


def test_one_of_peft_is_chosen_by_its_weights(
    learning: Learning, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base = read_base(random_model(tmp_path / "random.gguf"))
    monkeypatch.setattr("chatdesk.library.adapters.peft.read_base", lambda model: base)
    tensors = two_halves("model.layers.1.mlp.down_proj", WIDTH, FEED_FORWARD)
    weights = peft_adapter(tmp_path / "Pirate", tensors)
    monkeypatch.setattr(
        "chatdesk.ui.personalize.adapter_actions.choose_file",
        lambda *words: str(weights) if "*.safetensors" in words[-1] else "",
    )
    page = learning.open()
    learning.window.until(page.how.isVisible)
    press(page, "Import an adapter made elsewhere")
    learning.window.until(lambda: "“Pirate” was imported" in page.notice.words)
    page.notice.act()
    learning.window.until(lambda: bool(learning.active))
    weights.write_bytes(weights.read_bytes()[:-1])
    press(page, "Import an adapter made elsewhere")
    learning.window.until(lambda: "is damaged" in page.notice.words)


# The preview


@pytest.mark.engine
def test_looking_at_a_chat_and_back_to_the_preview(learning: Learning) -> None:
    window = learning.window
    answer = window.ask("say: one")
    services = window.desktop.services
    assert services
    services.chat.rate(answer.id, Rating.UP)
    page = learning.open()
    window.until(page.how.isVisible)
    press(page, "Learn now")
    dialog = learning.dialog(PreviewDialog)
    window.until(lambda: dialog.model.rowCount() == 1)
    example = dialog.model.example(dialog.model.index(0))
    assert example and example.target == answer.text
    press(window.window, "New chat")
    dialog.open_requested.emit(example.sources[0])
    window.until(lambda: not dialog.isVisible() and len(window.messages) == 2)
    assert window.window.composer.isVisible()
    window.window.notice.act()
    assert dialog.isVisible()
    dialog.choose_requested.emit({example.id}, False)
    window.until(lambda: dialog.model.example(dialog.model.index(0)) != example)
    dialog.reject()
    page = learning.open()
    press(page, "Learn now")
    again = learning.dialog(PreviewDialog)
    assert again is not dialog
    window.until(lambda: again.model.rowCount() == 1)
    kept = again.model.example(again.model.index(0))
    assert kept and not kept.chosen  # as it was left
