import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QTextLayout
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from chatdesk.ui.markdown.code_card import FOLD_LINES, CodeCard
from chatdesk.ui.markdown.code_head import HEAD_HEIGHT
from chatdesk.ui.markdown.fold_button import FOLD_HEIGHT
from chatdesk.ui.theme import Theme, code_font

WIDTH = 700


def card_of(
    qtbot: QtBot, theme: Theme, code: str, language: str = "", *, folded: bool = True
) -> CodeCard:
    card = CodeCard(language, theme, folded=folded)
    qtbot.addWidget(card)
    card.append(code)
    card.close_code()
    card.resize(WIDTH, card.height_for(WIDTH))
    with qtbot.waitExposed(card):
        card.show()
    return card


def glyphs(text: str) -> int:
    layout = QTextLayout(text, code_font())
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    return len({glyph for run in layout.glyphRuns() for glyph in run.glyphIndexes()})


@pytest.mark.parametrize("code", ["-->", "</div>", "//", "->", "!=", "==="])
def test_code_has_no_ligatures(theme: Theme, code: str) -> None:
    assert glyphs(code) == len(set(code))
    layout = [glyphs(letter) for letter in set(code)]
    assert sum(layout) == len(set(code))


def test_a_comment_at_the_end_of_a_shell_line_is_one(qtbot: QtBot, theme: Theme) -> None:
    code = "sudo rm -rf / # do not"
    card = card_of(qtbot, theme, code + "\n", "bash")
    block = card.document.firstBlock()
    qtbot.waitUntil(lambda: bool(block.layout().formats()), timeout=10_000)
    last = block.layout().formats()[-1]
    assert (last.start, last.start + last.length) == (code.index("#"), len(code))
    assert last.format.foreground().color().name() == theme.code_comment.lower()


def test_code_of_up_to_40_lines_is_not_folded(qtbot: QtBot, theme: Theme) -> None:
    assert card_of(qtbot, theme, "a\n" * FOLD_LINES).fold_button is None


def test_longer_code_is_folded_and_unfolded(qtbot: QtBot, theme: Theme) -> None:
    short = card_of(qtbot, theme, "a\n" * FOLD_LINES).height()
    card = card_of(qtbot, theme, "a\n" * 300)
    button = card.fold_button
    assert button is not None
    assert card.is_folded
    assert button.text() == button.accessibleName() == "Show all 300 lines"
    assert abs(card.height() - FOLD_HEIGHT - short) <= 1
    with qtbot.waitSignal(card.folded, check_params_cb=lambda folded: not folded):
        QTest.keyClick(button, Qt.Key.Key_Space)
    assert card.height_for(WIDTH) > 5 * short
    assert button.text() == "Show fewer lines"
    with qtbot.waitSignal(card.folded, check_params_cb=bool):
        button.click()
    assert card.height_for(WIDTH) == card.height()


def test_the_whole_of_folded_code_is_copied(qtbot: QtBot, theme: Theme) -> None:
    card = card_of(qtbot, theme, "".join(f"{n}\n" for n in range(100)))
    card.head.copy_button.click()
    assert QGuiApplication.clipboard().text().splitlines()[-1] == "99"


def test_the_head_and_the_bar_of_long_code_stay_in_sight(qtbot: QtBot, theme: Theme) -> None:
    card = card_of(qtbot, theme, ("a" * 300 + "\n") * 200, folded=False)
    assert card.sideways is not None and card.sideways.isVisible()
    assert card.head.y() == 0
    card.keep_in_sight(1_000, 1_600)
    assert card.head.y() == 1_000
    assert card.head.copy_button.isVisible()
    assert card.sideways.geometry().bottom() == 1_599
    card.keep_in_sight(card.height() - 50, card.height() + 500)
    assert card.head.geometry().bottom() < card.height() - HEAD_HEIGHT
    assert card.fold_button is not None
    assert card.sideways.geometry().bottom() < card.fold_button.y()
    card.sideways.setFocus()
    QTest.keyClick(card.sideways, Qt.Key.Key_Right)
    assert card.sideways.value() > 0


def test_nothing_of_what_is_folded_is_seen(qtbot: QtBot, theme: Theme) -> None:
    card = card_of(qtbot, theme, ("M" * 60 + "\n") * 90)
    picture = card.grab().toImage()
    button = card.fold_button
    assert button is not None
    for y in (picture.height() - 1, picture.height() - 2, button.y() + 1):
        row = {picture.pixelColor(x, y).name() for x in range(WIDTH // 2, WIDTH - 30)}
        assert len(row) == 1, y
