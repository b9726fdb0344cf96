import random

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from chatdesk.ui.chat.messages.answer_body import AnswerBody
from chatdesk.ui.chat.messages.thinking_fold import ThinkingFold
from chatdesk.ui.markdown.addresses import safe_link
from chatdesk.ui.markdown.code_card import CodeCard
from chatdesk.ui.markdown.properties import INLINE_CODE, MARKER
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.markdown.table_card import TableCard
from chatdesk.ui.theme import Theme
from tests.ui.corpus import ANSWER

WIDTH = 700
FOREVER = 1e9


@pytest.fixture
def body(qtbot: QtBot, theme: Theme) -> AnswerBody:
    return new_body(qtbot, theme)


def new_body(qtbot: QtBot, theme: Theme) -> AnswerBody:
    made = AnswerBody(theme)
    qtbot.addWidget(made)
    made.resize(WIDTH, 10)
    return made


def show(body: AnswerBody, text: str) -> None:
    body.set_text(text)
    body.flush(FOREVER)
    body.relayout(WIDTH)


def prose(body: AnswerBody) -> str:
    return "\n".join(s.toPlainText() for s in body.segments if isinstance(s, ProseView))


def described(body: AnswerBody) -> list[object]:
    """Everything that is shown: kinds, text, formats and heights."""
    shown: list[object] = []
    for segment in body.segments:
        if isinstance(segment, CodeCard):
            shown.append((segment.language, segment.code, segment.text))
        elif isinstance(segment, ThinkingFold):
            shown.append((segment.text, segment.expanded))
        else:
            text = segment.text if isinstance(segment, TableCard) else segment
            shown.append(segment.height_for(WIDTH))
            shown.append(text.toHtml())
    return shown


@pytest.mark.parametrize("longest", [1, 5, 40, 400])
def test_streaming_ends_as_if_shown_at_once(qtbot: QtBot, theme: Theme, longest: int) -> None:
    whole = new_body(qtbot, theme)
    show(whole, ANSWER)
    streamed = new_body(qtbot, theme)
    chance = random.Random(longest)
    at = 0
    while at < len(ANSWER):
        size = chance.randint(1, longest)
        streamed.append_text(ANSWER[at : at + size])
        streamed.flush(FOREVER)
        streamed.relayout(WIDTH)
        at += size
    streamed.finish()
    streamed.flush(FOREVER)
    assert streamed.needs_definitions
    streamed.set_text(ANSWER)
    streamed.flush(FOREVER)
    assert described(streamed) == described(whole)


@pytest.mark.parametrize("seed", range(4))
def test_streaming_without_late_definitions_needs_no_second_pass(
    qtbot: QtBot, theme: Theme, seed: int
) -> None:
    text = ANSWER.replace("[^1]", "").replace("[ref]: ", "").replace("[ref]", "")
    whole = new_body(qtbot, theme)
    show(whole, text)
    streamed = new_body(qtbot, theme)
    chance = random.Random(seed)
    at = 0
    while at < len(text):
        size = chance.randint(1, 30)
        streamed.append_text(text[at : at + size])
        streamed.flush(FOREVER)
        at += size
    streamed.finish()
    streamed.flush(FOREVER)
    assert not streamed.needs_definitions
    assert described(streamed) == described(whole)


def test_a_small_budget_shows_the_rest_later(body: AnswerBody) -> None:
    body.set_text(ANSWER)
    body.flush(0)
    assert "The note." not in prose(body)
    for _ in range(1_000):
        body.flush(0.001)
    assert not body.unfinished
    assert "The note." in prose(body)


def test_html_is_text_and_images_are_not_fetched(body: AnswerBody) -> None:
    show(body, 'A <b onclick="x">b</b> ![cat](https://example.org/c.png) <img src="file:///a">')
    text = prose(body)
    assert '<b onclick="x">b</b>' in text
    assert "[image: cat]" in text
    view = body.segments[0]
    assert isinstance(view, ProseView)
    assert not any(f.format.isImageFormat() for f in view.document().firstBlock().textFormats())


