"""Chats as files for people and other programs: nothing in a message breaks out of it."""

import json
import re
from dataclasses import replace

import pytest

from chatdesk.core.chat import (
    AnswerRecord,
    Conversation,
    MessageState,
    Role,
    TitleSource,
    new_conversation,
    new_message,
)
from chatdesk.core.parts import Image, Text, Thinking
from chatdesk.exchange.export.file_names import file_name
from chatdesk.exchange.export.html_file import html_file
from chatdesk.exchange.export.markdown_file import closed, markdown_file
from chatdesk.exchange.export.sharegpt import sharegpt_line


def chat(*texts: str, title: str = "Figs & 茶", thinking: str = "") -> Conversation:
    """Question, answer, question, …"""
    made, parent, messages = new_conversation(title, TitleSource.USER, "", None), None, []
    for number, text in enumerate(texts):
        role = Role.ASSISTANT if number % 2 else Role.USER
        parts = (Thinking(thinking), Text(text)) if thinking and number % 2 else (Text(text),)
        answer = AnswerRecord(model_name="Qwen") if number % 2 else None
        state = MessageState.COMPLETE
        messages.append(message := new_message(made.id, parent, role, parts, state, answer))
        parent = message.id
    return replace(made, messages=tuple(messages), active_leaf_id=parent)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("a", "a"),
        ("```py\ncode", "```py\ncode\n```"),
        ("````\n```\ninside", "````\n```\ninside\n````"),
        ("```\ncode\n```", "```\ncode\n```"),
        ("~~~\n```\n", "~~~\n```\n\n~~~"),
        ("```a`b\nno fence", "```a`b\nno fence"),
        ("    ```\nindented", "    ```\nindented"),
    ],
)
def test_an_open_block_of_code_ends_with_its_message(text: str, ends: str) -> None:
    assert closed(text) == ends


def test_markdown_has_every_turn_below_its_author() -> None:
    found = markdown_file(
        chat(
            "## User\n---",
            "````md\n```py\nx\n```\n````\n```open",
            "> why?",
            thinking="a\n</details>",
        )
    )
    assert found.startswith(
        "# Figs & 茶\n\n## You\n\n## User\n---\n\n## Qwen\n\n> **Thinking**\n>\n> a"
    )
    assert "\n```open\n```\n\n## You\n\n> why?\n" in found


def test_a_picture_is_a_visible_placeholder() -> None:
    one = chat("Look")
    picture = Image("ab" * 32, "image/png", 1, 1, "cat\n.png")
    message = replace(one.messages[0], parts=(picture, Text("Look")))
    one = replace(one, messages=(message,))
    assert "*[picture: cat .png]*" in markdown_file(one)
    assert "[picture: cat .png]" in html_file(one)


def test_html_shows_markup_as_text_and_fetches_nothing() -> None:
    bad = (
        '<script>alert(1)</script> ![x](https://example.org/p.png "t") [l](javascript:alert(1)) '
        "<img src=x onerror=y>\n\n```html\n</code></pre><script>\n"
    )
    found = html_file(chat(bad, bad, title="</title><script>", thinking="</details><script>"))
    assert "<script" not in found
    assert "<img" not in found
    assert not re.search(r'href="javascript', found)
    assert '<a href="https://example.org/p.png">x</a>' in found
    assert "default-src 'none'" in found
    assert found.count("<article") == found.count("</article>") == 2


def test_sharegpt_is_a_line_of_turns() -> None:
    line = sharegpt_line(replace(chat("q\u2028", "a", " "), system_prompt="Be kind."))
    assert line.count("\n") == 1
    turns = [(each["from"], each["value"]) for each in json.loads(line)["conversations"]]
    assert turns == [("system", "Be kind."), ("human", "q\u2028"), ("gpt", "a")]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("a/b: c\n🙂?", "a b c 🙂.md"),
        ("..", "id.md"),
        ("", "id.md"),
        ("CON", "CON_.md"),
        ("com1.txt", "com1.txt_.md"),
        ("end. . ", "end.md"),
        ("\u202egpj.exe", "gpj.exe.md"),
        ("\ud800x", "x.md"),
        ("Taken", "Taken (2).md"),
        ("茶" * 300, "茶" * 33 + ".md"),
    ],
)
def test_names_of_files_are_legal_everywhere(title: str, name: str) -> None:
    assert file_name(title, ".md", {"taken.md"}, "id") == name
