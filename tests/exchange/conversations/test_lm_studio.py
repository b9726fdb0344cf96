from pathlib import Path
from typing import Any

from tests.exchange.conversations.reading import PICTURE, parents, read, said, shown, written


def asked(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "singleStep", "role": "user", "content": list(content)}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said, "tokensCount": None}


def step(said: str, **others: Any) -> dict[str, Any]:
    return {"type": "contentBlock", "content": [text(said)], **others}


def answered(*steps: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"type": "multiStep", "role": "assistant", "steps": list(steps), **others}


def turn(*versions: dict[str, Any], selected: int = 0) -> dict[str, Any]:
    return {"versions": list(versions), "currentlySelected": selected}


def chat(*turns: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"name": "", "createdAt": 1_700_000_000_000, "messages": list(turns)} | others


THINKING = {"style": {"type": "thinking"}}


def test_all_versions_are_siblings_and_the_selected_one_is_shown(tmp_path: Path) -> None:
    versions = [answered(step(f"Answer {n}"), senderInfo={"senderName": "qwen"}) for n in range(16)]
    versions.append(answered(step("Hm", **THINKING), {"type": "mystery"}, step("```py\n1\n```")))
    export = chat(
        turn(asked(text("树?"))),
        turn(*versions, selected=16),
        turn(asked(text("More"))),
        turn(answered(step("Yes")), {"role": "assistant", "type": "multiStep"}, selected=9),
        systemPrompt="old",
        perChatPredictionConfig={
            "fields": [{"key": "llm.prediction.systemPrompt", "value": "new"}]
        },
    )
    folder = tmp_path / "conversations"
    written(folder / "Work" / "Trees", export, "1700.conversation.json")
    found = read(folder)
    (one,) = found.chats
    assert found.format == "lm-studio"
    assert (one.id, one.folder, one.title, one.system_prompt) == ("1700", "Work / Trees", "", "new")
    assert len([parent for parent in parents(one).values() if parent == "0.0"]) == 17
    assert shown(one) == ["0.0", "1.16", "2.0", "3.0"]
    chosen = next(message for message in one.messages if message.id == "1.16")
    assert (chosen.thinking, chosen.text) == ("Hm", "```py\n1\n```")
    assert one.messages[1].model == "qwen"


def test_files_lie_beside_the_conversations_or_are_missed(tmp_path: Path) -> None:
    def file(name: str) -> dict[str, Any]:
        return {"type": "file", "fileIdentifier": name, "fileType": "image"}

    export = chat(turn(asked(text("See"), file("1700-3.jpg"), file("gone.jpg"), file("../x"))))
    path = written(tmp_path / "conversations", export, "1.conversation.json")
    (tmp_path / "user-files").mkdir()
    (tmp_path / "user-files" / "1700-3.jpg").write_bytes(PICTURE)
    (tmp_path / "x").write_bytes(b"private")
    for source in (path, path.parent):
        (one,) = read(source).chats
        there, *others = one.messages[0].files
        assert there.open
        with there.open() as stream:
            assert stream.read() == PICTURE
        assert [each.open for each in others] == [None, None]
        assert said(one) == {"0.0": "See"}
