import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatdesk.core.chat import AnswerRecord, MessageState, Rating, Role, TitleSource
from chatdesk.core.imported import ImportedConversation, ImportedMessage, OwnRecord
from chatdesk.core.parts import (
    Attachment,
    Audio,
    Image,
    Part,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from chatdesk.exchange.conversations import own
from tests.exchange.conversations.reading import PICTURE, read, written

SCHEMA = json.loads(Path("docs/conversations.schema.json").read_text(encoding="utf-8"))
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
SHA = "ab" * 32
PARTS: tuple[Part, ...] = (
    Thinking("Hm"),
    Text("# Kopf\n```` ``` 树\u2028"),
    Image(SHA, "image/png", 3, 4, "cat.png"),
    Audio(SHA, "audio/wav", 1.5),
    Attachment(SHA, "text/csv", "a.csv", 9),
    ToolCall("1", "s", "t", "{}"),
    ToolResult("1", "ok", seconds=0.5),
    Source(1, "doc", "text", page=2),
)
OWN = OwnRecord(TitleSource.USER, None, "", None, "green", ("chatgpt", "x"), {"q": "s1"})
MESSAGES = (
    ImportedMessage("q", None, Role.USER, (Text("Hi"),), MOMENT, hidden=MOMENT),
    ImportedMessage(
        "a",
        "q",
        Role.ASSISTANT,
        PARTS,
        MOMENT,
        rating=Rating.UP,
        answer=AnswerRecord(model_name="m", tokens_per_s=2.5),
        state=MessageState.STOPPED,
    ),
)
CHAT = ImportedConversation(
    "c", "Tea", MESSAGES, "a", MOMENT, MOMENT, "Be kind.", "Work", pinned=True, own=OWN
)


def document(*chats: ImportedConversation) -> Any:
    stream = io.BytesIO()
    own.write(stream, chats)
    return json.loads(stream.getvalue())


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Check the few words of JSON Schema that ours has."""
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kinds = {
        "string": str, "integer": int, "number": int | float, "boolean": bool, "null": type(None),
        "array": list, "object": dict,
    }  # fmt: skip
    if not isinstance(value, kinds[schema["type"]]):
        return False
    if isinstance(value, str):
        return bool(re.search(schema.get("pattern", ""), value))
    if isinstance(value, list):
        return all(fits(each, schema["items"]) for each in value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        only = schema.get("additionalProperties", True) or not value.keys() - properties.keys()
        named = all(fits(each, properties[key]) for key, each in value.items() if key in properties)
        return only and named and set(schema.get("required", ())) <= value.keys()
    return True


def test_what_is_written_is_as_documented() -> None:
    assert fits(document(CHAT, CHAT), SCHEMA)
    assert fits(document(), SCHEMA)
    broken = document(CHAT)
    broken["conversations"][0]["messages"][1]["parts"][2]["sha256"] = "short"
    assert not fits(broken, SCHEMA)


def test_all_of_it_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "attachments").mkdir()
    (tmp_path / "attachments" / SHA).write_bytes(PICTURE)
    found = read(written(tmp_path, document(CHAT)))
    (one,) = found.chats
    assert (found.format, one.own, one.folder, one.pinned) == ("chatdesk", OWN, "Work", True)
    assert one.messages[0] == MESSAGES[0]
    parts = [getattr(part, "part", None) or part for part in one.messages[1].parts]
    assert tuple(parts) == PARTS and one.messages[1].answer == MESSAGES[1].answer
    for file in one.messages[1].files:
        assert file.open
        with file.open() as stream:
            assert stream.read() == PICTURE


def test_what_was_changed_by_hand_is_a_line_of_the_report(tmp_path: Path) -> None:
    for path, value in (
        (("messages", 1, "parent"), "later"),
        (("messages", 1, "role"), "tool"),
        (("messages", 1, "id"), "q"),
        (("messages", 1, "parts", 2), {"type": "hologram"}),
        (("messages", 1, "answer"), {"prompt_tokens": "many"}),
        (("created",), "yesterday"),
        (("title_source",), None),
    ):
        changed = document(CHAT, CHAT)
        at = changed["conversations"][0]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        found = read(written(tmp_path, changed))
        assert (len(found.chats), [each.where for each in found.unread]) == (1, ["“Tea”"]), path
