from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import AnswerRecord, MessageState
from chatdesk.core.loading import ModelLoaded, Placement, StepDown
from chatdesk.core.sampling import PRESETS, Preset, SamplingParams
from chatdesk.services.engine.facts import EngineState, EngineStatus
from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.sampling.preset_chooser import PresetChooser
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.fields import Choice, Fold
from tests.ui.driver import texts

T = TypeVar("T", bound=QWidget)
OWN = SamplingParams(seed=2**32 - 2, max_tokens=64, stop=("\n", "a\\b"))
LOADED = ModelLoaded(
    "1", "Fake", "llama", 10**9, 10**9, 4096, 8192, 36, 24, "A GPU", 6, True, None, 1.0,
    parallel=4, batch=512, kv_type="q8_0",
    placements=(
        Placement("CUDA0", "A GPU", 24, 1024**3, 512 * 1024**2, 512 * 1024**2),
        Placement("CPU", "A processor", 12, 300 * 1024**2, 0, 12 * 1024**2),
    ),
)  # fmt: skip


@pytest.fixture
def inspector(qtbot: QtBot, theme: Theme) -> Iterator[Inspector]:
    inspector = Inspector(OWN, theme, EnterRule())
    inspector.show_presets(())
    qtbot.addWidget(inspector)
    inspector.show()
    yield inspector


def named(part: QWidget, kind: type[T], name: str) -> T:
    found: list[T] = part.findChildren(kind)
    return next(each for each in found if each.accessibleName() == name)


def unfold(inspector: Inspector) -> None:
    named(inspector, Fold, "More").click()


def visible_sliders(inspector: Inspector) -> set[str]:
    sliders = inspector.findChildren(QSlider)
    return {each.accessibleName() for each in sliders if each.isVisibleTo(inspector)}


def preset(inspector: Inspector) -> Choice:
    return named(inspector, Choice, "Preset")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_leaves_what_is_the_persons_own(
    inspector: Inspector, qtbot: QtBot, name: str
) -> None:
    chooser = preset(inspector)
    assert chooser.value == "balanced"
    chooser.choose(name)
    with qtbot.waitSignal(inspector.sampling_changed) as told:
        chooser.activated.emit(chooser.currentIndex())
    assert told.args == [
        replace(PRESETS[name], seed=OWN.seed, max_tokens=OWN.max_tokens, stop=OWN.stop)
    ]
    assert chooser.value == name


def test_turning_a_knob_leaves_the_preset(inspector: Inspector, qtbot: QtBot) -> None:
    slider = named(inspector, QSlider, "Temperature")
    with qtbot.waitSignal(inspector.sampling_changed) as told:
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert told.args == [replace(OWN, temperature=0.75)]
    assert preset(inspector).value is None
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    assert preset(inspector).value == "balanced"


def test_more_is_shown_when_asked_for(inspector: Inspector, qtbot: QtBot) -> None:
    assert "Typical" not in visible_sliders(inspector)
    unfold(inspector)
    shown = visible_sliders(inspector)
    assert {"Typical", "Top-n-sigma", "Strength", "Frequency", "Presence"} <= shown
    assert not {"Growth", "Surprise", "Threshold", "Exponent"} & shown  # of what is off
    strength = named(inspector, QSlider, "Strength")
    with qtbot.waitSignal(inspector.sampling_changed) as told:
        qtbot.keyClick(strength, Qt.Key.Key_Right)
    assert told.args == [replace(OWN, dry_multiplier=0.05)]
    assert {"Growth", "Allowed length"} <= visible_sliders(inspector)
    mirostat = named(inspector, Choice, "Mirostat")
    mirostat.choose(2)
    mirostat.activated.emit(2)
    assert {"Surprise", "Learning rate"} <= visible_sliders(inspector)


def test_what_a_knob_does_is_read_whole(inspector: Inspector, qtbot: QtBot) -> None:
    inspector.resize(275, 700)
    unfold(inspector)
    qtbot.waitUntil(lambda: bool(hints(inspector)))
    qtbot.waitUntil(lambda: all(each.height() >= needed(each) for each in hints(inspector)))
    lines = {needed(each) for each in hints(inspector)}
    assert len(lines) > 1  # some take two lines


def hints(inspector: Inspector) -> list[QLabel]:
    labels = inspector.findChildren(QLabel)
    return [each for each in labels if each.wordWrap() and each.isVisible() and each.text()]


def needed(label: QLabel) -> int:
    return label.heightForWidth(label.width())


def test_numbers_and_stops_are_typed(inspector: Inspector, qtbot: QtBot) -> None:
    unfold(inspector)
    told: list[SamplingParams] = []
    inspector.sampling_changed.connect(told.append)
    seed = named(inspector, QAbstractSpinBox, "Seed")
    longest = named(inspector, QAbstractSpinBox, "Longest answer")
    stops = named(inspector, QLineEdit, "Stops at")
    assert (seed.text(), longest.text(), stops.text()) == ("4294967294", "64", r"\n, a\\b")
    seed.selectAll()
    qtbot.keyClicks(seed, "-1")
    qtbot.keyClick(seed, Qt.Key.Key_Return)
    assert told[-1].seed is None
    assert seed.text() == "random"
    longest.selectAll()
    qtbot.keyClicks(longest, "0")
    qtbot.keyClick(longest, Qt.Key.Key_Return)
    assert told[-1].max_tokens is None
    stops.selectAll()
    qtbot.keyClicks(stops, r"END, \n\n ,, c:\\new")
    inspector.flush()  # the window is closed while one types
    assert told[-1].stop == ("END", "\n\n", "c:\\new")
    assert preset(inspector).value == "balanced"


