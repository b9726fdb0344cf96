import pytest
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QTextBlock, QTextDocument
from pytestqt.qtbot import QtBot

from chatdesk.ui.markdown.document_writer import MARKER_GAP
from chatdesk.ui.markdown.inline_writer import CHIP_PADDING
from chatdesk.ui.markdown.parser import parse
from chatdesk.ui.markdown.properties import MARKER
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.markdown.splitter import Prose
from chatdesk.ui.theme import Theme, text_font

WIDTH = 600


def written(qtbot: QtBot, theme: Theme, text: str) -> ProseView:
    view = ProseView(theme)
    qtbot.addWidget(view)
    view.append(parse(Prose(text), {}))
    view.resize(WIDTH, view.height_for(WIDTH))
    with qtbot.waitExposed(view):
        view.show()
    return view


def blocks(document: QTextDocument) -> list[QTextBlock]:
    found, block = [], document.begin()
    while block.isValid():
        found.append(block)
        block = block.next()
    return found


def test_bullets_differ_by_depth(qtbot: QtBot, theme: Theme) -> None:
    view = written(qtbot, theme, "- a\n  - b\n    - c\n      - d")
    markers = [each.blockFormat().stringProperty(MARKER) for each in blocks(view.document())]
    assert markers == ["•", "–", "·", "·"]


@pytest.mark.parametrize("text", ["- word", "7. word", "1000. word"])
def test_a_marker_ends_8_pixels_before_the_words(qtbot: QtBot, theme: Theme, text: str) -> None:
    view = written(qtbot, theme, text)
    block = view.document().firstBlock()
    words = int(block.layout().position().x() + block.layout().lineAt(0).x())
    picture = view.grab().toImage()
    inked = [
        x
        for x in range(words)
        if any(picture.pixelColor(x, y).alpha() > 20 for y in range(picture.height()))
    ]
    assert MARKER_GAP <= words - max(inked) <= MARKER_GAP + 3  # the air at a letter's side
    marker = block.blockFormat().stringProperty(MARKER)
    assert max(inked) - min(inked) <= QFontMetricsF(text_font()).horizontalAdvance(marker) + 1
    assert min(inked) > 0  # nothing is cut at the left


def test_bold_letters_of_chinese_fonts_are_bold(qtbot: QtBot, theme: Theme) -> None:
    """Those have one weight, of which Qt makes a bold one, but nothing between."""
    view = written(qtbot, theme, "**先关火。** 再 **then** go")
    weights = {}
    parts = view.document().firstBlock().begin()
    while not parts.atEnd():
        weights[parts.fragment().text().strip()] = parts.fragment().charFormat().fontWeight()
        parts += 1
    assert weights["先关火。"] == QFont.Weight.Bold
    assert weights["then"] == QFont.Weight.DemiBold
    assert weights["再"] == weights["go"] == QFont.Weight.Normal


def test_headings_of_all_levels_differ_and_have_room(qtbot: QtBot, theme: Theme) -> None:
    text = "Before\n\n" + "\n\n".join(f"{'#' * level} Title\n\nText" for level in range(1, 7))
    view = written(qtbot, theme, text)
    _, *rest = blocks(view.document())
    looks, below = [], []
    for heading, text_below in zip(rest[::2], rest[1::2], strict=True):
        form = heading.begin().fragment().charFormat()
        looks.append((form.font().pointSizeF(), form.foreground().color().name()))
        assert heading.blockFormat().topMargin() >= 16
        below.append(text_below.blockFormat().topMargin())
    assert len(set(looks)) == 6
    assert [size for size, _ in looks] == sorted((size for size, _ in looks), reverse=True)
    assert below == [8] * 6


def test_the_bar_of_a_quote_stands_where_its_lines_begin(qtbot: QtBot, theme: Theme) -> None:
    for text, left, right in (("> quote", True, False), ("> اقتباس", False, True)):
        picture = written(qtbot, theme, text).grab().toImage()
        middle = picture.height() // 2
        line = QColor(theme.line)
        assert (picture.pixelColor(1, middle) == line) is left
        assert (picture.pixelColor(WIDTH - 2, middle) == line) is right


@pytest.mark.parametrize(
    "text", ["a `code` here", "- one\n  - with `code` in it", "> a quote with `code`\n> in it"]
)
def test_the_ground_of_inline_code_is_behind_it(qtbot: QtBot, theme: Theme, text: str) -> None:
    view = written(qtbot, theme, text)
    picture, ground = view.grab().toImage(), QColor(theme.code)
    places = [
        (x, y)
        for x in range(picture.width())
        for y in range(picture.height())
        if picture.pixelColor(x, y) == ground
    ]
    start = view.document().find("code")
    end = start.selectionEnd()
    start.setPosition(start.selectionStart())
    code = view.cursorRect(start)
    start.setPosition(end)
    assert code.left() - CHIP_PADDING <= min(x for x, _ in places) <= code.left()
    last = view.cursorRect(start).left()
    assert last - CHIP_PADDING - 1 <= max(x for x, _ in places) <= last + 1
    middle = (min(y for _, y in places) + max(y for _, y in places)) / 2
    assert abs(middle - code.center().y()) <= 3


@pytest.mark.usefixtures("large_text")
@pytest.mark.parametrize("text", ["- [ ] a task", "- [x] a task", "10. an item"])
def test_what_stands_before_an_item_is_whole_in_larger_text(
    qtbot: QtBot, theme: Theme, text: str
) -> None:
    view = written(qtbot, theme, text)
    picture = view.grab().toImage()
    ground = picture.pixelColor(picture.width() - 1, 0)
    inked = [y for y in range(picture.height()) if picture.pixelColor(0, y) != ground]
    assert not inked  # nothing is cut at the left edge
