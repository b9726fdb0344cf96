import json
from pathlib import Path
from typing import Any

from chatdesk.core.chat import MessageState
from tests.exchange.conversations.reading import read, said, written


def line(message_id: str, role: str, *content: dict[str, Any], **others: Any) -> str:
    return json.dumps(
        {"id": message_id, "thread_id": "t1", "role": role, "content": list(content)} | others,
        ensure_ascii=False,
    )


def words(said: str, kind: str = "text") -> dict[str, Any]:
    return {"type": kind, "text": {"value": said, "annotations": []}}


THREAD = {
    "id": "t1",
    "object": "thread",
    "title": "Jan 扬",
    "created": 1_700_000_000,
    "updated": 1_700_000_100_000,
    "assistants": [{"assistant_name": "Jan", "instructions": "Be kind.", "model": {"id": "qwen"}}],
}


def test_every_whole_message_comes_in_and_the_cut_one_is_named(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    lines = [
        line("1", "user", words("Wie?"), picture, created_at=1_700_000_000),
        "",
        line("2", "assistant", words("Hm", "reasoning"), words("`x`"), created_at=1_700_000_001_000)
        + line("3", "user", words("又来")),
        line(
            "4", "assistant", words("Half"), {"type": "tool_call", "input": "{}"}, status="stopped"
        ),
        line("5", "system", words("Be brief.")),
        line("6", "user", words("cut"))[:40],
    ]
    written(tmp_path / "threads" / "t1", THREAD, "thread.json")
    written(tmp_path / "threads" / "t1", "\r\n".join(lines), "messages.jsonl")
    found = read(tmp_path / "threads")
    assert found.format == "jan"
    (one,) = found.chats
    assert said(one) == {"1": "Wie?", "2": "`x`", "3": "又来", "4": "Half"}
    assert (one.title, one.system_prompt) == ("Jan 扬", "Be brief.")
    assert (one.messages[1].thinking, one.messages[1].model) == ("Hm", "qwen")
    assert one.messages[3].state is MessageState.STOPPED
    assert one.messages[0].files[0].open
    assert [(each.where, each.conversation) for each in found.unread] == [
        ("t1/messages.jsonl, line 6", False)
    ]


def test_a_thread_without_its_description_or_messages(tmp_path: Path) -> None:
    written(tmp_path / "a1", line("1", "user", words("Hi")), "messages.jsonl")
    written(tmp_path / "b2", {**THREAD, "id": "b2"}, "thread.json")
    first, second = read(tmp_path).chats
    assert (first.id, said(first)) == ("a1", {"1": "Hi"})
    assert (second.id, second.messages) == ("b2", ())
