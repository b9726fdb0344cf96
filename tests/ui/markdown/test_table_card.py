from time import perf_counter

import pytest
from PySide6.QtGui import QTextTable
from pytestqt.qtbot import QtBot

from chatdesk.ui.chat.messages.answer_body import AnswerBody
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.markdown.table_card import TableCard
from chatdesk.ui.theme import Theme

WIDTH = 760
WIDE = "| " + " | ".join(f"Column number {n}" for n in range(14)) + " |\n|" + "---|" * 14 + "\n"
WIDE += ("| " + " | ".join(f"some words {n}" for n in range(14)) + " |\n") * 3


@pytest.fixture
def body(qtbot: QtBot, theme: Theme) -> AnswerBody:
    made = AnswerBody(theme)
    qtbot.addWidget(made)
    made.resize(WIDTH, 10)
    return made


def shown(qtbot: QtBot, body: AnswerBody, text: str) -> TableCard:
    body.set_text(text)
    body.flush(1e9)
    body.relayout(WIDTH)
    with qtbot.waitExposed(body):
        body.show()
    return next(each for each in body.segments if isinstance(each, TableCard))


def parts(card: TableCard) -> list[QTextTable]:
    frames = card.text.document().rootFrame().childFrames()
    return [frame for frame in frames if isinstance(frame, QTextTable)]


def rows(card: TableCard) -> list[str]:
    return [
        "|".join(
            table.cellAt(row, column).firstCursorPosition().block().text()
            for column in range(table.columns())
        )
        for table in parts(card)
        for row in range(table.rows())
    ]


def test_a_wide_table_scrolls_sideways_and_breaks_no_word(qtbot: QtBot, body: AnswerBody) -> None:
    card = shown(qtbot, body, f"Above\n\n{WIDE}\nBelow")
    bar = card.text.horizontalScrollBar()
    assert bar.maximum() > 100
    assert card.sideways is not None and card.sideways.isVisible()
    card.sideways.setValue(50)
    assert bar.value() == 50
    block = card.text.document().begin()
    while block.isValid():
        layout = block.layout()
        lines = [layout.lineAt(at) for at in range(layout.lineCount())]
        for line in lines[1:]:
            assert block.text()[line.textStart() - 1] == " "
        block = block.next()


def test_the_paragraph_below_a_wide_table_stays_in_its_place(
    qtbot: QtBot, body: AnswerBody
) -> None:
    card = shown(qtbot, body, f"{WIDE}\nBelow")
    below = body.segments[-1]
    assert isinstance(below, ProseView)
    assert below.horizontalScrollBar().maximum() == 0
    assert below.y() > card.geometry().bottom()


def test_a_narrow_table_takes_all_of_the_width_and_does_not_scroll(
    qtbot: QtBot, body: AnswerBody
) -> None:
    card = shown(qtbot, body, "| a | b |\n|---|---|\n| 1 | 2 |")
    assert card.sideways is None
    assert sum(length.rawValue() for length in widths(card)[0]) == WIDTH


def widths(card: TableCard) -> list[list]:  # type: ignore[type-arg]
    return [table.format().columnWidthConstraints() for table in parts(card)]


def long_table(count: int) -> str:
    return "| name | value |\n|---|---|\n" + "".join(f"| row {n} | {n} |\n" for n in range(count))


def test_a_long_table_has_one_head_and_the_same_columns(qtbot: QtBot, body: AnswerBody) -> None:
    last = "| the last row with a word thatislongerthananyother | 1 |\n"
    card = shown(qtbot, body, long_table(400) + last)
    assert len(parts(card)) > 1
    assert len(body.segments) == 1
    found = rows(card)
    assert found[:2] == ["name|value", "row 0|0"]
    assert found.count("name|value") == 1
    assert len(found) == 402
    first, *others = [[length.rawValue() for length in each] for each in widths(card)]
    assert all(each == first for each in others)


def test_a_long_table_that_is_streamed_ends_as_if_shown_at_once(
    qtbot: QtBot, theme: Theme, body: AnswerBody
) -> None:
    text = long_table(150)
    whole = rows(shown(qtbot, body, text))
    streamed = AnswerBody(theme)
    qtbot.addWidget(streamed)
    streamed.resize(WIDTH, 10)
    for at in range(0, len(text), 37):
        streamed.append_text(text[at : at + 37])
        streamed.flush(1e9)
        streamed.relayout(WIDTH)
    streamed.finish()
    streamed.flush(1e9)
    card = streamed.segments[0]
    assert isinstance(card, TableCard)
    assert rows(card) == whole
    assert streamed.relayout(WIDTH) == body.relayout(WIDTH)


def test_a_table_of_5000_rows_comes_in_short_steps(qtbot: QtBot, body: AnswerBody) -> None:
    body.set_text(long_table(5_000))
    slowest = 0.0
    while body.unfinished:
        begun = perf_counter()
        body.flush(0.006)
        body.relayout(WIDTH)
        slowest = max(slowest, perf_counter() - begun)
    card = body.segments[0]
    assert isinstance(card, TableCard)
    assert len(rows(card)) == 5_001
    assert slowest < 0.5


def test_a_table_in_a_right_to_left_script_begins_at_the_right(
    qtbot: QtBot, body: AnswerBody
) -> None:
    card = shown(qtbot, body, "| اسم | قيمة |\n|---|---|\n| واحد | 1 |")
    assert rows(card) == ["قيمة|اسم", "1|واحد"]


@pytest.mark.usefixtures("large_text")
def test_columns_are_as_wide_as_larger_text_needs(qtbot: QtBot, body: AnswerBody) -> None:
    card = shown(qtbot, body, WIDE)
    (table,) = parts(card)
    heads = [table.cellAt(0, column).firstCursorPosition().block() for column in range(14)]
    assert [block.layout().lineCount() for block in heads] == [1] * 14
