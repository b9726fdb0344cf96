"""The page by itself, over values: rows, keys, menus, empty and narrow."""

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.model_files import KeptModel, Presence
from chatdesk.ui.models.library.model_list import AT_ONCE, ModelList, ModelListRow
from chatdesk.ui.models.page import ModelsPage
from chatdesk.ui.theme import Theme, load_theme
from tests.ui.driver import texts
from tests.ui.library_data import NOW, kept

STARTER = kept("s", "SmolLM2", is_starter=True)


@pytest.fixture
def page(qtbot: QtBot, theme: Theme) -> ModelsPage:
    page = ModelsPage(theme, QLabel("search"), QLabel("downloads"), QLabel("catalog"))
    page.resize(1016, 800)
    qtbot.addWidget(page)
    with qtbot.waitActive(page):
        page.show()
    return page


def names(page: ModelsPage) -> list[str]:
    return [row.kept.name for row in page.kept.rows]


def row_of(page: ModelsPage, model_id: str) -> ModelListRow:
    return next(row for row in page.kept.rows if row.kept.model.id == model_id)


def button(part: QWidget, name: str) -> QAbstractButton:
    found = part.findChildren(QAbstractButton)
    return next(each for each in found if name in (each.text(), each.accessibleName()))


def actions(row: ModelListRow) -> dict[str, QAction]:
    return {action.text(): action for action in row.menu().actions()}


# What it shows


def test_before_anything_is_known_it_says_that_it_looks(page: ModelsPage) -> None:
    assert "Reading the models on this computer…" in texts(page)
    page.show_kept([kept()], "")
    assert "Reading the models on this computer…" not in texts(page)


def test_without_any_model_it_says_what_to_do(page: ModelsPage) -> None:
    page.show_kept([], "")
    assert "There is no model on this computer yet" in " ".join(
        label.text() for label in page.findChildren(QLabel) if label.isVisible()
    )
    page.show_kept([kept()], "")
    assert not any("no model on this computer" in each.text() and each.isVisible()
                   for each in page.findChildren(QLabel))  # fmt: skip


def test_favourites_come_first_then_what_was_used_last(page: ModelsPage) -> None:
    models = [
        kept("a", "Never used"),
        kept("b", "Old", last_used=NOW - timedelta(days=3)),
        kept("c", "New", last_used=NOW),
        kept("d", "Favourite", favourite=True),
        kept("e", "also never used"),
    ]
    page.show_kept(models, "")
    assert names(page) == ["Favourite", "New", "Old", "also never used", "Never used"]


def test_a_row_tells_all_of_a_model(page: ModelsPage) -> None:
    page.show_kept([kept(last_used=NOW, tokens_per_s=41.0), STARTER], "q")
    row = row_of(page, "q")
    for words in ("Q4_K_M", "in use", "fits · 41\u00a0tokens/s measured", "2.5\u00a0GB"):
        assert words in texts(row)
    assert row.accessibleName() == "Qwen3 4B"
    assert row.accessibleDescription().startswith("in use; chat · 32k context · Apache-2.0")
    assert "in use" not in texts(row_of(page, "s"))
    assert button(row, "Chat: Qwen3 4B").isVisible()
    for each in row.findChildren(QAbstractButton):
        assert not each.isVisible() or each.accessibleName()


def test_words_from_a_file_are_not_markup(page: ModelsPage) -> None:
    name = "<img src='/etc/passwd'><b>X</b>"
    page.show_kept([kept(name=name, license="<i>MIT</i>")], "")
    labels = [each for each in page.kept.findChildren(QLabel) if "<" in each.text()]
    assert labels
    for label in labels:
        assert label.textFormat() is Qt.TextFormat.PlainText
    assert "<img" not in row_of(page, "q").toolTip()


@pytest.mark.parametrize("presence", [Presence.MISSING, Presence.CHANGED])
def test_a_file_that_cannot_be_used_offers_no_chat(page: ModelsPage, presence: Presence) -> None:
    page.show_kept([kept(presence=presence)], "")
    row = row_of(page, "q")
    changed = presence is Presence.CHANGED
    assert not button(row, "Chat: Qwen3 4B").isVisible()
    assert button(row, "Use as it is now: Qwen3 4B").isVisible() is changed
    assert ("Use as it is now" in actions(row)) is changed
    assert "Chat" not in actions(row)
    assert "Make smaller…" not in actions(row)
    assert {"Details…", "Rename…", "Delete…"} <= set(actions(row))


def test_the_starter_cannot_be_deleted_from_its_row(page: ModelsPage, qtbot: QtBot) -> None:
    page.show_kept([STARTER], "")
    assert "Delete…" not in actions(row_of(page, "s"))
    with qtbot.assertNotEmitted(page.kept.delete_requested):
        qtbot.keyClick(row_of(page, "s"), Qt.Key.Key_Delete)


def test_what_changes_is_shown_in_the_same_rows(page: ModelsPage) -> None:
    page.show_kept([kept("a", "A"), kept("b", "B")], "a")
    row = row_of(page, "b")
    row.setFocus()
    page.show_kept([kept("a", "A"), kept("b", "B", favourite=True), kept("c", "C")], "b")
    assert names(page) == ["B", "A", "C"]
    assert row_of(page, "b") is row
    assert row.hasFocus() and "in use" in texts(row)
    page.show_kept([kept("b", "B", title="Mine")], "b")
    assert names(page) == ["Mine"]
    assert "Mine" in texts(row_of(page, "b"))


