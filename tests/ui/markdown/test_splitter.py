import random
import time

import pytest

from chatdesk.ui.markdown.parser import collect_definitions, parse
from chatdesk.ui.markdown.splitter import (
    MAX_CARDS,
    PIECE_LIMIT,
    Code,
    CodeClose,
    CodeOpen,
    Piece,
    Prose,
    Reasoning,
    ReasoningClose,
    Splitter,
    split,
)
from tests.ui.corpus import ANSWER

LONG = ANSWER + "\n```\n\n" + "word " * 3_000 + "\n\n" + "- item\n" * 2_000
TABLE = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 1_000


def joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbouring pieces of code and of reasoning put together."""
    out: list[Piece] = []
    for piece in pieces:
        last = out[-1] if out else None
        if isinstance(piece, Code) and isinstance(last, Code):
            out[-1] = Code(last.text + piece.text)
        elif isinstance(piece, Reasoning) and isinstance(last, Reasoning):
            out[-1] = Reasoning(last.text + piece.text)
        else:
            out.append(piece)
    return out


def streamed(text: str, seed: int, longest: int) -> list[Piece]:
    chance = random.Random(seed)
    splitter = Splitter()
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        size = chance.randint(1, longest)
        splitter.feed(text[at : at + size])
        pieces += splitter.take()
        splitter.tail()
        at += size
    splitter.finish()
    return joined(pieces + splitter.take())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("text", [ANSWER, LONG, TABLE], ids=["answer", "long", "table"])
def test_any_cutting_of_the_stream_gives_the_same_pieces(text: str, seed: int) -> None:
    longest = (1, 7, 60, 5_000)[seed % 4]
    if longest == 1 and len(text) > 5_000:
        longest = 3
    assert streamed(text, seed, longest) == split(text)


def test_code_and_reasoning_are_pieces_of_their_own() -> None:
    pieces = split("<think>hm</think>\nHello\n```python\na = 1\n\nb\n```\nEnd")
    assert pieces == [
        Reasoning("hm"),
        ReasoningClose(),
        Prose("Hello"),
        CodeOpen("python"),
        Code("a = 1\n\nb\n"),
        CodeClose(),
        Prose("End"),
    ]


def test_a_fence_in_a_list_item_stays_in_the_list() -> None:
    text = "1. a\n   ```sh\n   x\n\n   y\n   ```\n2. b\n\nafter"
    assert split(text) == [Prose(text.removesuffix("\n\nafter")), Prose("after")]


def test_a_fence_left_of_the_item_ends_the_list() -> None:
    assert CodeOpen("sh") in split("1. a\n```sh\nx\n```\n")


def test_blocks_before_the_open_one_are_certain_at_once() -> None:
    splitter = Splitter()
    splitter.feed("First\n\nSecond\nis not y")
    assert splitter.take() == [Prose("First")]
    assert splitter.tail() == Prose("Second\nis not y")


@pytest.mark.parametrize("begun", ["-", "``", "#", "1.", "---", "```pyth"])
def test_a_line_that_may_become_anything_is_not_shown_yet(begun: str) -> None:
    splitter = Splitter()
    splitter.feed("Text\n" + begun)
    assert splitter.tail() == Prose("Text")


def test_a_long_table_goes_on_under_its_head() -> None:
    tables = [piece.text for piece in split(TABLE) if isinstance(piece, Prose)]
    assert len(tables) > 1
    assert all(table.startswith("| a | b |\n|---|---|\n| 1") for table in tables)
    assert sum(table.count("| 1 | 2 |") for table in tables) == 1_000


def test_html_and_bad_links_are_text() -> None:
    tokens = parse(Prose("<script>x</script> [a](javascript:b)"), {})
    kinds = {child.type for token in tokens for child in token.children or []}
    assert kinds == {"text"}


README = """Here is the file:

```markdown
# Title
```python
print(1)
```
End of the file.
```

And this is my comment.
"""


@pytest.mark.parametrize("outer", ["```", "````"])
def test_a_fence_inside_a_text_of_markdown_is_part_of_it(outer: str) -> None:
    text = README.replace("```markdown", f"{outer}markdown")
    text = text.replace("file.\n```", f"file.\n{outer}")
    _, opened, code, closed, after = joined(split(text))
    assert (opened, closed) == (CodeOpen("markdown"), CodeClose())
    assert code == Code("# Title\n```python\nprint(1)\n```\nEnd of the file.\n")
    assert after == Prose("And this is my comment.")
    assert streamed(text, 1, 1) == joined(split(text))


def test_fences_in_fences_and_lists_of_a_text_of_markdown() -> None:
    inner = "- a\n    ~~~sh\n    x\n    ~~~\n```md\n```js\n1\n```\n```\n"
    pieces = joined(split(f"```md\n{inner}```\nafter"))
    assert pieces == [CodeOpen("md"), Code(inner), CodeClose(), Prose("after")]
    plain = joined(split("```text\n```python\n```\nafter"))  # no language that has fences
    assert plain == [CodeOpen("text"), Code("```python\n"), CodeClose(), Prose("after")]


def test_the_words_behind_a_fence_are_kept() -> None:
    assert split('```py  title="a.py" {1,3} \n1\n```')[0] == CodeOpen("py", 'title="a.py" {1,3}')
    assert split("``` and that was it\n")[0] == CodeOpen("and", "that was it")
    assert split("~~~ a `b`\n")[0] == CodeOpen("a", "`b`")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_end_of_a_line_ends_it(end: str) -> None:
    text = "a\nb\n\nc\n```\n1\n2\n```\n".replace("\n", end)
    expected = [Prose("a\nb"), Prose("c"), CodeOpen(""), Code("1\n2\n"), CodeClose()]
    assert joined(split(text)) == expected
    assert streamed(text, 1, 1) == expected


def test_footnotes_and_references_reach_back() -> None:
    pieces = split("See[^1] and [there][r].\n\n[^1]: note\n\n[r]: https://example.org\n")
    definitions = collect_definitions(pieces)
    assert isinstance(pieces[0], Prose)
    kinds = [child.type for child in parse(pieces[0], definitions)[1].children or []]
    assert "footnote_ref" in kinds
    assert "link_open" in kinds


HOSTILE = {
    "brackets": "[" * 2_000_000,
    "stars": "*" * 2_000_000,
    "emphasis": "*a **b " * 200_000,
    "one line": "a" * 1_000_000,
    "quotes": "> " * 500_000,
    "nested lists": "".join("  " * depth + "- a\n" for depth in range(1_500)),
    "dashes": "- " * 500_000,
    "images": "![" * 500_000,
    "links": "[a](" * 250_000,
    "fences": "```\n" * 200_000,
    "cells": "|a" * 500_000,
    "addresses": "http://" * 150_000,
    "definitions": "[a]: b\n" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_neither_hangs_nor_recurses(name: str) -> None:
    start = time.perf_counter()
    pieces = split(HOSTILE[name])
    definitions = collect_definitions(pieces)
    slowest = 0.0
    for piece in pieces:
        if isinstance(piece, Prose):
            begun = time.perf_counter()
            parse(piece, definitions)
            slowest = max(slowest, time.perf_counter() - begun)
            assert len(piece.text) <= 6 * PIECE_LIMIT
    assert slowest < 1
    assert time.perf_counter() - start < 15
    assert sum(isinstance(piece, CodeOpen) for piece in pieces) <= MAX_CARDS
