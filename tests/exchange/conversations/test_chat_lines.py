import json
from pathlib import Path

from tests.exchange.conversations.reading import read, said, written

SHARE = {
    "conversations": [
        {"from": "system", "value": "Be kind."},
        {"from": "human", "value": "树?"},
        {"from": "gpt", "value": "```\nx\n```"},
    ]
}
OPENAI = {
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
            ],
        },
        {"role": "assistant", "content": "Ho", "reasoning_content": "Hm"},
    ]
}


def test_lines_of_both_kinds_and_what_is_none_of_them(tmp_path: Path) -> None:
    lines = [
        json.dumps(SHARE),
        "",
        "nonsense",
        json.dumps(OPENAI),
        '{"text": "x"}',
        json.dumps(SHARE),
    ]
    found = read(written(tmp_path, "\n".join(lines), "chats.jsonl"))
    assert found.format == "chat-jsonl"
    first, second, third = found.chats
    assert (first.system_prompt, list(said(first).values())) == ("Be kind.", ["树?", "```\nx\n```"])
    assert second.messages[1].thinking == "Hm" and second.messages[0].files[0].open
    assert first.id == third.id != second.id
    assert [each.where for each in found.unread] == ["chats.jsonl, line 3", "chats.jsonl, line 5"]


def test_an_array_and_a_single_chat(tmp_path: Path) -> None:
    for value in ([SHARE, OPENAI], SHARE):
        found = read(written(tmp_path, value))
        assert found.format == "chat-jsonl" and found.chats[0].system_prompt == "Be kind."
    (one,) = read(written(tmp_path, json.dumps(SHARE, indent=1))).chats
    assert len(one.messages) == 2
