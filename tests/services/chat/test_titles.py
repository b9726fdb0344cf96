import pytest

from chatdesk.services.chat.titles import (
    MAX_TITLE,
    clean_title,
    first_words,
    is_greeting,
    title_prompt,
)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  How are\n\tyou?  ", "How are you?"),
        ("Tell me about the sea.", "Tell me about the sea"),
        ("讲讲大海。", "讲讲大海"),
        ("And then…", "And then…"),
        ("and so on...", "and so on..."),
        ("...", "..."),
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
    "text",
    ["Hello", "hi!", "Good morning", "Hello, my friend", "test", "你好", "早上好！", "  Hey  "],
)
def test_a_greeting_is_its_own_title(text: str) -> None:
    assert is_greeting(text)


@pytest.mark.parametrize(
    "text", ["Why?! How?", "Tell me more", "Hello, can you fix this loop", "量子纠缠是什么", ""]
)
def test_a_question_is_no_greeting(text: str) -> None:
    assert not is_greeting(text)


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Removing old paint", "Removing old paint"),
        (' **title:** "removing old paint."\nand more', "Removing old paint"),
        ("标题：给房东的信。", "给房东的信"),
        ("# Heading", "Heading"),
        ("Here is a short title: Wine stains", "Wine stains"),
        ("Sure! Here's the title: **Wine stains**", "Wine stains"),
        ("好的，这是一个标题：酒渍", "酒渍"),
        ("Thinking about chess", "Thinking about chess"),
        ("Well water and lime", "Well water and lime"),
        ("The user manual of a drill", "The user manual of a drill"),
        ("Okra for beginners", "Okra for beginners"),
    ],
)
def test_what_is_a_title(answer: str, title: str) -> None:
    assert clean_title(answer) == title


@pytest.mark.parametrize(
    "answer", ["", " \n ", '""', "1 + 1 = 2, 2 + 2 = 4", "x" * 61, "la la la la la la", "Title:"]
)
def test_what_is_none(answer: str) -> None:
    assert clean_title(answer) is None


@pytest.mark.parametrize(
    "answer",
    ["<think>", "<think>Okay, a title for", "[THINK]", "[THINK]The user wants", "</think>",
     "<|channel|>analysis<|message|>A title", "<|START_THINKING|>", "<seed:think>", "<thought>",
     "Thinking Process", "Thinking Process:", "**Thinking Process** 1 Analyze the request",
     "Okay, the user wants a title", "Okay, so I need", "Let me think about", "The user asks for",
     "好的，用户想要一个标题", "用户问的是", "Here is a short title:"],
)  # fmt: skip
def test_thinking_is_no_title(answer: str) -> None:
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