def test_lists_keep_their_numbers_and_nesting(body: AnswerBody) -> None:
    show(body, "3. three\n4. four\n   - inner\n5. five")
    view = body.segments[0]
    assert isinstance(view, ProseView)
    block = view.document().firstBlock()
    marks = []
    while block.isValid():
        list_ = block.textList()
        marks.append((block.blockFormat().stringProperty(MARKER), list_.format().indent()))
        block = block.next()
    assert marks == [("3.", 1), ("4.", 1), ("–", 2), ("5.", 1)]


def test_a_list_cut_in_two_numbers_on(body: AnswerBody) -> None:
    show(body, "".join(f"{n}. item number {n} with some words\n" for n in range(1, 200)))
    view = body.segments[0]
    assert isinstance(view, ProseView)
    last = view.document().lastBlock()
    assert last.blockFormat().stringProperty(MARKER) == "199."
    assert last.textList().itemText(last) == "199."  # for who copies it


def test_a_table_is_a_table(body: AnswerBody) -> None:
    show(body, "| a | b |\n|---|---|\n| 1 | 2 |\n\nafter")
    card, after = body.segments
    assert isinstance(card, TableCard)
    table = QTextCursor(card.text.document().findBlock(2)).currentTable()
    assert (table.rows(), table.columns()) == (2, 2)
    assert isinstance(after, ProseView)
    assert after.toPlainText() == "after"


def test_inline_code_is_marked_for_its_ground(body: AnswerBody) -> None:
    show(body, "a `b` c")
    view = body.segments[0]
    assert isinstance(view, ProseView)
    marked = [
        f for f in view.document().firstBlock().textFormats() if f.format.hasProperty(INLINE_CODE)
    ]
    assert sum(f.length for f in marked) == 1


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("https://example.org", True),
        ("HTTP://example.org", True),
        ("mailto:a@example.org", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("data:text/html,x", False),
        ("relative/path", False),
    ],
)
def test_only_web_and_mail_links_are_safe(target: str, safe: bool) -> None:
    assert bool(safe_link(target)) is safe


def test_links_show_their_target(body: AnswerBody) -> None:
    show(body, "[innocent](https://example.org/elsewhere)")
    view = body.segments[0]
    assert isinstance(view, ProseView)
    view.highlighted.emit(QUrl("https://example.org/elsewhere"))
    assert view.toolTip() == "https://example.org/elsewhere"
    assert body.controls == [view]  # the arrow keys reach it


def test_a_link_that_is_reached_by_the_keyboard_says_where_it_leads(
    qtbot: QtBot, body: AnswerBody
) -> None:
    show(body, "[bank.com](https://xn--80ak6aa92e.com)")
    view = body.segments[0]
    assert isinstance(view, ProseView)
    body.window().show()
    body.window().activateWindow()
    qtbot.waitUntil(body.window().isActiveWindow)
    view.enter()
    assert QToolTip.text().startswith("https://xn--80ak6aa92e.com")
    QToolTip.hideText()


def test_reasoning_folds_and_unfolds(qtbot: QtBot, body: AnswerBody) -> None:
    body.append_text("<think>Because of\nthis")
    body.flush(FOREVER)
    fold = body.segments[0]
    assert isinstance(fold, ThinkingFold)
    assert fold.fold_button.text() == "Thinking…"
    folded = body.relayout(WIDTH)
    with qtbot.waitSignal(body.fold_turned):
        fold.fold_button.click()
    assert body.relayout(WIDTH) > folded
    body.append_text(" and that</think>So.")
    body.flush(FOREVER)
    body.finish()
    body.flush(FOREVER)
    assert fold.fold_button.text() == "Thought"
    assert fold.text == "Because of\nthis and that"
    assert prose(body) == "So."


def fold_of(body: AnswerBody) -> ThinkingFold:
    fold = body.segments[0]
    assert isinstance(fold, ThinkingFold)
    return fold


