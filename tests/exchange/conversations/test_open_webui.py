from pathlib import Path
from typing import Any

from chatdesk.core.chat import Rating
from tests.exchange.conversations.reading import parents, read, said, shown, written

REASONED = (
    '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>'
    "\n&gt; Maybe &lt;b&gt;\n</details>\nHello"
)
OUTPUT = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Plan"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c"},
    {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]},
]


def message(
    message_id: str, parent: str | None, role: str, content: object, **others: Any
) -> dict[str, Any]:
    return {"id": message_id, "parentId": parent, "role": role, "content": content} | others


def chat(*messages: dict[str, Any], current: str = "", **others: Any) -> dict[str, Any]:
    history = {"currentId": current, "messages": {each["id"]: each for each in messages}}
    return {
        "id": "w1",
        "title": "Web 网",
        "created_at": 1_700_000_000,
        "updated_at": 1_700_000_000_000,
        "chat": {"models": ["a", "b"], "history": history},
    } | others


def test_thinking_is_apart_and_the_answer_is_there_once(tmp_path: Path) -> None:
    export = chat(
        message("q", None, "user", [{"type": "text", "text": "Hi\0 你"}], childrenIds=None),
        message("a", "q", "assistant", REASONED, model="a", annotation={"rating": 1}),
        message("b", "q", "assistant", "Hello", model="b", output=OUTPUT),
        current="a",
        pinned=True,
    )
    found = read(written(tmp_path, [export]))
    (one,) = found.chats
    assert found.format == "open-webui"
    assert parents(one) == {"q": None, "a": "q", "b": "q"}
    assert said(one) == {"q": "Hi 你", "a": "Hello", "b": "Hello"}
    first, second = one.messages[1:]
    assert (first.thinking, first.thinking_s, first.model) == ("Maybe <b>", 3.0, "a")
    assert (first.rating, second.thinking) == (Rating.UP, "Plan")
    assert one.pinned and one.created and one.updated
    assert one.created == one.updated


def test_stale_links_do_no_harm(tmp_path: Path) -> None:
    export = chat(
        message("q", None, "user", "1", childrenIds=["x", "a", "z"]),
        message("x", "a", "user", "3"),
        message("a", "q", "assistant", "2"),
        current="gone",
    )
    (one,) = read(written(tmp_path, [export])).chats
    assert shown(one) == ["q", "a", "x"]


def test_a_chat_with_only_its_shown_branch(tmp_path: Path) -> None:
    listed = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "```c\nx\n```"}]
    export = {"id": "w2", "title": "t", "chat": {"messages": listed}}
    (one,) = read(written(tmp_path, [export])).chats
    assert list(parents(one).values()) == [None, "0"]


def test_files_in_the_message_are_kept_and_addresses_are_not_fetched(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    files = [{"type": "file", "name": "a.pdf", "url": "http://localhost/a.pdf"}]
    export = chat(message("q", None, "user", [picture, {"type": "text", "text": "?"}], files=files))
    (one,) = read(written(tmp_path, [export])).chats
    inside, far = one.messages[0].files
    assert inside.open and inside.open().read() == b"\x89PNG"
    assert (inside.media_type, far.name, far.open) == ("image/png", "a.pdf", None)
