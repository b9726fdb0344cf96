"""The preview, and its controller over a service that keeps what it was asked."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import cast

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextDocumentFragment
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import ExampleSource, Preview, TrainingConfig
from chatdesk.services.app import App
from chatdesk.services.personalize.examples import preview as previews
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.personalize.preview.controller import PreviewController
from chatdesk.ui.personalize.preview.dialog import PreviewDialog
from chatdesk.ui.personalize.preview.example_view import marked
from chatdesk.ui.personalize.preview.model import ExampleRole, PreviewModel
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import WholeNumber
from tests.ui.driver import texts
from tests.ui.learning_data import EMAIL, MODEL, example, preview

TITLES = {"c1": "Weekly meal plan"}


def title_of(conversation_id: str) -> str:
    return TITLES.get(conversation_id, "")


@pytest.fixture
def dialog(qtbot: QtBot, theme: Theme) -> Iterator[PreviewDialog]:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = PreviewDialog(title_of, theme, parent)
    dialog.show()
    yield dialog


def button(dialog: QWidget, name: str) -> QPushButton:
    found = dialog.findChildren(QPushButton)
    return next(each for each in found if name in (each.text(), each.accessibleName()))


def words(part: QWidget) -> str:
    return " ".join(texts(part))


def plain(label: QLabel) -> str:
    return QTextDocumentFragment.fromHtml(label.text()).toPlainText()


def show(dialog: PreviewDialog, row: int) -> None:
    dialog.list.setCurrentIndex(dialog.model.index(row))


def ids(model: PreviewModel) -> list[str]:
    shown = (model.example(model.index(row)) for row in range(model.rowCount()))
    return [each.id for each in shown if each]


# The list


def test_the_kinds(dialog: PreviewDialog) -> None:
    dialog.show_preview(preview(), 0)
    for name, found in (
        ("Chosen 4", ["e", "personal", "preferred", "file"]),
        ("Doubtful 1", ["doubtful"]),
        ("With personal data 1", ["personal"]),
        ("All 5", ["e", "personal", "doubtful", "preferred", "file"]),
    ):
        button(dialog, name).click()
        assert ids(dialog.model) == found
        current = dialog.model.example(dialog.list.currentIndex())
        assert current and current.id == found[0]


def test_a_row_in_words(dialog: PreviewDialog) -> None:
    dialog.show_preview(preview(), 0)
    said = [dialog.model.index(row).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(5)]
    assert said[0] == "Question e?; is learned; you liked it · Weekly meal plan; 100 tokens"
    assert said[1].startswith("Write to [email 1] <now>;")
    assert said[2].endswith(
        "is left out; you liked it · Weekly meal plan; 100 tokens; cut off; refusal"
    )
    assert "from a file · notes.jsonl, line 3" in said[4]


def test_merged_examples_tell_how_many(dialog: PreviewDialog) -> None:
    twice = example(
        sources=(ExampleSource("c1", "m1"), ExampleSource("gone", "m2"), ExampleSource("c1", "m3"))
    )
    dialog.show_preview(Preview("m", (twice,), 512), 0)
    assert dialog.model.index(0).data(ExampleRole.ORIGIN) == (
        "you liked it · Weekly meal plan and 2 more"
    )
    assert button(dialog, "Open the chat “a chat without a title”")


def test_a_box_is_ticked_by_click_and_by_space(dialog: PreviewDialog, qtbot: QtBot) -> None:
    dialog.show_preview(preview(), 0)
    row = dialog.list.visualRect(dialog.model.index(2))
    with qtbot.waitSignal(dialog.choose_requested) as asked:
        qtbot.mouseClick(
            dialog.list.viewport(),
            Qt.MouseButton.LeftButton,
            pos=QPoint(row.left() + 16, row.center().y()),
        )
    assert asked.args == [{"doubtful"}, True]
    assert dialog.list.currentIndex().row() == 0  # only ticked, not opened
    dialog.list.selectAll()
    with qtbot.waitSignal(dialog.choose_requested) as asked:
        qtbot.keyClick(dialog.list, Qt.Key.Key_Space)
    assert asked.args == [set(ids(dialog.model)), False]


def test_what_changes_stays_where_it_is(dialog: PreviewDialog) -> None:
    shown = preview()
    dialog.show_preview(shown, 0)
    button(dialog, "Chosen 4").click()
    show(dialog, 1)
    dialog.show_preview(previews.choose(shown, {"personal"}, False), 0)
    assert ids(dialog.model) == ["e", "personal", "preferred", "file"]
    assert dialog.list.currentIndex().row() == 1
    assert button(dialog, "Chosen 3")


def test_thousands_of_examples_have_no_widgets(dialog: PreviewDialog) -> None:
    dialog.show_preview(Preview("m", (example("only"),), 512), 0)
    before = len(dialog.findChildren(QWidget))
    dialog.show_preview(Preview("m", tuple(example(str(n)) for n in range(5000)), 512), 0)
    assert dialog.model.rowCount() == 5000
    assert len(dialog.findChildren(QWidget)) == before
    dialog.grab()


# An example


def test_the_words_are_those_that_are_learned(
    dialog: PreviewDialog, qtbot: QtBot, theme: Theme
) -> None:
    dialog.show_preview(preview(), 0)
    show(dialog, 1)
    shown = [plain(label) for label in dialog.example.findChildren(QLabel)]
    assert "Be brief." in shown
    assert "Write to [email 1] <now>" in shown
    assert "Dear Anna,\n\n[email 1] is yours & mine." in shown
    assert theme.accent_soft in words(dialog.example)


def test_an_open_secret_stands_out(theme: Theme) -> None:
    personal = example(target="anna@example.org", findings=(replace(EMAIL, masked=False),))
    assert theme.warn in marked(personal, personal.target, theme)
    assert "anna@example.org" in marked(personal, personal.target, theme)


def test_masking_is_asked_for(dialog: PreviewDialog, qtbot: QtBot) -> None:
    shown = preview()
    dialog.show_preview(shown, 0)
    show(dialog, 1)
    box = dialog.example.findChild(CheckBox)
    assert isinstance(box, CheckBox) and box.isChecked()
    assert "[email 1] for anna@example.org (e-mail address)" in box.text()
    with qtbot.waitSignal(dialog.mask_requested) as asked:
        box.click()
    assert asked.args == ["anna@example.org", False]
    open_finding = replace(shown.examples[1], findings=(replace(EMAIL, masked=False),))
    changed = replace(shown, examples=(shown.examples[0], open_finding, *shown.examples[2:]))
    dialog.show_preview(changed, 0)
    shown_now = [plain(label) for label in dialog.example.findChildren(QLabel)]
    assert "Dear Anna,\n\nanna@example.org is yours & mine." in shown_now


def test_doubts_and_cuts_are_explained(dialog: PreviewDialog) -> None:
    dialog.show_preview(preview(), 0)
    show(dialog, 2)
    shown = words(dialog.example)
    assert "The answer ends in the middle." in shown
    assert "The answer is a refusal; the model would learn to refuse." in shown
    assert "It is left out for that; tick it" in shown
    assert "The oldest 2 messages are left out: more than 512 tokens" in shown


def test_a_preference_shows_both_answers(dialog: PreviewDialog) -> None:
    dialog.show_preview(preview(), 0)
    show(dialog, 3)
    assert "Rather than" in texts(dialog.example) and "The other." in words(dialog.example)
    show(dialog, 0)
    assert "Rather than" not in texts(dialog.example)


def test_the_chat_is_a_click_away(dialog: PreviewDialog, qtbot: QtBot) -> None:
    dialog.show_preview(preview(), 0)
    with qtbot.waitSignal(dialog.open_requested) as asked:
        button(dialog.example, "Open the chat “Weekly meal plan”").click()
    assert asked.args == [ExampleSource("c1", "m-e")]
    show(dialog, 4)
    assert dialog.example.findChildren(QPushButton) == []  # a file's line is no chat
    assert "notes.jsonl, line 3" in texts(dialog.example)


# Beginning


def test_totals_and_the_start(dialog: PreviewDialog, qtbot: QtBot) -> None:
    dialog.show_preview(preview(), 250)
    assert (
        "4 of 5 chosen · 3 to learn, 1 to test · 400 tokens · about 4\u00a0min 10\u00a0s"
        in texts(dialog)
    )
    for name, value in (("Rank", 8), ("Epochs", 3), ("Seed", 7)):
        fields = dialog.findChildren(WholeNumber)
        next(each for each in fields if each.accessibleName() == name).setValue(value)
    with qtbot.waitSignal(dialog.start_requested) as asked:
        button(dialog, "Learn from 4 examples").click()
    assert asked.args == [replace(TrainingConfig(), rank=8, epochs=3, seed=7), ""]


def test_why_it_cannot_begin(dialog: PreviewDialog) -> None:
    dialog.show_preview(preview("Three examples are too few."), 0)
    assert "Three examples are too few." in texts(dialog)
    assert not button(dialog, "Learn from 4 examples").isEnabled()
    dialog.show_preview(preview(), 0)
    assert "Three examples are too few." not in texts(dialog)
    assert button(dialog, "Learn from 4 examples").isEnabled()


def test_nothing_to_learn_from(dialog: PreviewDialog) -> None:
    dialog.show_preview(Preview("m", (), 512, "There is nothing to learn from yet."), 0)
    visible = [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]
    assert any("thumb" in each for each in visible)
    assert not button(dialog, "Learn").isEnabled()


def test_everything_can_be_reached_and_has_a_name(dialog: PreviewDialog) -> None:
    dialog.show_preview(preview(), 0)
    show(dialog, 1)
    button(dialog, "How it is learned").click()
    for widget in [*dialog.findChildren(QAbstractButton), dialog.list]:
        in_group = isinstance(widget, QAbstractButton) and widget.group()  # the arrow keys
        if widget.isVisible():
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, widget
            assert in_group or widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget


def test_it_takes_on_another_theme(dialog: PreviewDialog) -> None:
    dialog.show_preview(preview(), 0)
    dark = load_theme("dark")
    dialog.set_theme(dark)
    show(dialog, 1)
    assert dark.accent_soft in words(dialog.example)
    dialog.grab()


# The controller


class Recorded:
    """Stands in for `PersonalizeService`: previews by its own rules, without an engine."""

    def __init__(self) -> None:
        self.found = preview()
        self.problem: EnvironmentProblem | None = None
        self.files: tuple[Path, ...] = ()
        self.started: list[tuple[Preview, TrainingConfig, str]] = []
        self.go_on = Event()
        self.go_on.set()

    def preview(self, model: ModelFile, files: Iterable[Path] = ()) -> Preview:
        self._answer()
        self.files = tuple(files)
        more = tuple(example(file.name) for file in self.files)
        return replace(self.found, examples=self.found.examples + more)

    def choose(self, shown: Preview, example_ids: Collection[str], chosen: bool) -> Preview:
        self._answer()
        changed = previews.choose(shown, example_ids, chosen)
        return replace(changed, problem="")  # four are enough for a test

    def mask(self, shown: Preview, value: str, masked: bool) -> Preview:
        changed = tuple(
            replace(each, findings=tuple(replace(f, masked=masked) for f in each.findings))
            for each in shown.examples
        )
        return replace(shown, examples=changed)

    def estimate(self, shown: Preview, config: TrainingConfig) -> float:
        return 60.0 * len(shown.chosen) * max(1, config.epochs)

    def start(self, shown: Preview, config: TrainingConfig, name: str) -> None:
        self._answer()
        self.started.append((shown, config, name))

    def _answer(self) -> None:
        assert self.go_on.wait(10)
        if self.problem:
            raise self.problem


class Opened:
    def __init__(self, qtbot: QtBot, dialog: PreviewDialog) -> None:
        self.qtbot = qtbot
        self.dialog = dialog
        self.service = Recorded()
        self.bridge = Bridge()
        self.bridge.open(cast(App, SimpleNamespace(personalize=self.service)))
        self.controller = PreviewController(self.bridge, MODEL, dialog)

    def until(self, said: str) -> None:
        self.qtbot.waitUntil(lambda: said in words(self.dialog), timeout=5000)


@pytest.fixture
def opened(qtbot: QtBot, dialog: PreviewDialog) -> Iterator[Opened]:
    opened = Opened(qtbot, dialog)
    yield opened
    opened.service.go_on.set()
    opened.bridge.close()


def test_it_is_read_and_shown(opened: Opened) -> None:
    opened.controller.read()
    assert "Reading what may be learned from…" in texts(opened.dialog)
    opened.until("4 of 5 chosen · 3 to learn, 1 to test · 400 tokens · about 4\u00a0min")


def test_quick_changes_are_all_made(opened: Opened) -> None:
    opened.controller.read()
    opened.until("4 of 5 chosen")
    opened.service.go_on.clear()
    for example_id in ("e", "preferred", "file"):
        opened.dialog.choose_requested.emit({example_id}, False)
    opened.dialog.mask_requested.emit("anna@example.org", False)
    opened.dialog.start_requested.emit(TrainingConfig(seed=5), "Mine")
    opened.service.go_on.set()
    opened.qtbot.waitUntil(lambda: bool(opened.service.started), timeout=5000)
    (begun, config, name) = opened.service.started[0]
    assert [each.id for each in begun.chosen] == ["personal"]
    assert not begun.examples[1].findings[0].masked
    assert (config.seed, name) == (5, "Mine")
    opened.qtbot.waitUntil(opened.dialog.isHidden, timeout=5000)


def test_more_files_keep_what_was_chosen(opened: Opened) -> None:
    opened.controller.read()
    opened.until("4 of 5 chosen")
    opened.dialog.choose_requested.emit({"e", "doubtful"}, False)
    opened.dialog.mask_requested.emit("anna@example.org", False)
    opened.until("3 of 5 chosen")
    opened.controller.read([Path("mine.jsonl")])
    opened.until("4 of 6 chosen")
    button(opened.dialog, "Chosen 4").click()
    assert ids(opened.dialog.model) == ["personal", "preferred", "file", "mine.jsonl"]
    personal = opened.dialog.model.example(opened.dialog.model.index(0))
    assert personal and not personal.findings[0].masked


def test_what_cannot_be_read_can_be_tried_again(opened: Opened) -> None:
    opened.service.problem = EnvironmentProblem("The engine ended.", "Try again.")
    opened.controller.read()
    opened.until("The engine ended.")
    opened.service.problem = None
    button(opened.dialog, "Try again").click()
    opened.until("4 of 5 chosen")


def test_a_file_that_cannot_be_read_is_forgotten(opened: Opened) -> None:
    opened.controller.read()
    opened.until("4 of 5 chosen")
    opened.service.problem = EnvironmentProblem("mine.jsonl is no chat file.")
    opened.controller.read([Path("mine.jsonl")])
    opened.until("mine.jsonl is no chat file.")
    assert button(opened.dialog, "Learn from 4 examples").isEnabled()
    opened.service.problem = None
    opened.controller.read([Path("other.jsonl")])
    opened.until("5 of 6 chosen")
    assert opened.service.files == (Path("other.jsonl"),)


def test_a_start_that_fails_says_why(opened: Opened) -> None:
    opened.controller.read()
    opened.until("4 of 5 chosen")
    opened.service.problem = EnvironmentProblem("There is not enough memory.")
    button(opened.dialog, "Learn from 4 examples").click()
    opened.until("There is not enough memory.")
    assert opened.dialog.isVisible() and opened.service.started == []


def test_an_answer_after_it_was_closed_is_dropped(opened: Opened, qtbot: QtBot) -> None:
    opened.service.go_on.clear()
    opened.controller.read()
    opened.dialog.reject()
    opened.service.go_on.set()
    qtbot.wait(50)
    assert opened.dialog.model.rowCount() == 0


def test_the_time_follows_the_epochs(opened: Opened) -> None:
    opened.controller.read()
    opened.until("about 4\u00a0min")
    fields = opened.dialog.findChildren(WholeNumber)
    next(each for each in fields if each.accessibleName() == "Epochs").setValue(2)
    opened.until("about 8\u00a0min")


def test_what_was_chosen_and_masked_comes_back_when_it_is_opened_again(
    opened: Opened, qtbot: QtBot, theme: Theme
) -> None:
    opened.controller.read()
    opened.until("4 of 5 chosen")
    opened.dialog.choose_requested.emit({"personal"}, False)
    opened.until("3 of 5 chosen")
    opened.dialog.reject()
    left = opened.controller.left
    parent = QWidget()
    qtbot.addWidget(parent)
    again = PreviewDialog(title_of, theme, parent)
    PreviewController(opened.bridge, MODEL, again, left).read()
    qtbot.waitUntil(lambda: "3 of 5 chosen" in words(again), timeout=5000)
    other = PreviewDialog(title_of, theme, parent)
    PreviewController(opened.bridge, replace(MODEL, id="another"), other, left).read()
    qtbot.waitUntil(lambda: "4 of 5 chosen" in words(other), timeout=5000)


@pytest.mark.parametrize("width", [640, 1000])
def test_the_totals_have_few_lines(dialog: PreviewDialog, qtbot: QtBot, width: int) -> None:
    dialog.resize(width, 480)
    dialog.show_preview(preview("There is no model to learn with."), 1130.0)
    words = [each for each in dialog.findChildren(QLabel) if "chosen ·" in each.text()]
    qtbot.waitUntil(lambda: words[0].width() > 100)
    assert words[0].heightForWidth(words[0].width()) < 2.5 * words[0].fontMetrics().lineSpacing()
    start = button(dialog, "Learn from 4 examples")

    def is_below() -> bool:
        end_of_words = words[0].mapTo(dialog, words[0].rect().bottomLeft()).y()
        return start.mapTo(dialog, QPoint()).y() > end_of_words

    qtbot.waitUntil(lambda: is_below() is (width == 640))
    assert start.isVisible()