def test_where_it_runs(inspector: Inspector) -> None:
    inspector.show_engine(EngineStatus(EngineState.LOADING))
    inspector.show_engine(EngineStatus(EngineState.READY, loaded=LOADED))
    named(inspector, Fold, "Where it runs").click()
    words = texts(inspector)
    for told in (
        "A GPU", "24 layers · 2\u00a0GB", "A processor", "12 layers · 312\u00a0MB",
        "4,096 tokens", "q8_0", "6", "512 tokens", "4",
    ):  # fmt: skip
        assert told in words
    inspector.show_engine(EngineStatus(EngineState.ASLEEP))
    shown = [label for label in inspector.findChildren(QLabel) if label.isVisible()]
    assert "A GPU" not in [label.text() for label in shown]


def test_what_was_given_up_is_told(inspector: Inspector) -> None:
    loaded = replace(LOADED, stepped_down=tuple(StepDown), draft_notice="other vocabulary")
    inspector.show_engine(EngineStatus(EngineState.READY, loaded=loaded))
    words = "\n".join(texts(inspector))
    assert "24 of 36 layers run there" in words
    assert "so it is 4,096 tokens" in words
    assert "less exactly (q8_0)" in words
    assert "not in use: other vocabulary." in words


def test_the_last_answer(inspector: Inspector) -> None:
    record = AnswerRecord(
        prompt_tokens=1900, cached_tokens=1702, completion_tokens=20, ttft_s=0.181,
        tokens_per_s=41.2, stop_reason="end", sampling=SamplingParams(seed=7),
        drafted=1200, accepted=9,
    )  # fmt: skip
    inspector.show_answer(record, MessageState.COMPLETE)
    words = texts(inspector)
    for told in (
        "0.18\u00a0s", "41.2\u00a0tokens/s", "20 tokens", "9 of 1,200 right",
        "1,702 of 1,900 tokens", "the model", "7",
    ):  # fmt: skip
        assert told in words
    inspector.show_answer(None, None)
    shown = [label.text() for label in inspector.findChildren(QLabel) if label.isVisible()]
    assert "This answer" not in shown and "Speed" not in shown


def test_only_what_is_measured_of_an_answer_is_shown(inspector: Inspector) -> None:
    inspector.show_answer(AnswerRecord(completion_tokens=3), MessageState.STREAMING)
    shown = [label.text() for label in inspector.findChildren(QLabel) if label.isVisible()]
    assert {"This answer", "Length", "3 tokens", "Ended by", "still writing"} <= set(shown)
    assert not {"Speed", "Seed", "Guessed ahead", "From memory"} & set(shown)
    assert shown.count("–") == 1  # the context, which nobody has measured


def test_the_order_is_that_of_use(inspector: Inspector) -> None:
    inspector.show_answer(AnswerRecord(completion_tokens=3), MessageState.COMPLETE)
    shown = [label for label in inspector.findChildren(QLabel) if label.isVisible()]
    tops = {label.text(): label.mapTo(inspector, QPoint()).y() for label in shown}
    order = ["System prompt", "Preset", "Temperature", "This answer"]
    assert sorted(order, key=tops.__getitem__) == order
    assert "0 always takes the likeliest word." in tops
    assert "Top-k" not in tops


def test_a_preset_of_ones_own_is_saved_renamed_and_deleted(
    inspector: Inspector, qtbot: QtBot
) -> None:
    chooser, told = inspector.findChild(PresetChooser), list[tuple[Preset, ...]]()
    assert chooser
    inspector.presets_changed.connect(told.append)
    slider = named(inspector, QSlider, "Temperature")
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    chooser.save("  My   tone ")
    (saved,) = told[-1]
    assert saved.name == "My tone"
    assert (saved.sampling.temperature, saved.sampling.seed, saved.sampling.stop) == (
        0.75,
        None,
        (),
    )
    assert preset(inspector).currentText() == "My tone"
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert preset(inspector).value is None
    preset(inspector).setCurrentIndex(preset(inspector).findText("My tone"))
    with qtbot.waitSignal(inspector.sampling_changed) as chosen:
        preset(inspector).activated.emit(preset(inspector).currentIndex())
    assert chosen.args == [replace(OWN, temperature=0.75)]
    chooser.rename("Balanced")  # as one of the app's own is called
    assert [each.name for each in told[-1]] == ["Balanced"]
    assert preset(inspector).currentText() == "Balanced"
    action = next(each for each in chooser.menu().actions() if "Delete" in each.text())
    action.trigger()
    assert told[-1] == ()
    assert preset(inspector).value is None


def test_enter_in_the_system_prompt_takes_it_and_goes_on(
    inspector: Inspector, qtbot: QtBot
) -> None:
    field = named(inspector, QPlainTextEdit, "System prompt")
    qtbot.keyClicks(field, "Be brief.")
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignals([inspector.system_prompt_changed, inspector.left]):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.toPlainText() == "Be brief.\n"
