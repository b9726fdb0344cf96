"""Thinking separated from the answer, however the text is cut."""

import random
from collections.abc import Sequence

import pytest

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.thinking import (
    ThinkingMarks,
    ThinkingSplitter,
    find_marks,
    marker_tokens,
    prompt_tail,
)
from tests.inference.engine_process import turns

PLAIN = ThinkingMarks("<think>", "</think>")
CHANNELS = find_marks("<|channel|>analysis<|message|>{{ x }}<|channel|>final<|message|>")
assert CHANNELS


def split(pieces: Sequence[str], marks: ThinkingMarks = PLAIN, tail: str = "") -> tuple[str, str]:
    """Return the thinking and the answer of a text that arrives in these pieces."""
    splitter = ThinkingSplitter(marks, tail)
    found = [piece for text in pieces for piece in splitter.feed(text)] + splitter.flush()
    assert all(piece.text for piece in found)
    thinking = "".join(piece.text for piece in found if piece.thinking)
    return thinking, "".join(piece.text for piece in found if not piece.thinking)


ANALYSIS, FINAL = CHANNELS.opening, CHANNELS.closing
SPEAKS_OF_IT = "\n The mark </think> ends it, <think> begins it. "

QUOTED_THINKING = "The template uses `</think>` at the end. So I explain it."
QUOTING = f"{QUOTED_THINKING}</think>It closes thinking."

CASES = [
    (PLAIN, "", "<think>\nA <b>\n\nso.\n</think>\n\n A <think>.\n", "A <b>\n\nso.", "A <think>.\n"),
    (PLAIN, "", " \n<think>so</think>so", "so", "so"),
    (PLAIN, "", "<think>\n\n</think>\n\nHello ", "", "Hello "),
    (PLAIN, "", SPEAKS_OF_IT, "", SPEAKS_OF_IT),
    (PLAIN, "", "<thinner> ", "", "<thinner> "),
    (PLAIN, "", "</think>\n\nNothing to think about.", "", "Nothing to think about."),
    (PLAIN, "", "<think>never ended </thi", "never ended </thi", ""),
    (PLAIN, "<think>", "\nI <th\n</think>\nDone", "I <th", "Done"),
    (PLAIN, "<think>I thin", "k so.</think>Done", "k so.", "Done"),
    (PLAIN, "<think>I think", " so.</think>Done", " so.", "Done"),
    (PLAIN, "</think>", "\n\nDone", "", "\n\nDone"),
    (PLAIN, "<think>", QUOTING, QUOTED_THINKING, "It closes thinking."),
    (
        PLAIN,
        "<think>",
        'Say "</think>" or \u201c</think>\u201d.</think>!',
        'Say "</think>" or \u201c</think>\u201d.',
        "!",
    ),
    (PLAIN, "<think>", 'I say "yes"</think>"Yes" it is.', 'I say "yes"', '"Yes" it is.'),
    (PLAIN, "<think>", "It ends `</think>Done", "It ends `", "Done"),
    (PLAIN, "", "<think>like this</think>", "like this", "<think>like this</think>"),
    (PLAIN, "", "<think>\nlike this\n</think>", "like this", ""),
    (PLAIN, "", "<think></think>", "", ""),
    (CHANNELS, "", f"{ANALYSIS}Hm. <|end|><|start|>assistant{FINAL}Done. ", "Hm.", "Done. "),
    (CHANNELS, "", f"{FINAL}At once.", "", "At once."),
    (CHANNELS, "", f"{ANALYSIS}A<|end|><|start|>assistant{ANALYSIS}B<|end|>", "AB", ""),
]


@pytest.mark.parametrize(("marks", "tail", "text", "thinking", "answer"), CASES)
def test_any_way_of_cutting_gives_the_same(
    marks: ThinkingMarks, tail: str, text: str, thinking: str, answer: str
) -> None:
    assert split([text], marks, tail) == (thinking, answer)
    assert split(list(text), marks, tail) == (thinking, answer)
    chance = random.Random(7)
    for _ in range(30):
        cuts = sorted(chance.sample(range(1, len(text)), min(4, len(text) - 1)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
        assert split(pieces, marks, tail) == (thinking, answer)


def test_text_is_not_held_back_longer_than_needed() -> None:
    splitter = ThinkingSplitter(PLAIN, "<think>")
    assert [piece.text for piece in splitter.feed("one two")] == ["one two"]
    assert splitter.feed(" ") == []  # it may stand before the mark
    assert [piece.text for piece in splitter.feed("</three")] == [" </three"]
    assert splitter.feed("</think>\n") == []
    assert [(piece.text, piece.thinking) for piece in splitter.feed("Yes ")] == [("Yes ", False)]


@pytest.mark.parametrize(
    ("source", "opening"),
    [
        ("{{ content.split('</think>')[-1] }}", "<think>"),
        ("{{ '<|START_THINKING|>' }}{{ '<|END_THINKING|>' }}", "<|START_THINKING|>"),
        ("[THINK]{{ x }}[/THINK]", "[THINK]"),
        ("<seed:think></seed:think>", "<seed:think>"),
        ("'<|channel>thought\n' + x + '<channel|>' and <|think|>", "<|channel>thought"),
        ("<|channel|>analysis<|message|> <|channel|>final<|message|>", CHANNELS.opening),
        ("{{ message.content }} I think, therefore <thin>", None),
    ],
)
def test_marks_are_those_the_template_speaks_of(source: str, opening: str | None) -> None:
    marks = find_marks(source)
    assert (marks and marks.opening) == opening


def test_what_a_prompt_ends_with() -> None:
    question = turns("What does <think> do?")
    opened = "<user>What does <think> do?<assistant><think>\n"
    assert prompt_tail(PLAIN, question, opened) == "<think>"
    assert not prompt_tail(PLAIN, question, opened.removesuffix("<think>\n")).count("<think>")
    stopped = (*question, PromptMessage("assistant", "", thinking="It is "))
    assert prompt_tail(PLAIN, stopped, "whatever") == "<think>It is "


class Words:
    """A vocabulary in which `[THINK]` is a control token and `[/THINK]` is spelled out."""

    def tokenize(self, text: str, parse_special: bool) -> list[int]:
        assert parse_special
        return [1] if text == "[THINK]" else [ord(letter) for letter in text]

    def text(self, token: int) -> str:
        return "[THINK]" if token == 1 else chr(token)

    def is_special(self, token: int) -> bool:
        return token == 1


def test_control_tokens_that_are_marks_get_their_text() -> None:
    marks = ThinkingMarks("[THINK]", "[/THINK]")
    assert marker_tokens(Words(), marks) == {1: b"[THINK]"}
