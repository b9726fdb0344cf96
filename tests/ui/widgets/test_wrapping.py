"""What stands beside each other where there is room, and below each other where not."""

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.wrapping import Columns, Flow

WIDE, NARROW = 900, 300
WORDS = "A name of quite some words, more than have room in a narrow line"


def button(words: str) -> QPushButton:
    made = QPushButton(words)
    made.setFixedSize(120, 30)
    return made


def shown(qtbot: QtBot, part: QWidget, width: int) -> QWidget:
    """The window around it, that wide, and no higher than it must be."""
    whole = QWidget()
    qtbot.addWidget(whole)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(part)
    column.addStretch(1)
    whole.resize(width, 500)
    whole.show()
    return whole


def edges(*parts: QWidget) -> list[tuple[int, int]]:
    return [(each.x(), each.y()) for each in parts]


def test_a_row_goes_on_in_the_next_line(qtbot: QtBot, theme: Theme) -> None:
    row, (one, two, three) = Flow(10, 5), map(button, "123")
    for each in (one, two, three):
        row.add(each)
    whole = shown(qtbot, row, WIDE)
    assert (edges(one, two, three), row.height()) == ([(0, 0), (130, 0), (260, 0)], 30)
    whole.resize(NARROW, 500)
    assert (edges(one, two, three), row.height()) == ([(0, 0), (130, 0), (0, 35)], 65)
    one.hide()
    qtbot.waitUntil(lambda: edges(two, three) == [(0, 0), (130, 0)])
    qtbot.waitUntil(lambda: row.height() == 30)


def test_the_right_ones_stay_together(qtbot: QtBot, theme: Theme) -> None:
    row, (left, no, yes) = Flow(10, 5), map(button, "123")
    row.add(left)
    row.add(no, right=True)
    row.add(yes, right=True)
    whole = shown(qtbot, row, WIDE)
    assert edges(left, no, yes) == [(0, 0), (650, 0), (780, 0)]
    whole.resize(NARROW, 500)
    assert edges(left, no, yes) == [(0, 0), (50, 35), (180, 35)]


def test_what_grows_takes_what_is_left_or_a_line_of_its_own(qtbot: QtBot, theme: Theme) -> None:
    row, words, act = Flow(10), QLabel(WORDS), button("Do it")
    words.setWordWrap(True)
    row.add(words, grows=True)
    row.add(act)
    whole = shown(qtbot, row, WIDE)
    assert (words.width(), act.x()) == (WIDE - 130, WIDE - 120)
    whole.resize(200, 500)
    assert words.width() == 200
    assert act.x() == 0
    assert act.y() > words.height() > words.fontMetrics().height()


@pytest.mark.parametrize(("width", "columns"), [(WIDE, 4), (600, 2), (NARROW, 1)])
def test_columns_are_as_many_as_there_is_room_for(
    qtbot: QtBot, theme: Theme, width: int, columns: int
) -> None:
    beside = Columns(180, 10)
    parts = [QLabel(WORDS) for _ in range(4)]
    for each in parts:
        each.setWordWrap(True)
        beside.add(each)
    whole = shown(qtbot, beside, width)
    assert whole.width() == width
    assert len({each.x() for each in parts}) == columns
    assert len({each.width() for each in parts}) == 1
    assert beside.height() == parts[-1].geometry().bottom() + 1
    assert all(each.height() >= each.heightForWidth(each.width()) for each in parts)
