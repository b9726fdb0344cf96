from pathlib import Path
from typing import Any

from tests.exchange.conversations.reading import parents, read, said, shown, written, zipped

FIRST = "00000000-0000-4000-8000-000000000000"


def message(uuid: str, sender: str = "human", text: str = "", **others: Any) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "sender": sender,
        "text": text,
        "created_at": "2026-01-02T03:04:05Z",
    } | others


def chat(*messages: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "uuid": "u1",
        "name": "图",
        "created_at": None,
        "chat_messages": list(messages),
    } | others


def blocks(*blocks: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"type": kind, ("thinking" if kind == "thinking" else "text"): said}
        for kind, said in blocks
    ]


def test_words_are_found_wherever_they_are(tmp_path: Path) -> None:
    extracted = {"file_name": "", "file_type": "txt", "extracted_content": "列 1"}
    export = [
        chat(
            message("a", content=blocks(("text", "Nur im Inhalt"))),
            message("b", "assistant", content=blocks(("thinking", "Hm"), ("text", "`x = 1`"))),
            message("c", content=[], attachments=[extracted]),
            message(
                "d",
                "assistant",
                content=[{"type": "tool_use", "input": {}}, *blocks(("text", "Done"))],
            ),
            message("e", files=[{"file_name": "photo.png"}]),
            message("f", "assistant", text="Only text"),
        ),
        chat(uuid="u2", name=""),
    ]
    found = read(zipped(tmp_path / "x.zip", {"conversations-000.json": export, "users.json": []}))
    assert found.format == "claude" and not found.unread
    one, empty = found.chats
    assert list(said(one).values()) == ["Nur im Inhalt", "`x = 1`", "", "Done", "", "Only text"]
    assert one.messages[1].thinking == "Hm"
    attached, picture = one.messages[2].files[0], one.messages[4].files[0]
    assert attached.open and attached.open().read().decode() == "列 1"
    assert (picture.name, picture.open) == ("photo.png", None)
    assert shown(one) == list("abcdef")
    assert (empty.title, empty.messages) == ("", ())


def test_branches_by_parent_and_the_leaf_of_an_extension(tmp_path: Path) -> None:
    one = chat(
        message("q", text="1", parent_message_uuid=FIRST),
        message("a", "assistant", "2", parent_message_uuid="q"),
        message("b", "assistant", "3", parent_message_uuid="q"),
        model="opus",
        current_leaf_message_uuid="a",
    )
    (found,) = read(written(tmp_path, one)).chats
    assert parents(found) == {"q": None, "a": "q", "b": "q"}
    assert shown(found) == ["q", "a"]
    assert found.messages[1].model == "opus"
