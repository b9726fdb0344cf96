from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.hub import HubModel
from chatdesk.core.models import ModelHeader, ModelRole
from chatdesk.services.hub.service import Judged
from chatdesk.ui.models.hub.search import HubSearch
from chatdesk.ui.theme import Theme, load_theme
from chatdesk.ui.widgets.fields import Fold
from tests.ui.driver import texts
from tests.ui.hub_data import FITS, FOUND, GATED, REPOSITORY, TOO_LARGE

JUDGED = Judged(None, (FITS, TOO_LARGE), 0, "")


class Shown:
    """The search, and what it asked for."""

    def __init__(self, qtbot: QtBot, theme: Theme) -> None:
        self.qtbot = qtbot
        self.search = HubSearch(theme)
        self.asked: list[tuple[Any, ...]] = []
        for name in (
            "search_requested",
            "open_requested",
            "cancelled",
            "settings_requested",
            "download_requested",
        ):
            signal = getattr(self.search, name)
            signal.connect(lambda *args, name=name: self.asked.append((name, *args)))
        qtbot.addWidget(self.search)
        self.search.resize(900, 700)
        self.search.show()

    @property
    def field(self) -> QLineEdit:
        found = self.search.findChild(QLineEdit)
        assert found
        return found

    @property
    def words(self) -> str:
        return " | ".join(
            label.text()
            for label in self.search.findChildren(QWidget)
            if hasattr(label, "text") and label.isVisible()
        )

    def look_for(self, words: str) -> None:
        self.field.clear()
        self.qtbot.keyClicks(self.field, words)
        self.qtbot.keyClick(self.field, Qt.Key.Key_Return)

    def press(self, name: str, key: Qt.Key = Qt.Key.Key_Space) -> None:
        found = self.search.findChildren(QAbstractButton)
        shown = (each for each in found if each.isVisible())
        button = next(each for each in shown if name in (each.text(), each.accessibleName()))
        self.qtbot.keyClick(button, key)


@pytest.fixture
def shown(qtbot: QtBot, theme: Theme) -> Iterator[Shown]:
    yield Shown(qtbot, theme)


def test_nothing_is_sent_before_enter(shown: Shown) -> None:
    shown.qtbot.keyClicks(shown.field, "a secret")
    assert not shown.asked
    shown.qtbot.keyClick(shown.field, Qt.Key.Key_Return)
    assert shown.asked == [("search_requested", "a secret", "downloads")]


def test_blanks_are_not_looked_for(shown: Shown) -> None:
    shown.look_for("   ")
    assert not shown.asked


@pytest.mark.parametrize(
    "link",
    ["https://hub.example/maker/Good-8B-GGUF", "hub.example/maker/Good-8B-GGUF"],
)
def test_a_link_is_opened(shown: Shown, link: str) -> None:
    shown.look_for(f" {link} ")
    assert shown.asked == [("open_requested", link)]
    assert "Opening" in shown.words


@pytest.mark.parametrize("words", ["maker/Good-8B-GGUF", "qwen 8b", "chat and/or code"])
def test_words_are_looked_for(shown: Shown, words: str) -> None:
    shown.look_for(words)
    assert shown.asked == [("search_requested", words, "downloads")]


def test_waiting_can_be_ended(shown: Shown) -> None:
    shown.look_for("good")
    assert "Asking the hub for “good”…" in shown.words
    shown.press("Stop asking the hub")
    assert shown.asked[-1] == ("cancelled",)
    assert "Asking" not in shown.words
    shown.look_for("good")
    shown.field.clear()
    assert shown.asked[-1] == ("cancelled",)


def test_what_was_found(shown: Shown) -> None:
    shown.look_for("good")
    shown.search.show_models((FOUND, GATED))
    for words in ("2 REPOSITORIES FOUND", "maker/Good-8B-GGUF", "890 likes", "needs agreement"):
        assert words in shown.words
    shown.press("Open maker/Shy-4B-GGUF", Qt.Key.Key_Return)
    assert shown.asked[-1] == ("open_requested", "maker/Shy-4B-GGUF")


def test_another_order(shown: Shown) -> None:
    shown.look_for("good")
    order = shown.search.findChild(QComboBox)
    assert order
    order.setCurrentIndex(2)
    order.activated.emit(2)
    assert shown.asked[-1] == ("search_requested", "good", "lastModified")


def test_nothing_found(shown: Shown) -> None:
    shown.look_for("goood")
    shown.search.show_models(())
    assert "No GGUF model was found for “goood”." in shown.words


def test_after_a_problem_the_same_is_tried_again(shown: Shown) -> None:
    shown.look_for("good")
    shown.search.show_problem(EnvironmentProblem("It is busy.", "Wait."))
    assert "It is busy. | Wait." in shown.words
    shown.press("Try again")
    assert shown.asked == 2 * [("search_requested", "good", "downloads")]
    shown.search.show_models((FOUND,))
    shown.press("Open maker/Good-8B-GGUF")
    shown.search.show_problem(EnvironmentProblem("It is gone."))
    shown.press("Try again")
    assert shown.asked[2:] == 2 * [("open_requested", "maker/Good-8B-GGUF")]


