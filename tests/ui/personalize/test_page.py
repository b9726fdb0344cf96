"""The page by itself, over values; and in the window, over real services."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QLabel,
    QListView,
    QProgressBar,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.personalization import RUNNING as RUNNING_STATES
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    RatingTrend,
    Withdrawn,
)
from chatdesk.services.personalize.facts import LearningProgress
from chatdesk.ui.personalize.adapter_list import (
    column_places,
    menu_place,
    name_and_tag,
    tag_place,
)
from chatdesk.ui.personalize.adapter_list_model import AdapterRole
from chatdesk.ui.personalize.overview import Overview
from chatdesk.ui.personalize.page import PersonalizePage
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.buttons import AIR, PictureButton
from tests.ui.driver import texts
from tests.ui.learning_data import LOSSES, MODEL, record, rejected_scorecard

REJECTED = record("r", state=AdapterState.REJECTED, scorecard=rejected_scorecard())
IN_USE = record("v3", active=True)
RUNNING = record("v4", state=AdapterState.TRAINING, scorecard=None, bytes=0)
PROGRESS = LearningProgress(
    "v4", AdapterState.TRAINING, 0.42, 540, 356.2, 812 * 1024**2, losses=LOSSES
)


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> PersonalizePage:
    page = PersonalizePage(theme)
    page.resize(1016, 800)
    qtbot.addWidget(page)
    page.show()
    return page


def overview(*records: AdapterRecord, **fields: object) -> Overview:
    active = next((each for each in records if each.active), None)
    return replace(Overview(MODEL, records, active=active), **fields)  # type: ignore[arg-type]


def words(part: QWidget) -> str:
    labels = part.findChildren(QLabel)
    return " ".join(label.text() for label in labels if label.isVisibleTo(part))


def button(part: QWidget, name: str) -> QPushButton:
    found = part.findChildren(QPushButton)
    return next(each for each in found if name in (each.text(), each.accessibleName()))


def actions(page: PersonalizePage, row: int) -> dict[str, QAction]:
    menu = page.history.menu_for(page.model.index(row))
    return {action.text(): action for action in menu.actions()}


# What it shows


def test_nothing_was_learned_yet(page: PersonalizePage) -> None:
    page.show_overview(overview())
    assert page.how.isVisible() and "Rate or correct answers" in words(page.how)
    for part in (page.card, page.run, page.missing, page.history):
        assert not part.isVisible()
    page.show_overview(overview(ready=3, least=16))
    assert "3 of 16 examples" in texts(page.how)
    bar = page.how.findChild(QProgressBar)
    assert bar and (bar.value(), bar.maximum()) == (3, 16)
    page.show_overview(overview(ready=16, least=16))
    assert "16 examples or more: enough to begin" in texts(page.how)
    assert button(page, "Learn now").isEnabled()
    assert button(page, "Import an adapter made elsewhere").isVisible()


def test_the_steps_stand_below_each_other_where_it_is_narrow(
    page: PersonalizePage, qtbot: QtBot
) -> None:
    page.show_overview(overview(ready=3, least=16))
    cards = [each for each in page.how.findChildren(QFrame) if each.property("class") == "card"]
    assert len({each.y() for each in cards}) == 1
    page.resize(560, 700)
    qtbot.waitUntil(lambda: len({each.x() for each in cards}) == 1)
    assert all(one.geometry().bottom() < other.y() for one, other in pairwise(cards))


@pytest.mark.parametrize("width", [630, 720])
def test_what_was_learned_from_is_read_whole_where_there_is_a_column_for_it(
    page: PersonalizePage, width: int
) -> None:
    page.resize(width, 700)
    page.show_overview(overview(IN_USE))
    index = page.model.index(0)
    place = column_places(page.history.rows.visualRect(index))[1]
    cell = index.data(AdapterRole.CELLS)[1]
    assert name_and_tag(place.width(), cell)[0] == cell.words


@pytest.mark.parametrize("width", [440, 480, 560, 600, 720, 856])
def test_a_judgement_is_read_whole(page: PersonalizePage, width: int) -> None:
    page.resize(width, 700)
    page.show_overview(overview(REJECTED))
    index = page.model.index(0)
    cell, place = (
        index.data(AdapterRole.CELLS)[2],
        column_places(page.history.rows.visualRect(index))[2],
    )
    assert cell.words.startswith("not sure")
    assert name_and_tag(place.width(), cell)[0] == cell.words


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (overview(missing="Install it like this."), "not installed"),
        (overview(missing="Soon.", installing=True), "being installed"),
        (overview(obstacle="Models of the kind “gpt2” cannot be trained here."), "this model"),
        (Overview(), "no model"),
        (overview(RUNNING, progress=PROGRESS), "One run at a time"),
    ],
)
def test_why_nothing_can_be_learned_now(page: PersonalizePage, shown: Overview, why: str) -> None:
    page.show_overview(shown)
    learn = button(page, "Learn now")
    assert not learn.isEnabled()
    assert why in learn.toolTip()
    assert page.missing.isVisible() is bool(shown.missing or shown.obstacle)
    assert (shown.missing or shown.obstacle) in words(page.missing)


def test_the_adapter_in_use(page: PersonalizePage, qtbot: QtBot) -> None:
    page.show_overview(overview(IN_USE, record("v2"), back_to="My voice v2"))
    shown = words(page.card)
    assert "in use" in shown
    took = "18\u00a0min of learning in 1\u00a0h 0\u00a0min"  # the computer was in use, too
    assert f"Qwen3 4B · 214 to learn, 22 to test · 2026-01-02, {took}" in shown
    quick = replace(IN_USE, ended=IN_USE.created + timedelta(minutes=20))
    page.show_overview(overview(quick, record("v2"), back_to="My voice v2"))
    assert "2026-01-02, 18\u00a0min" in words(page.card) and "of learning" not in words(page.card)
    page.show_overview(overview(IN_USE, record("v2"), back_to="My voice v2"))
    assert "−17\u00a0% · sure to 95\u00a0%" in shown
    with qtbot.waitSignal(page.card.roll_back_requested) as asked:
        button(page.card, "Roll back to My voice v2").click()
    assert asked.args == [IN_USE]
    with qtbot.waitSignal(page.history.scorecard_requested) as asked:
        button(page.card, "Show the whole scorecard").click()
    assert asked.args == [IN_USE]
    page.show_overview(overview(IN_USE))
    assert button(page.card, "Back to the model as it is").isVisible()


def test_a_weaker_strength_is_said(page: PersonalizePage) -> None:
    page.show_overview(overview(replace(IN_USE, scale=0.5)))
    assert "strength 50\u00a0%" in texts(page.card)


def test_ratings_that_got_worse(page: PersonalizePage) -> None:
    page.show_overview(overview(IN_USE, trend=RatingTrend(6, 14, 20, 3, worse=True)))
    assert "14 of 20 thumbs point down, 3 of 23 did before" in words(page.card)
    page.show_overview(overview(IN_USE, trend=RatingTrend(14, 6, 20, 3, worse=False)))
    assert "point down" not in words(page.card)


def test_a_rejection_says_why_and_that_nothing_changed(page: PersonalizePage) -> None:
    page.show_overview(overview(REJECTED))
    shown = words(page.card)
    assert "Nothing changed: Qwen3 4B answers as before." in shown
    assert "got worse at general questions" in shown
    assert not any("ack to" in each.text() for each in visible_buttons(page.card))


def test_no_adapter_is_in_use(page: PersonalizePage) -> None:
    page.show_overview(overview(record("v2")))
    assert "The model as it is" in words(page.card)
    assert "held-out" not in words(page.card)


def test_one_press_goes_back_and_one_uses_it_again(page: PersonalizePage, qtbot: QtBot) -> None:
    page.show_overview(overview(IN_USE))
    back = button(page.card, "Back to the model as it is")
    back.setFocus()
    unused = replace(IN_USE, active=False)
    page.show_overview(overview(unused))
    again = button(page.card, "Use “My voice v3” again")
    assert again.isVisible() and not back.isVisible()
    assert page.focusWidget() is again  # and not whatever comes next on the page
    with qtbot.waitSignal(page.card.activate_requested) as asked:
        qtbot.keyClick(again, Qt.Key.Key_Space)
    assert asked.args == [unused]
    page.show_overview(overview(IN_USE))
    assert page.focusWidget() is back


def test_the_card_beside_the_first_run_is_no_large_empty_one(page: PersonalizePage) -> None:
    page.show_overview(overview(RUNNING, progress=replace(PROGRESS, losses=())))
    assert "tested before it is used" in words(page.card)
    assert page.card.height() < 0.6 * page.run.height()
    assert page.card.y() == page.run.y()


def visible_buttons(part: QWidget) -> list[QPushButton]:
    return [each for each in part.findChildren(QPushButton) if each.isVisible()]


# The run that is on


def test_a_run(page: PersonalizePage, qtbot: QtBot) -> None:
    page.show_overview(overview(RUNNING, IN_USE, progress=PROGRESS))
    assert "Learning “My voice v4”" in texts(page.run)
    step = f"Step 2 of {len(RUNNING_STATES)}: learning"
    assert f"{step}, 9\u00a0min left · 356\u00a0tokens/s · 812\u00a0MB of memory" in texts(page.run)
    with qtbot.waitSignal(page.run.pause_requested) as asked:
        button(page.run, "Pause “My voice v4”").click()
    assert asked.args == ["v4"]
    page.show_progress(replace(PROGRESS, paused=True))
    assert f"paused · {step}, 9\u00a0min left" in words(page.run)
    with qtbot.waitSignal(page.run.resume_requested):
        button(page.run, "Go on with “My voice v4”").click()
    with qtbot.waitSignal(page.run.cancel_requested):
        button(page.run, "Cancel “My voice v4”").click()


@pytest.mark.parametrize(("width", "beside"), [(600, False), (856, False), (1016, True)])
def test_where_it_is_narrow_the_run_stands_above_the_adapter(
    page: PersonalizePage, qtbot: QtBot, width: int, beside: bool
) -> None:
    page.resize(width, 900)
    page.show_overview(overview(RUNNING, IN_USE, progress=PROGRESS))
    qtbot.waitUntil(lambda: page.run.y() != page.card.y() or page.run.x() != page.card.x())
    run, card = page.run.geometry(), page.card.geometry()
    assert run.left() > card.right() if beside else run.bottom() < card.top()


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (replace(PROGRESS, waiting="waits while you chat"), "waits while you chat · Step 2"),
        (LearningProgress("v4", AdapterState.PREPARING), "Step 1 of {n}: reading the examples"),
        (
            LearningProgress("v4", AdapterState.MEASURING, 0.9, 60),
            "Step 3 of {n}: testing what was learned, 1\u00a0min left",
        ),
        (replace(PROGRESS, seconds_left=5000), "learning, 1\u00a0h 23\u00a0min left"),
        (replace(PROGRESS, seconds_left=0.2), "learning, 1\u00a0s left"),
    ],
)
def test_what_a_run_does(page: PersonalizePage, progress: LearningProgress, said: str) -> None:
    page.show_overview(overview(RUNNING, progress=progress))
    assert said.format(n=len(RUNNING_STATES)) in words(page.run)


def test_the_name_of_a_run_has_a_line_of_its_own(page: PersonalizePage) -> None:
    page.resize(856, 700)  # as in a window of the first size
    page.show_overview(overview(RUNNING, IN_USE, progress=replace(PROGRESS, losses=())))
    title = next(e for e in page.run.findChildren(QLabel) if e.text() == "Learning “My voice v4”")
    assert title.fontMetrics().horizontalAdvance(title.text()) <= title.width()
    assert title.height() < 2 * title.fontMetrics().height()


def test_a_run_that_can_go_on(page: PersonalizePage, qtbot: QtBot) -> None:
    page.show_overview(overview(replace(RUNNING, state=AdapterState.INTERRUPTED), IN_USE))
    assert "nothing is lost" in words(page.run)
    with qtbot.waitSignal(page.run.resume_requested) as asked:
        button(page.run, "Go on with “My voice v4”").click()
    assert asked.args == ["v4"]
    assert button(page, "Learn now").isEnabled()
    failed = replace(RUNNING, state=AdapterState.FAILED, error="There is not enough memory.")
    page.show_overview(overview(failed, IN_USE))
    assert "There is not enough memory." in texts(page.run)
    page.show_overview(overview(IN_USE))
    assert not page.run.isVisible()


# The history


def test_the_rows(page: PersonalizePage) -> None:
    imported = record("i", state=AdapterState.IMPORTED, scorecard=None, examples=0)
    failed = record("f", state=AdapterState.FAILED, scorecard=None, bytes=0, error="No memory.")
    page.show_overview(
        overview(IN_USE, REJECTED, imported, failed, withdrawn={"v3": Withdrawn(2, 5)})
    )
    said = [
        page.model.index(row).data(Qt.ItemDataRole.AccessibleTextRole)
        for row in range(page.model.rowCount())
    ]
    assert said[0] == (
        "Adapter My voice v3 in use; Learned from 214 to learn, 22 to test 2 chats withdrawn, "
        "retrain; "
        "Your answers −17\u00a0%; Knowledge +0.4\u00a0%; When 2026-01-02; Size 4\u00a0MB"
    )
    assert (
        "not better" in said[1] and "not sure (−1.0\u00a0%)" in said[1] and "+10\u00a0%" in said[1]
    )
    assert "Use it; Learned from made elsewhere; Your answers –" in said[2]
    assert "failed" in said[3] and said[3].endswith("Size –")
    assert page.model.index(3).data(Qt.ItemDataRole.ToolTipRole) == "No memory."
    page.grab()


def test_what_can_be_done_with_each(page: PersonalizePage, qtbot: QtBot) -> None:
    interrupted = replace(RUNNING, id="x", state=AdapterState.INTERRUPTED)
    page.show_overview(
        overview(
            RUNNING, IN_USE, record("v2"), REJECTED, interrupted, withdrawn={"v2": Withdrawn(0, 1)}
        )
    )
    exports = ["Export for llama.cpp (GGUF)…", "Export for PEFT (safetensors)…"]
    card, again = "Show the scorecard", "Retrain without what was withdrawn…"
    assert [list(actions(page, row)) for row in range(5)] == [
        ["Rename…"],
        [card, "Rename…", *exports, "Delete…"],
        ["Use it again", card, again, "Rename…", *exports, "Delete…"],
        [card, "Rename…", *exports, "Delete…"],
        ["Go on", "Rename…", "Delete…"],
    ]
    with qtbot.waitSignal(page.history.activate_requested) as asked:
        actions(page, 2)["Use it again"].trigger()
    assert asked.args == [record("v2")]


def test_the_menu_opens_by_key_and_by_click(page: PersonalizePage, qtbot: QtBot) -> None:
    page.show_overview(overview(IN_USE, REJECTED))
    rows = page.history.rows
    rows.menu_requested.disconnect()
    rows.setCurrentIndex(page.model.index(1))
    with qtbot.waitSignal(rows.menu_requested) as asked:
        qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert asked.args and asked.args[0].row() == 1
    place = menu_place(rows.visualRect(page.model.index(0))).center()
    with qtbot.waitSignal(rows.menu_requested) as asked:
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert asked.args and asked.args[0].row() == 0


def test_the_tag_asks_to_retrain(page: PersonalizePage, qtbot: QtBot) -> None:
    page.show_overview(overview(IN_USE, withdrawn={"v3": Withdrawn(1, 1)}))
    rows, index = page.history.rows, page.model.index(0)
    place = tag_place(rows.visualRect(index), index, 1)
    with qtbot.waitSignal(page.history.retrain_requested) as asked:
        click(qtbot, rows, place.center().toPoint())
    assert asked.args == [IN_USE]
    beside = QPoint(int(place.left()) - 20, int(place.center().y()))
    with qtbot.assertNotEmitted(page.history.retrain_requested):
        click(qtbot, rows, beside)


def test_an_adapter_is_used_again_with_one_click(page: PersonalizePage, qtbot: QtBot) -> None:
    made_elsewhere = record("v2", state=AdapterState.IMPORTED)
    page.show_overview(overview(record("v1"), made_elsewhere, IN_USE, REJECTED))
    rows, model = page.history.rows, page.model
    tags = [model.index(row).data(AdapterRole.CELLS)[0].tag for row in range(4)]
    assert tags == ["Use it again", "Use it", "in use", "not better"]
    for row, wanted in enumerate((record("v1"), made_elsewhere)):
        index = model.index(row)
        with qtbot.waitSignal(page.history.activate_requested) as asked:
            click(qtbot, rows, tag_place(rows.visualRect(index), index, 0).center().toPoint())
        assert asked.args == [wanted]
    for row in (2, 3):  # these tags are words only
        index = model.index(row)
        with qtbot.assertNotEmitted(page.history.activate_requested):
            click(qtbot, rows, tag_place(rows.visualRect(index), index, 0).center().toPoint())


def click(qtbot: QtBot, rows: QListView, at: QPoint) -> None:
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=at)


@pytest.mark.parametrize("state", list(AdapterState))
def test_the_state_of_a_run_is_read_whole(page: PersonalizePage, state: AdapterState) -> None:
    page.resize(856, 700)  # as in a window of the first size
    page.show_overview(overview(record("v1", name="My voice v1", state=state)))
    index = page.model.index(0)
    cell = index.data(AdapterRole.CELLS)[0]
    name = column_places(page.history.rows.visualRect(index))[0]
    words, tag = name_and_tag(name.width(), cell)
    assert tag == cell.tag
    assert words.startswith("My v")


def test_columns_stay_within_the_row(page: PersonalizePage) -> None:
    page.show_overview(overview(IN_USE))
    for width in (400, 600, 900, 1100):
        page.resize(width, 700)
        row = page.history.rows.visualRect(page.model.index(0))
        places = column_places(row)
        assert all(one.right() < other.left() for one, other in pairwise(places))
        assert places[-1].right() < menu_place(row).left()
        page.grab()


# The page itself


def test_an_import_is_offered_beside_the_words_that_tell_of_it(
    page: PersonalizePage, qtbot: QtBot
) -> None:
    page.resize(1400, 800)
    page.show_overview(overview())
    (words,) = [each for each in page.findChildren(QLabel) if "made elsewhere" in each.text()]
    (button,) = [each for each in page.findChildren(QAbstractButton) if each.text() == "Import…"]
    qtbot.waitUntil(lambda: button.isVisible() and button.x() > 0)
    assert 0 < button.x() - words.geometry().right() < 20
    page.show_overview(overview(IN_USE))
    qtbot.waitUntil(lambda: button.geometry().right() > 900)


def test_the_buttons_before_the_title_begin_where_the_words_do(
    page: PersonalizePage, qtbot: QtBot
) -> None:
    page.show_overview(overview(IN_USE))
    page.offer_sidebar(True)
    back = next(each for each in page.findChildren(PictureButton) if each.isVisible())
    edge = page.card.mapTo(page, QPoint(0, 0)).x()
    qtbot.waitUntil(lambda: back.mapTo(page, QPoint(AIR, 0)).x() == edge)
    assert back.visibleRegion().boundingRect().width() == back.width()
    page.offer_sidebar(False)
    title = next(each for each in page.findChildren(QLabel) if each.text() == "Personalize")
    qtbot.waitUntil(lambda: title.mapTo(page, QPoint(0, 0)).x() == edge)


def test_everything_can_be_reached_and_has_a_name(page: PersonalizePage) -> None:
    page.offer_sidebar(True)
    page.show_overview(overview(RUNNING, IN_USE, progress=PROGRESS))
    for widget in [*page.findChildren(QAbstractButton), page.history.rows]:
        if widget.isVisible():
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, widget
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget


def test_escape_leads_back(page: PersonalizePage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.back_requested):
        qtbot.keyClick(page, Qt.Key.Key_Escape)


def test_it_takes_on_another_theme(page: PersonalizePage) -> None:
    page.show_overview(overview(RUNNING, IN_USE, REJECTED, progress=PROGRESS))
    light = page.grab().toImage()
    page.set_theme(load_theme("dark"))
    assert page.grab().toImage() != light
