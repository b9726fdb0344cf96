"""From token bytes to text."""

import pytest

from chatdesk.inference.decoding.text_stream import TextStream


def stream(data: bytes, size: int, stop: tuple[str, ...] = ()) -> tuple[list[str], TextStream]:
    text = TextStream(stop)
    out = []
    for start in range(0, len(data), size):
        out.append(text.feed(data[start : start + size]))
        if text.stopped_by:
            break
    return out, text


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_characters_arrive_whole_however_tokens_split_them(size: int) -> None:
    written = "naïve 你好 🙂👩‍👩‍👧 done"
    out, text = stream(written.encode(), size)
    assert "".join(out) + text.flush() == written
    assert all("\ufffd" not in piece for piece in out)


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    out, text = stream(b"a\xff\xfeb\xe4\xbdc\xed\xa0\x80d", 1)
    assert "".join(out) + text.flush() == "a\ufffd\ufffdb\ufffdc\ufffd\ufffd\ufffdd"


def test_half_a_character_at_the_end_is_dropped() -> None:
    out, text = stream("ok 🙂".encode()[:-1], 1)
    assert "".join(out) + text.flush() == "ok "


@pytest.mark.parametrize("size", [1, 2, 4, 100])
def test_a_stop_string_ends_the_text_and_is_not_shown(size: int) -> None:
    out, text = stream(b"one two\nUser: three", size, ("\nUser:",))
    assert text.stopped_by == "\nUser:"
    assert "".join(out) + text.flush() == "one two"


def test_only_what_may_become_a_stop_string_is_held_back() -> None:
    text = TextStream(("STOP", "ST."))
    assert text.feed(b"abc") == "abc"
    assert text.feed(b"dS") == "d"
    assert text.feed(b"T") == ""
    assert text.feed(b"Ab") == "STAb"
    assert text.feed(b"ST") == ""
    assert not text.stopped_by
    assert text.flush() == "ST"


def test_a_token_that_is_not_shown_may_end_the_text() -> None:
    text = TextStream(("<|turn|>", "\nEnd<|turn|>\n"))
    assert text.feed(b"one") == "one"
    assert text.feed_hidden("<|other|>") == ""
    assert text.feed(b" two\nEnd") == " two"
    assert text.feed_hidden("<|turn|>") == "\nEnd"  # the first of the two that it ends
    assert text.stopped_by == "<|turn|>"
    assert text.flush() == ""
    text = TextStream(("\nEnd<|turn|>\n",))
    assert text.feed(b"one\nEn") == "one"
    assert text.feed_hidden("<|turn|>") == ""
    assert text.feed(b"d\nEnd") == "\nEnd"
    assert text.feed_hidden("<|turn|>") == ""
    assert text.stopped_by == "\nEnd<|turn|>\n"


def test_the_first_of_several_stop_strings_counts() -> None:
    out, text = stream(b"abcdef", 100, ("ef", "cd"))
    assert text.stopped_by == "cd"
    assert out == ["ab"]


def test_the_text_before_a_stop_is_independent_of_the_split() -> None:
    data = b"xx<|e<|end|>yy"
    texts = {"".join(stream(data, size, ("<|end|>",))[0]) for size in range(1, 15)}
    assert texts == {"xx<|e"}
