"""Scripts that are read from the right: each paragraph on its own side, code from the left."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from chatdesk.ui.chat.messages.answer_body import AnswerBody
from chatdesk.ui.markdown.code_card import CodeCard
from chatdesk.ui.markdown.direction import is_rtl
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.theme import Theme

WIDTH = 600
FROM_RIGHT, FROM_LEFT = Qt.LayoutDirection.RightToLeft, Qt.LayoutDirection.LeftToRight


@pytest.mark.parametrize(
    ("text", "from_right"),
    [
        ("سلام! برای نصب، دستور `pip install x` را اجرا کنید (نسخه 3.11).", True),
        ("Python یک زبان برنامه‌نویسی است.", True),  # it begins with a name
        ("`pip install something` را اجرا کنید", True),
        ("[ספר](https://example.org/a-very-long-address-of-a-book) טוב", True),
        ("שלום is the Hebrew word for hello and for peace.", True),  # it begins so
        ("The Hebrew word שלום means hello and peace.", False),
        ("3.11 🙂", False),
        ("", False),
        ("今天", False),
    ],
)
def test_the_side_of_a_paragraph(text: str, from_right: bool) -> None:
    assert is_rtl(text) is from_right


def shown(qtbot: QtBot, theme: Theme, text: str) -> AnswerBody:
    body = AnswerBody(theme)
    qtbot.addWidget(body)
    body.set_text(text)
    body.flush(1e9)
    body.resize(WIDTH, body.relayout(WIDTH))
    return body


def sides(document: QTextDocument) -> list[Qt.LayoutDirection]:
    blocks = (document.findBlockByNumber(n) for n in range(document.blockCount()))
    return [block.textDirection() for block in blocks]


def test_each_paragraph_has_its_own_side(qtbot: QtBot, theme: Theme) -> None:
    body = shown(qtbot, theme, "Python یک زبان است.\n\n- פריט\n- item\n\n> ציטוט\n\nAn end.")
    (prose,) = body.segments
    assert isinstance(prose, ProseView)
    assert sides(prose.document()) == [FROM_RIGHT, FROM_RIGHT, FROM_LEFT, FROM_RIGHT, FROM_LEFT]


def test_code_is_read_from_the_left_whatever_its_comments_are(qtbot: QtBot, theme: Theme) -> None:
    code = "# سلام\nprint(1)\n# שלום"
    body = shown(qtbot, theme, f"```python\n{code}\n```")
    (card,) = body.segments
    assert isinstance(card, CodeCard)
    assert set(sides(card.document)) == {FROM_LEFT}
    body = shown(qtbot, theme, f"> ```\n> {code.splitlines()[0]}\n> ```")
    (prose,) = body.segments
    assert isinstance(prose, ProseView)
    assert set(sides(prose.document())) == {FROM_LEFT}


def test_the_ground_of_code_is_behind_it_beside_the_other_direction(
    qtbot: QtBot, theme: Theme
) -> None:
    body = shown(qtbot, theme, "פריט ראשון `code`")
    alone = shown(qtbot, theme, "One `code`")
    grounds = [ground_width(each, theme) for each in (body, alone)]
    assert grounds[0] == pytest.approx(grounds[1], abs=1)


def ground_width(body: AnswerBody, theme: Theme) -> int:
    """The pixels between the ends of the ground, where it is widest."""
    image = body.grab().toImage()
    columns = range(image.width())
    ground = theme.code.lower()
    rows = (
        [x for x in columns if image.pixelColor(x, y).name() == ground]
        for y in range(image.height())
    )
    return max(max(row) - min(row) + 1 for row in rows if row)
