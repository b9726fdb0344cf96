import gzip
import json
from pathlib import Path
from typing import Any

from tests.exchange.conversations.reading import (
    PICTURE,
    parents,
    read,
    said,
    shown,
    written,
    zipped,
)


def message(message_id: str, role: str, *blocks: str, **others: Any) -> dict[str, Any]:
    return {
        "id": message_id,
        "role": role,
        "blocks": list(blocks),
        "createdAt": "2026-01-02T03:04:05Z",
    } | others


def block(block_id: str, kind: str, content: str = "", **others: Any) -> dict[str, Any]:
    return {"id": block_id, "type": kind, "content": content} | others


MESSAGES = [
    message("q", "user", "b1", "b2", "b8"),
    message("a", "assistant", "b3", "b4", askId="q", modelId="m1"),
    message("b", "assistant", "b5", askId="q", foldSelected=True, model={"name": "Qwen"}),
    message("cut", "user", type="clear"),
    message("q2", "user", "b6"),
    message("a2", "assistant", "b7", askId="q2"),
]
BLOCKS = [
    block("b1", "main_text", "树?"),
    block("b2", "image", file={"id": "f1", "origin_name": "cat.png", "ext": ".png"}),
    block("b8", "file", file={"id": "f2", "origin_name": "gone.pdf"}),
    block("b3", "thinking", "Hm", thinking_millsec=1500),
    block("b4", "main_text", "First"),
    block("b5", "main_text", "```go\nx\n```"),
    block("b6", "main_text", "And?"),
    block("b7", "main_text", "Done"),
    block("b9", "tool", "{}"),
]
ASSISTANT = {
    "id": "as",
    "name": "Gardener",
    "prompt": "Be green.",
    "topics": [{"id": "t1", "name": "Bäume"}],
}


def backup() -> dict[str, Any]:
    store = {
        "assistants": json.dumps({"assistants": [ASSISTANT]}),
        "llm": json.dumps({"providers": [{"apiKey": "sk-secret"}]}),
    }
    return {
        "time": 1,
        "version": 5,
        "localStorage": {"persist:cherry-studio": json.dumps(store)},
        "indexedDB": {"topics": [{"id": "t1", "messages": MESSAGES}], "message_blocks": BLOCKS},
    }


def test_topics_with_titles_blocks_files_and_several_answers(tmp_path: Path) -> None:
    found = read(zipped(tmp_path / "c.zip", {"data.json": backup(), "Data/Files/f1.png": PICTURE}))
    (one,) = found.chats
    assert found.format == "cherry-studio" and not found.unread
    assert (one.title, one.folder, one.system_prompt) == ("Bäume", "Gardener", "Be green.")
    assert parents(one) == {"q": None, "a": "q", "b": "q", "q2": "b", "a2": "q2"}
    assert shown(one) == ["q", "b", "q2", "a2"]
    assert said(one)["b"] == "```go\nx\n```"
    first = one.messages[1]
    assert (first.thinking, first.thinking_s, first.model) == ("Hm", 1.5, "m1")
    picture, gone = one.messages[0].files
    assert picture.open and (gone.name, gone.open) == ("gone.pdf", None)


def test_the_older_backup_is_the_json_alone_also_packed(tmp_path: Path) -> None:
    plain = written(tmp_path, backup(), "c.bak")
    (one,) = read(plain).chats
    assert one.title == "Bäume"
    packed = tmp_path / "d.bak"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(packed).chats[0].title == "Bäume"