def test_thinking_that_comes_apart_folds_when_the_answer_begins(body: AnswerBody) -> None:
    body.append_thinking("Because of\n", at_start=True)
    body.flush(FOREVER)
    assert fold_of(body).fold_button.text() == "Thinking…"
    assert fold_of(body).text == "Because of"
    fold_of(body).fold_button.click()
    body.append_thinking("this")
    body.flush(FOREVER)
    assert fold_of(body).text == "Because of\nthis"
    body.append_text("So.")
    body.flush(FOREVER)
    assert fold_of(body).fold_button.text() == "Thought for a moment"  # as seen from here
    body.finish(72.4)
    body.flush(FOREVER)
    assert fold_of(body).fold_button.text() == "Thought for 1\u00a0min 12\u00a0s"
    assert fold_of(body).fold_button.accessibleName() == "Thought for 1\u00a0min 12\u00a0s"
    assert prose(body) == "So."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "Thought"), (0.4, "Thought for a moment"), (8.6, "Thought for 9\u00a0s")],
)
def test_stored_thinking_is_shown_folded(
    body: AnswerBody, seconds: float | None, words: str
) -> None:
    body.set_text("So.", "Because", seconds)
    body.flush(FOREVER)
    assert fold_of(body).fold_button.text() == words
    assert not fold_of(body).expanded
    assert prose(body) == "So."


def test_thinking_that_is_made_unfolded_begins_with_its_first_line(
    qtbot: QtBot, theme: Theme
) -> None:
    fold = ThinkingFold(theme, folded=False)
    qtbot.addWidget(fold)
    for part in ("\n", "Because", " of that"):
        fold.append(part)
    view = fold.findChild(ProseView)
    assert view
    assert view.toPlainText() == "Because of that"


def test_thinking_seen_from_its_middle_is_not_timed(body: AnswerBody) -> None:
    body.append_thinking("and so on")
    body.append_text("So.")
    body.flush(FOREVER)
    assert fold_of(body).fold_button.text() == "Thought"


def test_code_is_copied_as_it_was_written(
    qtbot: QtBot, qapp: QApplication, body: AnswerBody
) -> None:
    show(body, "```python\na = 1\n\n\tb  \n```")
    card = body.segments[0]
    assert isinstance(card, CodeCard)
    card.head.copy_button.click()
    assert qapp.clipboard().text() == "a = 1\n\n\tb  "
    assert card.head.copy_button.text() == "Copied"
    qtbot.waitUntil(lambda: card.head.copy_button.text() == "Copy", timeout=4_000)


def coloured(card: CodeCard) -> list[int]:
    block = card.document.firstBlock()
    found = []
    while block.isValid():
        found.append(len(block.layout().formats()))
        block = block.next()
    return found


def test_code_is_coloured_when_it_is_seen(qtbot: QtBot, theme: Theme) -> None:
    body = new_body(qtbot, theme)
    show(body, "```python\ndef f():\n    return 'x'\n```\n\n```nonsense\ndef f\n```")
    first, second = body.segments
    assert isinstance(first, CodeCard)
    assert isinstance(second, CodeCard)
    assert coloured(first) == [0, 0]
    body.show()
    qtbot.waitUntil(lambda: all(coloured(first)), timeout=10_000)
    assert coloured(second) == [0]


def test_growing_code_is_coloured_too(qtbot: QtBot, theme: Theme) -> None:
    body = new_body(qtbot, theme)
    body.show()
    body.append_text("```python\nreturn 1\n")
    body.flush(FOREVER)
    body.relayout(WIDTH)
    card = body.segments[0]
    assert isinstance(card, CodeCard)
    qtbot.waitUntil(lambda: coloured(card)[0] > 0, timeout=10_000)
    body.append_text("return 2\nreturn 3")
    body.flush(FOREVER)
    qtbot.waitUntil(lambda: len(coloured(card)) == 3 and all(coloured(card)), timeout=10_000)


def test_a_code_card_is_as_high_as_its_code(body: AnswerBody) -> None:
    show(body, "```\na\n```")
    one = body.relayout(WIDTH)
    show(body, "```\n" + "a\n" * 11 + "```")
    assert body.relayout(WIDTH) == pytest.approx(one + 10 * 20.5, abs=2)
