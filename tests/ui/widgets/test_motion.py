from collections.abc import Iterator

import pytest
from PySide6.QtCore import QAbstractAnimation, QPoint, QTimer
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.reduced_motion import VARIABLE
from chatdesk.ui.widgets.motion import (
    DURATION_MS,
    dissolve,
    fade_in,
    fade_out,
    is_moving,
    move,
    slide,
)


@pytest.fixture
def card(qtbot: QtBot, theme: object) -> Iterator[QWidget]:
    """A widget in a window that is shown."""
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(300, 200)
    card = QLabel("words", window)
    card.setGeometry(0, 0, 80, 40)
    with qtbot.waitExposed(window):
        window.show()
    yield card


@pytest.fixture
def moving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0")


def leftovers(widget: QWidget) -> list[object]:
    """What a movement could leave in a window: timers, animations, pictures, effects."""
    window = widget.window()
    found: list[object] = [*window.findChildren(QTimer), *window.findChildren(QAbstractAnimation)]
    children = [child for child in window.findChildren(QWidget) if child is not widget]
    return found + list(children) + ([effect] if (effect := widget.graphicsEffect()) else [])


@pytest.mark.usefixtures("moving")
def test_a_slide_takes_its_time_and_leaves_nothing(qtbot: QtBot, card: QWidget) -> None:
    seen: list[int] = []
    done: list[bool] = []
    slide(card, QPoint(100, 0), lambda: done.append(True))
    assert is_moving(card)
    assert card.x() < 100
    while not done:
        seen.append(card.x())
        qtbot.wait(5)
    assert card.pos() == QPoint(100, 0)
    assert any(0 < x < 100 for x in seen)
    assert seen == sorted(seen)
    qtbot.waitUntil(lambda: not leftovers(card))
    assert DURATION_MS <= 120


@pytest.mark.usefixtures("moving")
def test_a_fade_that_is_turned_round_hides_nothing(qtbot: QtBot, card: QWidget) -> None:
    hidden: list[bool] = []
    fade_out(card, lambda: hidden.append(True))
    fade_in(card)
    qtbot.waitUntil(lambda: not is_moving(card))
    assert card.isVisible()
    assert not hidden
    fade_out(card)
    qtbot.waitUntil(card.isHidden)
    qtbot.waitUntil(lambda: not leftovers(card))


@pytest.mark.usefixtures("moving")
def test_what_was_there_dissolves_over_what_is(qtbot: QtBot, card: QWidget) -> None:
    window = card.window()
    before = window.grab().toImage()

    def change() -> None:
        card.setStyleSheet("background: black")

    dissolve(window, change)
    assert window.grab().toImage() == before  # the first picture of the movement
    qtbot.waitUntil(lambda: not leftovers(card))
    assert window.grab().toImage().pixelColor(60, 20).name() == "#000000"


def test_with_reduced_motion_all_is_done_at_once(card: QWidget) -> None:
    done: list[str] = []
    slide(card, QPoint(100, 0), lambda: done.append("slide"))
    assert card.x() == 100
    fade_out(card, lambda: done.append("fade"))
    assert card.isHidden()
    fade_in(card)
    assert card.isVisible()
    move(card, lambda share: done.append(f"{share}"))
    dissolve(card, lambda: done.append("change"))
    assert done == ["slide", "fade", "1.0", "change"]
    assert not leftovers(card)


@pytest.mark.usefixtures("moving")
def test_what_is_not_seen_does_not_move(card: QWidget) -> None:
    card.window().hide()
    slide(card, QPoint(100, 0))
    assert card.x() == 100
    assert not leftovers(card)
