from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.ui.models.hub.catalog_list import CatalogList
from chatdesk.ui.theme import Theme
from tests.ui.driver import texts
from tests.ui.hub_data import FITS, SLOW, TOO_LARGE, entry

QUICK = entry("Quick", "small")
BIG, GOOD, CODER = entry("Big", "chat"), entry("Good", "chat", "chinese"), entry("Coder", "code")


@pytest.fixture
def shown(qtbot: QtBot, theme: Theme) -> CatalogList:
    shown = CatalogList()
    shown.resize(900, 500)
    qtbot.addWidget(shown)
    shown.show_entries(((BIG, TOO_LARGE), (CODER, SLOW), (QUICK, FITS), (GOOD, FITS)), GOOD)
    shown.show()
    return shown


def button(shown: CatalogList, name: str) -> QPushButton:
    found = shown.findChildren(QPushButton)
    # The newest: one that it took the place of is deleted a little later.
    return [each for each in found if name in (each.text(), each.accessibleName())][-1]


def names(shown: CatalogList) -> list[str]:
    return [row.accessibleName() for row in shown.rows]


def test_what_is_too_large_comes_last_and_says_why(shown: CatalogList, qtbot: QtBot) -> None:
    assert names(shown) == ["Good", "Quick", "Coder", "Big"]
    assert "needs 43\u00a0GB of memory" in texts(shown)
    assert "too large for this computer" in texts(shown)
    assert not any("8,192 tokens" in words for words in texts(shown))
    qtbot.keyClick(button(shown, "Why?: Big"), Qt.Key.Key_Space)
    assert any("8,192 tokens" in words for words in texts(shown))


def test_only_the_best_is_stressed(shown: CatalogList) -> None:
    assert button(shown, "Download: Good").property("class") == "primary"
    assert button(shown, "Download: Coder").property("class") != "primary"
    assert texts(shown).count("recommended") == 1


def test_the_largest_of_what_is_quick_comes_first(shown: CatalogList) -> None:
    large = replace(entry("Large"), bytes=9_000_000_000)
    huge = replace(entry("Huge"), bytes=99_000_000_000)
    shown.show_entries(
        ((huge, TOO_LARGE), (BIG, TOO_LARGE), (large, SLOW), (CODER, SLOW), (GOOD, FITS))
    )
    assert names(shown) == ["Good", "Coder", "Large", "Big", "Huge"]
    shown.show_entries(((GOOD, FITS), (large, FITS)))
    assert names(shown) == ["Large", "Good"]


def test_a_long_list_is_cut_until_all_is_asked_for(shown: CatalogList, qtbot: QtBot) -> None:
    many = tuple((entry(f"M{n}", "chat"), FITS) for n in range(9))
    shown.show_entries(many)  # all as large: as they are given
    assert names(shown) == ["M0", "M1", "M2", "M3", "M4", "M5"]
    more = button(shown, "Show all 9")
    qtbot.keyClick(more, Qt.Key.Key_Space)
    assert len(names(shown)) == 9 and not more.isVisible()
    focused = shown.focusWidget()
    assert focused and focused.accessibleName() == "Download: M6"


def test_what_is_known_of_a_model(shown: CatalogList) -> None:
    words = texts(shown)
    for part in ("fits · about 41\u00a0tokens/s", "2.5\u00a0GB", "Q4_K_M"):
        assert part in words
    assert "chat, Chinese · Apache-2.0 · A good all-rounder." in words


def test_a_purpose_filters(shown: CatalogList, qtbot: QtBot) -> None:
    button(shown, "Show models for: Chinese").click()
    assert names(shown) == ["Good"]
    shown.show_entries(((CODER, FITS),))  # the purpose is not there any more
    assert names(shown) == ["Coder"]
    assert button(shown, "Show models for: all").isChecked()
    button(shown, "Show models for: code").click()
    button(shown, "Show models for: all").click()
    assert names(shown) == ["Coder"]


def test_a_download_is_asked_for(shown: CatalogList, qtbot: QtBot) -> None:
    with qtbot.waitSignal(shown.download_requested) as asked:
        qtbot.keyClick(button(shown, "Download: Good"), Qt.Key.Key_Space)
    assert asked.args == [GOOD]


def test_what_is_there_or_on_its_way_is_not_offered(shown: CatalogList) -> None:
    shown.mark_asking(CODER)
    assert not button(shown, "Asking…: Coder").isEnabled()
    shown.mark_taken({(CODER.repo, CODER.file)}, {(GOOD.repo, GOOD.file)})
    assert not button(shown, "Downloading: Coder").isEnabled()
    assert not button(shown, "Already here: Good").isEnabled()
    button(shown, "Show models for: code").click()
    assert not button(shown, "Downloading: Coder").isEnabled()
    shown.mark_taken((), ())
    assert button(shown, "Download: Coder").isEnabled()


def test_the_focus_stays_in_the_row_whose_download_was_asked_for(shown: CatalogList) -> None:
    asked = next(row for row in shown.rows if row.entry == CODER)
    asked.button.setFocus()
    shown.mark_asking(CODER)
    assert shown.focusWidget() is asked  # and not the next row's button: Enter would fetch that
    shown.mark_taken((), ())  # there is no network
    assert shown.focusWidget() is asked.button
    shown.show_entries(((GOOD, SLOW), (CODER, SLOW)))  # the computer was measured meanwhile
    focused = shown.focusWidget()
    assert focused and focused.accessibleName() == "Download: Coder"


def test_a_newer_list_is_looked_for_on_request(shown: CatalogList, qtbot: QtBot) -> None:
    newer = button(shown, "Look for a newer list")
    with qtbot.waitSignal(shown.newer_requested):
        qtbot.keyClick(newer, Qt.Key.Key_Space)
    shown.show_looking()
    assert not newer.isEnabled()
    shown.show_looked("This is the newest list.")
    assert newer.isEnabled()
    assert "This is the newest list." in texts(shown)