def test_very_many_models_are_shown_in_portions(page: ModelsPage) -> None:
    page.show_kept([kept(f"{n:03}", f"M{n:03}") for n in range(AT_ONCE + 7)], "")
    assert len(page.kept.rows) == AT_ONCE
    button(page, "Show 7 more").click()
    assert len(page.kept.rows) == AT_ONCE + 7
    assert page.kept.rows[AT_ONCE].hasFocus()
    assert not any(each.text().startswith("Show ") and each.isVisible()
                   for each in page.kept.findChildren(QAbstractButton))  # fmt: skip


def test_narrow(page: ModelsPage, qtbot: QtBot) -> None:
    page.show_kept([kept(name="A long name that does not fit " * 3, tokens_per_s=41.0)], "q")
    for width in (1016, 640, 340):
        page.resize(width, 700)
        qtbot.wait(1)
        row = row_of(page, "q")
        for part in (*row.stops, row.chip, row.title):
            if part.isVisible():
                right = part.mapTo(page, part.rect().topRight()).x()
                assert right <= width, (width, part)
        assert row.title.width() > 60


def test_themes(page: ModelsPage) -> None:
    page.show_kept([kept(favourite=True), STARTER], "q")
    page.set_theme(load_theme("dark"))
    assert page.kept.rows[0].grab().toImage() != page.kept.rows[1].grab().toImage()


# What it asks for


def requests(listed: ModelList) -> dict[str, SignalInstance]:
    return {
        "Chat": listed.chat_requested,
        "Details…": listed.details_requested,
        "Add to favourites": listed.favourite_requested,
        "Rename…": listed.rename_requested,
        "Make smaller…": listed.shrink_requested,
        "Show in folder": listed.folder_requested,
        "Delete…": listed.delete_requested,
    }


def test_the_menu_asks_for_everything(page: ModelsPage, qtbot: QtBot) -> None:
    model = kept()
    page.show_kept([model], "")
    offered = actions(row_of(page, "q"))
    assert list(offered) == list(requests(page.kept))
    for words, signal in requests(page.kept).items():
        with qtbot.waitSignal(signal) as asked:
            offered[words].trigger()
        assert asked.args == [model]


@pytest.mark.parametrize(
    ("key", "modifier", "request_name"),
    [
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "Details…"),
        (Qt.Key.Key_Enter, Qt.KeyboardModifier.ControlModifier, "Chat"),
        (Qt.Key.Key_F2, Qt.KeyboardModifier.NoModifier, "Rename…"),
        (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier, "Delete…"),
    ],
)
def test_keys(
    page: ModelsPage,
    qtbot: QtBot,
    key: Qt.Key,
    modifier: Qt.KeyboardModifier,
    request_name: str,
) -> None:
    model = kept()
    page.show_kept([model], "")
    with qtbot.waitSignal(requests(page.kept)[request_name]) as asked:
        qtbot.keyClick(row_of(page, "q"), key, modifier)
    assert asked.args == [model]


def test_buttons_and_a_click_ask(page: ModelsPage, qtbot: QtBot) -> None:
    model: KeptModel = kept()
    page.show_kept([model], "")
    row = row_of(page, "q")
    with qtbot.waitSignal(page.kept.chat_requested):
        button(row, "Chat: Qwen3 4B").click()
    with qtbot.waitSignal(page.kept.favourite_requested):
        button(row, "Add to favourites: Qwen3 4B").click()
    with qtbot.waitSignal(page.kept.details_requested) as asked:
        qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert asked.args == [model]
    with qtbot.assertNotEmitted(page.kept.details_requested):
        qtbot.mouseClick(button(row, "Chat: Qwen3 4B"), Qt.MouseButton.LeftButton)


def test_tab_and_arrows_go_as_the_eye_does(page: ModelsPage, qtbot: QtBot) -> None:
    page.show_kept([kept("b", "B")], "")
    page.show_kept([kept("b", "B"), kept("a", "A")], "")  # made later, stands before it
    first, second = page.kept.rows
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert second.hasFocus()
    qtbot.keyClick(second, Qt.Key.Key_Down)
    assert second.hasFocus()
    qtbot.keyClick(second, Qt.Key.Key_Up)
    assert first.hasFocus()
    seen: list[QWidget | None] = []
    for _ in range(8):
        seen.append(QApplication.focusWidget())
        page.focusNextChild()
    stops = [stop for row in (first, second) for stop in row.stops if stop.isVisible()]
    assert seen == stops
    button(page, "Add a model file").setFocus()
    page.focusNextChild()
    assert first.hasFocus()


def test_the_page_asks(page: ModelsPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.add_requested):
        button(page, "Add a model file").click()
    with qtbot.waitSignal(page.back_requested):
        qtbot.keyClick(page, Qt.Key.Key_Escape)
    more = {each.text(): each for each in page.findChildren(QAction)}
    with qtbot.waitSignal(page.elsewhere_requested):
        more["Find models of other apps…"].trigger()
    with qtbot.waitSignal(page.duplicates_requested):
        more["Find duplicates…"].trigger()
