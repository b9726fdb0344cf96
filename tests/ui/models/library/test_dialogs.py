"""The dialogs of the Models page by themselves, over values."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QRadioButton,
    QScrollArea,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.model_files import FoundElsewhere, Presence
from chatdesk.core.quantizing import Comparison, ModelFigures, Quantizing, QuantizingState
from chatdesk.core.sampling import PRESETS, Preset, SamplingParams
from chatdesk.core.settings import Settings
from chatdesk.core.units import GIB
from chatdesk.ui.models.library.delete_question import DeleteQuestion
from chatdesk.ui.models.library.details_dialog import ModelDetailsDialog, file_facts, machine_facts
from chatdesk.ui.models.library.duplicates_dialog import DuplicatesDialog
from chatdesk.ui.models.library.other_apps_dialog import OtherAppsDialog
from chatdesk.ui.models.library.quantize_dialog import QuantizeDialog, outcome_words
from chatdesk.ui.sampling.preset_chooser import PresetChooser
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.buttons import GHOST_AIR
from chatdesk.ui.widgets.fields import Choice
from tests.ui.driver import texts
from tests.ui.library_data import GB, kept

F16 = kept("f", "Big", quantization="F16", bytes=24 * GB)
SIZES = {"Q8_0": 13 * GB, "Q4_K_M": 7 * GB, "Q2_K": 5 * GB}
FOUND = (
    FoundElsewhere("LM Studio", "Qwen3 8B", "/other/a.gguf", 5 * GB),
    FoundElsewhere("Ollama", "<b>llama</b> & co", "/other/b", 2 * GB),
)
TROUBLE = EnvironmentProblem("It went wrong.", "Do this.")


@pytest.fixture
def parent(qtbot: QtBot, theme: Theme) -> Iterator[QWidget]:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    yield parent


def press(part: QWidget, words: str) -> None:
    button(part, words).click()


def button(part: QWidget, words: str) -> QAbstractButton:
    found = [each for each in part.findChildren(QAbstractButton) if words == each.text()]
    return next((each for each in found if not each.isHidden()), found[0])


def is_offered(part: QWidget, words: str) -> bool:
    return not button(part, words).isHidden() and button(part, words).isEnabled()


# Details


def details(parent: QWidget, **fields: Any) -> ModelDetailsDialog:
    settings = SettingsValue(Settings())
    shown = ModelDetailsDialog(kept(**fields), settings, "", load_theme("light"), parent)
    shown.show()
    return shown


def field(shown: ModelDetailsDialog, name: str) -> QLineEdit:
    return next(each for each in shown.findChildren(QLineEdit) if each.accessibleName() == name)


def test_nothing_is_changed_by_looking(parent: QWidget) -> None:
    model = kept(
        title="Mine", tags=("a", "b"), system_prompt="Be brief.", sampling=PRESETS["creative"]
    )
    shown = ModelDetailsDialog(model, SettingsValue(Settings()), "", load_theme("light"), parent)
    assert shown.notes == model.notes
    assert details(parent).notes == kept().notes


def test_name_tags_and_favourite(parent: QWidget) -> None:
    shown = details(parent)
    field(shown, "Name").setText("  Mine ")
    field(shown, "Tags").setText("code, letters,, code，中文 ")
    next(each for each in shown.findChildren(QCheckBox) if each.text() == "Favourite").click()
    notes = shown.notes
    assert (notes.title, notes.tags) == ("Mine", ("code", "letters", "中文"))
    assert notes.favourite
    for own in ("Qwen3 4B", " "):  # as the header calls it
        field(shown, "Name").setText(own)
        assert shown.notes.title == ""


def test_a_system_prompt_of_its_own(parent: QWidget) -> None:
    shown = details(parent)
    prompt = shown.findChild(QPlainTextEdit)
    assert prompt
    assert prompt.isHidden()
    press(shown, "A system prompt of its own")
    assert not prompt.isHidden()
    prompt.setPlainText("Be brief.")
    assert shown.notes.system_prompt == "Be brief."
    prompt.clear()
    assert shown.notes.system_prompt == ""  # none, whatever the general one is
    press(shown, "A system prompt of its own")
    assert shown.notes.system_prompt is None


def test_the_rule_of_enter_holds_in_its_system_prompt(parent: QWidget, qtbot: QtBot) -> None:
    shown = details(parent)
    press(shown, "A system prompt of its own")
    prompt = shown.findChild(QPlainTextEdit)
    assert prompt
    shown.activateWindow()
    prompt.setFocus()
    qtbot.waitUntil(prompt.hasFocus)
    qtbot.keyClicks(prompt, "Be brief.")
    qtbot.keyClick(prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert prompt.toPlainText() == "Be brief.\n"
    qtbot.keyClick(prompt, Qt.Key.Key_Return)
    assert prompt.toPlainText() == "Be brief.\n"
    assert not prompt.hasFocus()  # it goes on to the next field, as in the settings
    assert shown.isVisible()


def test_the_persons_own_presets_are_offered_and_kept(parent: QWidget) -> None:
    letters = Preset("Letters", SamplingParams(temperature=0.4))
    settings = SettingsValue(Settings().edited("chat", presets=(letters,)))
    shown = ModelDetailsDialog(kept(), settings, "", load_theme("light"), parent)
    press(shown, "Sampling of its own")
    preset = next(each for each in shown.findChildren(Choice) if each.accessibleName() == "Preset")
    preset.setCurrentText("Letters")
    preset.activated.emit(preset.currentIndex())
    assert shown.notes.sampling == letters.sampling
    chooser = shown.findChild(PresetChooser)
    assert chooser
    chooser.save("Mails")
    assert [each.name for each in settings.now.chat.presets] == ["Letters", "Mails"]


def test_sampling_of_its_own(parent: QWidget) -> None:
    shown = details(parent)
    press(shown, "Sampling of its own")
    assert shown.notes.sampling == SamplingParams()
    preset = next(each for each in shown.findChildren(Choice) if each.accessibleName() == "Preset")
    preset.choose("repeatable")
    preset.activated.emit(preset.currentIndex())
    assert shown.notes.sampling == PRESETS["repeatable"]


def test_facts_of_the_machine() -> None:
    used = machine_facts(
        kept(
            used_bytes=33 * GB // 10, used_context=4096, estimated_bytes=3 * GIB, tokens_per_s=41.3
        )
    )
    assert used["Memory, estimated"] == "2.8\u00a0GB at 8,192 tokens"
    assert (
        used["Memory, really used"]
        == "3.1\u00a0GB at 4,096 tokens; 3\u00a0GB were estimated for that"
    )
    assert (used["Speed, estimated"], used["Speed, measured"]) == (
        "38\u00a0tokens/s",
        "41\u00a0tokens/s",
    )
    never = machine_facts(kept())
    assert (never["Memory, really used"], never["Speed, measured"]) == ("", "")


def test_facts_of_the_file() -> None:
    facts = file_facts(kept(repo="maker/Good-GGUF"))
    assert facts["Parameters"] == "4.0B"
    assert (facts["File"], facts["Folder"]) == ("q.gguf", "/models")
    assert (facts["Size"], facts["From"]) == ("2.5\u00a0GB", "maker/Good-GGUF")
    hashed = kept()
    hashed = replace(hashed, model=replace(hashed.model, sha256="0123456789abcdef" * 4))
    lines = file_facts(hashed)["SHA-256"].splitlines()  # as one word it is wider than its place
    assert lines == ["0123456789abcdef" * 2] * 2
    assert file_facts(kept(parts=3))["Size"] == "2.5\u00a0GB in 3 files"
    assert file_facts(kept(context_length=0))["Context length"] == ""


def test_details_of_a_missing_file(parent: QWidget) -> None:
    shown = details(parent, presence=Presence.MISSING)
    assert "file missing" in texts(shown)
    assert "Its file is not there. If it is on another disk, connect that disk." in texts(shown)
    for words in ("Make smaller…", "Show in folder", "Chat"):
        assert not is_offered(shown, words)
    assert is_offered(shown, "Delete…")


def test_the_starter_cannot_be_deleted_and_so_it_is_not_offered(parent: QWidget) -> None:
    shown = details(parent, is_starter=True)
    words = [each.text() for each in shown.findChildren(QAbstractButton)]
    assert "Delete…" not in words and "Make smaller…" in words


def test_details_ask(parent: QWidget, qtbot: QtBot) -> None:
    shown = details(parent)
    for words, signal in (
        ("Chat", shown.chat_requested),
        ("Make smaller…", shown.shrink_requested),
        ("Delete…", shown.delete_requested),
        ("Show in folder", shown.folder_requested),
        ("Look for duplicates…", shown.duplicates_requested),
        ("Context, layers and more…", shown.options_requested),
        ("Personalize", shown.personalize_requested),
    ):
        with qtbot.waitSignal(signal):
            press(shown, words)


# Smaller


def progress(state: QuantizingState, fraction: float = 0.0, **fields: object) -> Quantizing:
    made = Quantizing(F16.model, "Q4_K_M", state, fraction)
    return replace(made, **fields)  # type: ignore[arg-type]


def test_types_are_offered_with_their_sizes(parent: QWidget, qtbot: QtBot) -> None:
    shown = QuantizeDialog(F16, parent)
    shown.show()
    assert not is_offered(shown, "Make smaller")
    shown.show_types(SIZES, loses_twice=False)
    assert [each.text() for each in shown.findChildren(QRadioButton)] == list(SIZES)
    assert shown.chosen == "Q4_K_M"
    assert {"about 7\u00a0GB · 29\u00a0%", "a good balance"} <= set(texts(shown))
    button(shown, "Q2_K").click()
    with qtbot.waitSignal(shown.start_requested) as asked:
        press(shown, "Make smaller")
    assert asked.args == ["Q2_K"]


def test_what_is_quantized_already_is_said(parent: QWidget) -> None:
    shown = QuantizeDialog(kept(), parent)
    shown.show_types({"Q2_K": GB}, loses_twice=True)
    assert shown.chosen == "Q2_K"
    assert "It is quantized already. One made from an F16 file would be better." in texts(shown)
    smallest = QuantizeDialog(kept(), parent)
    smallest.show_types({}, loses_twice=True)
    assert "It is as small as it can be made already." in texts(smallest)
    assert not is_offered(smallest, "Make smaller")


def test_how_far_it_is(parent: QWidget, qtbot: QtBot) -> None:
    shown = QuantizeDialog(F16, parent)
    shown.show_types(SIZES, loses_twice=False)
    shown.show_progress(progress(QuantizingState.WRITING))
    assert "Step 1 of 2: writing Q4_K_M" in texts(shown)
    assert is_offered(shown, "Go on in the background")
    shown.show_progress(progress(QuantizingState.WRITING, 0.25, seconds_left=90))
    assert "Step 1 of 2: writing Q4_K_M, 1\u00a0min 30\u00a0s left" in texts(shown)
    bar = shown.findChild(QProgressBar)
    assert bar
    assert bar.value() == bar.maximum() // 4
    assert not is_offered(shown, "Make smaller")
    with qtbot.waitSignal(shown.cancel_requested):
        press(shown, "Cancel")
    shown.show_progress(progress(QuantizingState.CANCELLED))
    assert "It was cancelled. The original is as it was." in texts(shown)
    assert button(shown, "Cancel").isHidden() and button(shown, "Chat with it").isHidden()
    assert is_offered(shown, "Close")
    shown.show_progress(progress(QuantizingState.COMPARING, 0.5, seconds_left=20))
    assert "Step 2 of 2: comparing it with the original, 20\u00a0s left" in texts(shown)


def test_what_came_of_it(parent: QWidget, qtbot: QtBot) -> None:
    result = kept("small").model
    compared = Comparison(ModelFigures(24 * GB, 4.2, 8.31), ModelFigures(7 * GB, 12.1, 8.52))
    shown = QuantizeDialog(F16, parent)
    shown.show_progress(progress(QuantizingState.COMPARING, 0.5, result=result))
    shown.show_progress(progress(QuantizingState.DONE, 1.0, result=result, comparison=compared))
    said = texts(shown)
    assert {
        "24\u00a0GB",
        "7\u00a0GB",
        "4\u00a0tokens/s",
        "12\u00a0tokens/s",
        "8.31",
        "8.52",
    } <= set(said)
    assert outcome_words(compared) in said
    with qtbot.waitSignal(shown.chat_requested) as asked:
        press(shown, "Chat with it")
    assert asked.args == [result]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (8.0, "as well as the original"),
        (8.3, "almost as well"),
        (9.9, "noticeably worse"),
        (0.0, "its size is 25\u00a0%."),
    ],
)
def test_the_outcome_in_plain_words(after: float, words: str) -> None:
    compared = Comparison(ModelFigures(4 * GB, 0.0, 8.0), ModelFigures(GB, 0.0, after))
    assert outcome_words(compared).startswith("Compared with the original, its size is 25\u00a0%.")
    assert words in outcome_words(compared)


def test_why_it_failed(parent: QWidget) -> None:
    shown = QuantizeDialog(F16, parent)
    shown.show_progress(progress(QuantizingState.FAILED, problem="The disk is full."))
    assert "The disk is full." in texts(shown)
    unread = QuantizeDialog(F16, parent)
    unread.show_problem(TROUBLE)
    assert "It went wrong. Do this." in texts(unread)
    assert not is_offered(unread, "Make smaller")


# Other apps, duplicates, deleting


def test_models_of_other_apps_are_chosen(parent: QWidget, qtbot: QtBot, theme: Theme) -> None:
    shown = OtherAppsDialog(theme, parent)
    shown.show()
    assert "Looking for models of other apps…" in texts(shown)
    shown.show_found(FOUND)
    expected = {"LM STUDIO", "OLLAMA", "5\u00a0GB", "2\u00a0GB"}
    qtbot.waitUntil(lambda: expected <= set(texts(shown)))
    assert shown.chosen == FOUND
    boxes = shown.findChildren(QCheckBox)
    assert [each.accessibleName() for each in boxes] == [each.name for each in FOUND]
    boxes[0].click()
    with qtbot.waitSignal(shown.use_requested) as asked:
        press(shown, "Use where they are")
    assert asked.args == [FOUND[1:]]
    boxes[1].click()
    assert not is_offered(shown, "Use where they are")


def test_no_models_of_other_apps(parent: QWidget, theme: Theme) -> None:
    shown = OtherAppsDialog(theme, parent)
    shown.show_found(())
    assert any(each.startswith("No more models were found.") for each in texts(shown))
    assert not is_offered(shown, "Use where they are")
    failed = OtherAppsDialog(theme, parent)
    failed.show_problem(TROUBLE)
    assert "It went wrong. Do this." in texts(failed)


def test_duplicates(parent: QWidget, qtbot: QtBot) -> None:
    twice = (kept("a", "One", is_starter=True), kept("b", "Two"))
    shown = DuplicatesDialog(parent)
    shown.show()
    assert is_offered(shown, "Cancel")
    shown.show_groups((twice,))
    expected = {"2 FILES, 2.5\u00a0GB TO SPARE", "One Q4_K_M", "/models/b.gguf"}
    qtbot.waitUntil(lambda: expected <= set(texts(shown)))
    deletes = [each for each in shown.findChildren(QAbstractButton) if each.text() == "Delete…"]
    assert [each.isEnabled() for each in deletes] == [False, True]
    with qtbot.waitSignal(shown.delete_requested) as asked:
        deletes[1].click()
    assert asked.args == [twice[1]]
    none = DuplicatesDialog(parent)
    none.show_groups(())
    assert "No two models are the same." in texts(none)
    assert is_offered(none, "Close")


def test_a_dialog_with_one_sentence_is_not_a_large_empty_window(
    parent: QWidget, qtbot: QtBot, theme: Theme
) -> None:
    duplicates, others = DuplicatesDialog(parent), OtherAppsDialog(theme, parent)
    shrink = QuantizeDialog(kept(), parent)
    dialogs: tuple[QWidget, ...] = (duplicates, others, shrink)
    for dialog in dialogs:
        dialog.show()
    duplicates.show_groups(())
    others.show_found(())
    shrink.show_types({}, loses_twice=False)
    for dialog in dialogs:
        area = dialog.findChild(QScrollArea)
        assert area
        bar = area.verticalScrollBar()
        qtbot.waitUntil(lambda: dialog.height() < 320 and bar.maximum() == 0)  # noqa: B023


def test_before_a_file_is_deleted(parent: QWidget, qtbot: QtBot) -> None:
    asked = DeleteQuestion(kept(), "LM Studio", parent)
    asked.show()
    explained = asked.informativeText()
    assert "frees 2.5\u00a0GB" in explained and "/models/q.gguf" in explained
    assert "LM Studio uses this file" in explained
    assert asked.textFormat() is Qt.TextFormat.PlainText
    assert asked.defaultButton().text() == "Cancel"
    with qtbot.waitSignal(asked.forget):
        press(asked, "Remove from the list only")
    again = DeleteQuestion(kept(), "", parent)
    assert "uses this file" not in again.informativeText()
    with qtbot.waitSignal(again.trash):
        press(again, "Move to the trash")


def test_a_file_that_is_gone_can_only_leave_the_list(parent: QWidget, qtbot: QtBot) -> None:
    asked = DeleteQuestion(kept(presence=Presence.MISSING), "", parent)
    words = [each.text() for each in asked.findChildren(QAbstractButton)]
    assert "Move to the trash" not in words
    with qtbot.waitSignal(asked.forget):
        press(asked, "Remove from the list")


@pytest.mark.usefixtures("large_text")
def test_in_larger_text_the_answers_stand_where_each_is_whole(parent: QWidget) -> None:
    asked = DeleteQuestion(kept(), "", parent)
    asked.show()
    shown = [each for each in asked.buttons() if each.isVisible()]
    assert len(shown) == 3
    assert all(each.width() >= each.sizeHint().width() for each in shown)
    assert len({each.mapTo(asked, QPoint(0, 0)).x() for each in shown}) in (1, 3)


def test_words_without_a_frame_begin_where_the_title_does(parent: QWidget, qtbot: QtBot) -> None:
    shown = details(parent)
    delete = button(shown, "Delete…")
    qtbot.waitUntil(lambda: delete.x() > 0)
    title = shown.heading.mapTo(shown, QPoint(0, 0)).x()
    assert delete.mapTo(shown, QPoint(GHOST_AIR, 0)).x() == title
    picture = delete.grab().toImage()
    ground, scale = picture.pixelColor(2, 2), picture.devicePixelRatio()
    inked = (
        x
        for x in range(picture.width())
        if any(picture.pixelColor(x, y) != ground for y in range(8, picture.height() - 8))
    )
    assert GHOST_AIR - 1 <= next(inked) / scale <= GHOST_AIR + 3