def test_a_repository_and_the_way_back(shown: Shown) -> None:
    shown.look_for("good")
    shown.search.show_models((GATED, FOUND))
    shown.press("Open maker/Good-8B-GGUF")
    shown.search.show_repository(REPOSITORY)
    assert "Reading the header of a file" in shown.words
    shown.search.show_judged(REPOSITORY, JUDGED)
    assert "Reading the header of a file" not in shown.words
    for words in (
        "fits · about 41\u00a0tokens/s",
        "recommended",
        "5\u00a0GB",
        "15\u00a0GB",
        "2 more parts",
    ):
        assert words in shown.words
    assert "Its makers ask" not in shown.words
    shown.press("Back to the results")
    focused = QApplication.focusWidget()
    assert focused
    assert focused.accessibleName() == "Open maker/Good-8B-GGUF"
    shown.press("Close the results")
    assert not shown.field.text()
    assert "maker" not in shown.words


def test_a_download_is_asked_for(shown: Shown) -> None:
    shown.search.show_repository(REPOSITORY)
    shown.press("Download: Q4_K_M")
    assert shown.asked == [("download_requested", REPOSITORY, REPOSITORY.variants[0])]
    shown.search.mark_taken({(FOUND.repo, "Good-Q4_K_M.gguf")}, set())
    names = [each.text() for each in shown.search.findChildren(QPushButton) if each.isVisible()]
    assert "Downloading" in names and "Download" in names


def test_what_to_do_where_an_agreement_is_asked_for(shown: Shown) -> None:
    shown.search.show_repository(replace(REPOSITORY, model=GATED))
    assert "agree to its terms" in shown.words
    shown.press("Open the settings of downloads")
    assert shown.asked == [("settings_requested",)]


def test_what_models_are_for_is_said_before_they_are_fetched(shown: Shown) -> None:
    found = (HubModel("a/nomic", role=ModelRole.EMBEDDER), HubModel("a/chat", role=ModelRole.CHAT))
    shown.search.show_models(found)
    assert shown.words.count("for embeddings") == 1
    shown.search.show_repository(REPOSITORY)
    header = ModelHeader("Base", "llama", 10, "Q4_0", 10, 512, 1, 1, has_chat_template=False)
    shown.search.show_judged(REPOSITORY, Judged(header, (FITS, TOO_LARGE), 0, ""))
    assert "it continues a text rather than answering" in shown.words
    assert "recommended" in shown.words


def test_one_that_could_not_be_judged(shown: Shown) -> None:
    shown.search.show_repository(REPOSITORY)
    judged = Judged(None, (None, None), None, "The header is damaged.")
    shown.search.show_judged(REPOSITORY, judged)
    assert "The header is damaged." in shown.words
    assert "tokens/s" not in shown.words


def test_what_is_judged_late_is_left_out(shown: Shown) -> None:
    shown.search.show_repository(replace(REPOSITORY, revision="1" * 40))
    shown.search.show_judged(REPOSITORY, JUDGED)
    assert "tokens/s" not in shown.words


def test_a_repository_without_models(shown: Shown) -> None:
    empty = replace(REPOSITORY, variants=(), card="")
    shown.search.show_repository(empty)
    shown.search.show_judged(empty, Judged(None, (), None, "There is nothing."))
    assert "There is nothing." in shown.words
    assert "What its makers say" not in shown.words


def test_the_card_is_plain_text(shown: Shown) -> None:
    shown.search.show_repository(REPOSITORY)
    card, fold = shown.search.findChild(QPlainTextEdit), shown.search.findChild(Fold)
    assert card and fold
    assert not card.isVisible()
    shown.qtbot.keyClick(fold, Qt.Key.Key_Space)
    assert card.isVisible()
    assert card.toPlainText() == REPOSITORY.card


def test_hostile_names_widen_nothing_and_are_no_rich_text(shown: Shown) -> None:
    name = "<img src='file:///etc/passwd'>" * 9
    model = replace(FOUND, repo=name, license=name)
    shown.search.show_models((model,))
    shown.search.show_repository(replace(REPOSITORY, model=model))
    assert any(name in words for words in texts(shown.search.repository))
    shown.search.resize(480, 700)
    assert shown.search.width() == 480
    for label in shown.search.findChildren(QWidget):
        if name in (getattr(label, "text", str)() or ""):
            assert label.textFormat() is Qt.TextFormat.PlainText  # type: ignore[attr-defined]


def test_the_other_theme(shown: Shown) -> None:
    shown.search.show_models((FOUND,))
    shown.search.set_theme(load_theme("dark"))
    assert "maker/Good-8B-GGUF" in shown.words


@pytest.mark.parametrize("width", [380, 900])
def test_the_field_has_room_for_what_is_looked_for(shown: Shown, width: int) -> None:
    shown.search.resize(width, 700)
    shown.look_for("qwen")
    order, field = shown.search.findChild(QComboBox), shown.field
    assert order
    below = width < 400
    shown.qtbot.waitUntil(lambda: order.isVisible() and (order.y() > field.height()) is below)
    assert field.width() > width // 2


@pytest.mark.parametrize("words", ["a line", "many words in a paragraph " * 400])
def test_of_a_card_whole_lines_are_seen(shown: Shown, words: str) -> None:
    shown.search.show_repository(replace(REPOSITORY, card=f"# Title\n\n{words}\n\nAn end."))
    card, fold = shown.search.findChild(QPlainTextEdit), shown.search.findChild(Fold)
    assert card and fold
    fold.click()
    line = card.document().begin().layout().lineAt(0).height()
    inner = card.viewport().height() - 2 * card.document().documentMargin()
    long = len(words) > 1_000
    assert 0 <= inner - line * (18 if long else 5) <= 2
    assert (card.verticalScrollBar().maximum() > 0) is long
