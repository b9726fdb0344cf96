from pathlib import Path
from typing import Any

from tests.exchange.conversations.reading import parents, read, said, shown, written


def message(
    message_id: str, parent: str | None, role: str, content: str, **others: Any
) -> dict[str, Any]:
    return {
        "id": message_id,
        "convId": "v",
        "parent": parent,
        "role": role,
        "content": content,
    } | others


MESSAGES = [
    message("r", None, "system", "", type="root"),
    message("q", "r", "user", "Was ist 树?", timestamp=1_700_000_000_000),
    message(
        "a", "q", "assistant", "`x`", reasoningContent="Hm", model="m", toolCalls='[{"id": 1}]'
    ),
    message("t", "a", "tool", "{}", toolCallId="1"),
    message("a2", "t", "assistant", "So", thinking="Old"),
    message("b", "q", "assistant", "Other"),
    message("q2", "a2", "user", "On"),
]
EXTRA = [
    {"type": "TEXT", "name": "a.txt", "content": "Grüße"},
    {"type": "PDF", "name": "b.pdf", "base64Data": "JVBERg=="},
    {"type": "IMAGE", "name": "c.png", "base64Url": "data:image/png;base64,iVBORw=="},
    {"type": "context", "name": "d", "content": "pasted"},
]


def test_the_leaf_is_below_a_stale_pointer_and_tools_are_left_out(tmp_path: Path) -> None:
    export = {"conv": {"id": "v", "name": "Llama", "currNode": "a"}, "messages": MESSAGES}
    for value in (export, [export]):
        found = read(written(tmp_path, value))
        (one,) = found.chats
        assert found.format == "llama.cpp"
        assert parents(one) == {"q": None, "a": "q", "a2": "a", "q2": "a2", "b": "q"}
        assert shown(one) == ["q", "a", "a2", "q2"]
        assert said(one)["q"] == "Was ist 树?"
        by_id = {each.id: each for each in one.messages}
        assert (by_id["a"].thinking, by_id["a2"].thinking) == ("Hm", "Old")


def test_extras_are_files_and_a_parent_may_be_minus_one(tmp_path: Path) -> None:
    asked = message("q", "-1", "user", "See", extra=EXTRA)
    export = {"conv": {"id": "v", "name": "x", "currNode": ""}, "messages": [asked]}
    (one,) = read(written(tmp_path, export)).chats
    contents = [file.open().read() for file in one.messages[0].files if file.open]
    assert contents == ["Grüße".encode(), b"%PDF", b"\x89PNG", b"pasted"]
    assert one.messages[0].parent is None
