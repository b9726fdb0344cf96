import pytest

from chatdesk.services.chat.titles import MAX_TITLE, clean_title, first_words, title_prompt


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  How are\n\tyou?  ", "How are you?"),
        ("", ""),
        ("a" * MAX_TITLE, "a" * MAX_TITLE),
        ("a" * 100, "a" * (MAX_TITLE - 1) + "…"),
        ("-" * 100, "…"),
        ("量" * 100, "量" * (MAX_TITLE - 1) + "…"),
        ("word, " * 20, ", ".join(["word"] * 9) + "…"),
    ],
)
def test_the_first_words(text: str, title: str) -> None:
    assert first_words(text) == title
    assert len(title) <= MAX_TITLE


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Removing old paint", "Removing old paint"),
        (' **title:** "removing old paint."\nand more', "Removing old paint"),
        ("标题：给房东的信。", "给房东的信"),
        ("# Heading", "Heading"),
    ],
)
def test_what_is_a_title(answer: str, title: str) -> None:
    assert clean_title(answer) == title


@pytest.mark.parametrize(
    "answer", ["", " \n ", '""', "1 + 1 = 2, 2 + 2 = 4", "x" * 61, "la la la la la la", "Title:"]
)
def test_what_is_none(answer: str) -> None:
    assert clean_title(answer) is None


def test_the_prompt_ends_with_the_beginning_of_the_question() -> None:
    prompt = title_prompt("q" * 10_000)
    roles = [message.role for message in prompt]
    assert roles == ["system", *["user", "assistant"] * (len(roles) // 2 - 1), "user"]
    assert 500 < len(prompt[-1].content) < 1000


def test_the_title_of_a_model_that_reasons_is_begun_for_it() -> None:
    *asked, begun = title_prompt("Why?", reasons=True)
    assert tuple(asked) == title_prompt("Why?")
    assert (begun.role, clean_title(begun.content)) == ("assistant", None)
