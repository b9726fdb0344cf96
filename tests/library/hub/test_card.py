"""A model card as text."""

import pytest

from chatdesk.library.hub.card import MAX_CHARACTERS, card_text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("---\nlicense: mit\ntags: [a]\n---\n# Title\n\nWords.", "Title\n\nWords."),
        ("---\nnever closed", "never closed"),
        ("one\ntwo  \nthree", "one two\nthree"),
        ("[the paper](http://elsewhere.example/x) and `code`", "the paper and code"),
        ("![a picture](http://elsewhere.example/x.png)", ""),
        ("<img src='http://elsewhere.example/x.png'>", ""),
        ("<div align='center'>\n<b>Made by</b> us\n</div>\n\nMore.", "Made by us\n\nMore."),
        ("<!-- not this -->\n\nWords.", "Words."),
        ("<script>steal()</script>\n\nWords.", "Words."),
        ("a <b>bold</b> word &amp; more", "a bold word & more"),
        ("* one\n* two\n  1. inner\n\nAfter.", "• one\n• two\n  1. inner\n\nAfter."),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\nAfter.", "a | b\n1 | 2\n\nAfter."),
        ("```python\nprint('<b>')\n```\nAfter.", "print('<b>')\n\nAfter."),
        ("\x1b[31mred\u202e", "[31mred"),
        ("", ""),
    ],
)
def test_a_card_becomes_text(markdown: str, text: str) -> None:
    assert card_text(markdown) == text


@pytest.mark.parametrize(
    "piece", ["> ", "* " * 3 + "\n", "[", "<div ", "|a", "`", "x\n", "![", "<b", "<!--", "<p>"]
)
def test_a_hostile_card_is_bounded(piece: str) -> None:
    assert len(card_text(piece * MAX_CHARACTERS)) <= 2 * MAX_CHARACTERS
