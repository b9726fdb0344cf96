from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat import Role
from tests.exchange.conversations.reading import (
    PICTURE,
    parents,
    read,
    said,
    shown,
    written,
    zipped,
)


def message(role: str, *parts: object, **others: Any) -> dict[str, Any]:
    content = {"content_type": "text", "parts": list(parts)}
    return {
        "author": {"role": role},
        "create_time": 1.7e9,
        "content": content,
        "metadata": {"model_slug": "gpt-5"} if role == "assistant" else {},
        **others,
    }


def node(parent: str | None, said: object = None, **others: Any) -> dict[str, Any]:
    return {"parent": parent, "message": said, **others}


def chat(mapping: object, current: object = None, **others: Any) -> dict[str, Any]:
    return {
        "conversation_id": "c1",
        "title": "Bäume 树",
        "create_time": 1.7e9,
        "update_time": 1.7e9 + 60,
        "mapping": mapping,
        "current_node": current,
        **others,
    }


def content(kind: str, role: str = "assistant", **fields: Any) -> dict[str, Any]:
    return message(role) | {"content": {"content_type": kind, **fields}}


PLAIN = {
    "root": node(None, children=["q"]),
    "q": node("root", message("user", "Wie? 什么?"), children=["a", "b"]),
    "a": node("q", message("assistant", "```py\nprint(1)\n```"), children=[]),
    "b": node("q", message("assistant", "Second try"), children=["q2"]),
    "q2": node("b", message("user", "And then?"), children=[]),
}


def test_a_chat_keeps_every_branch_with_dates_and_models(tmp_path: Path) -> None:
    found = read(written(tmp_path, [chat(PLAIN, "a", is_archived=True)]))
    assert found.format == "chatgpt" and not found.unread
    (one,) = found.chats
    assert parents(one) == {"q": None, "a": "q", "b": "q", "q2": "b"}
    assert shown(one) == ["q", "a"]
    assert said(one)["q"] == "Wie? 什么?" and said(one)["a"] == "```py\nprint(1)\n```"
    assert (one.title, one.archived, one.branches) == ("Bäume 树", True, 2)
    assert one.messages[1].model == "gpt-5" and one.messages[0].model == ""
    assert one.created and one.created.timestamp() == 1.7e9


@pytest.mark.parametrize("folder", ["", "my export/"])
def test_shards_with_bad_chats_give_the_good_ones_and_name_the_others(
    tmp_path: Path, folder: str
) -> None:
    no_metadata = message("user", "Hi")
    del no_metadata["metadata"]
    no_author = {"q": node(None, message("user", "Hi")), "x": node("q", message("user", "?"))}
    del no_author["x"]["message"]["author"]
    first = [
        chat(PLAIN, id="good"),
        chat({"q": node(None, no_metadata)}, title="No metadata", conversation_id="c2"),
        chat({}, title="Empty", conversation_id="c3"),
        {"title": "No mapping", "id": "c4"},
        chat(PLAIN, title=None, conversation_id="c5"),
        chat(no_author, conversation_id="c6"),
    ]
    archive = zipped(
        tmp_path / "export.zip",
        {
            f"{folder}conversations-000.json": first,
            f"{folder}conversations-001.json": '[{"id": "c7", "mapping": {}}, ]',
            f"{folder}export_manifest.json": {},
            f"{folder}user.json": {"id": "me"},
            f"{folder}chat.html": "<html>",
        },
    )
    found = read(archive)
    assert [one.id for one in found.chats] == ["c1", "c2", "c3", "c5", "c6", "c7"]
    assert said(found.chats[1]) == {"q": "Hi"} and said(found.chats[4]) == {"q": "Hi"}
    assert found.chats[3].title == "" and not found.chats[2].messages
    assert [(one.where, one.reason) for one in found.unread] == [
        ("“No mapping”", "It has no messages in it.")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conversations.json", {"conversations": [chat(PLAIN)]}),
        ("conversations-003.json", [chat(PLAIN)]),
        ("one.json", chat(PLAIN)),
    ],
)
def test_other_shapes_of_the_file(tmp_path: Path, name: str, value: object) -> None:
    (one,) = read(written(tmp_path, value, name)).chats
    assert len(one.messages) == 4


def test_the_model_of_the_chat_is_that_of_answers_without_one(tmp_path: Path) -> None:
    answer = message("assistant", "Hi", metadata={})
    (one,) = read(
        written(tmp_path, [chat({"a": node(None, answer)}, default_model_slug="o9")])
    ).chats
    assert one.messages[0].model == "o9"


def test_what_is_no_message_is_not_shown_and_the_chain_stays_whole(tmp_path: Path) -> None:
    hidden = {"is_visually_hidden_from_conversation": True}
    chain: dict[str, Any] = {
        "root": None,
        "system": message("system", "", metadata=hidden),
        "about": content("user_editable_context", "user", user_profile="{}", user_instructions="x")
        | {"metadata": hidden},
        "q": message("user", "What is new?"),
        "thoughts": content("thoughts", thoughts=[{"summary": "Plan", "content": "First…"}]),
        "call": content("code", text='{"q": 1}', language="json") | {"recipient": "web.run"},
        "page": content("sonic_webpage", "tool", title="T", url="u", text="{}", snippet="s"),
        "quote": content("tether_quote", "tool", text="{}", url="u"),
        "error": content("system_error", "tool", text="{}"),
        "recap": content("reasoning_recap", content="Thought for 7s"),
        "a": message("assistant", "This【1†source】 \ue200cite\ue202turn0search0\ue201."),
    }
    names = list(chain)
    mapping = {
        name: node(names[place - 1] if place else None, said)
        for place, (name, said) in enumerate(chain.items())
    }
    (one,) = read(written(tmp_path, [chat(mapping, "a")])).chats
    assert parents(one) == {"q": None, "a": "q"}
    assert said(one) == {"q": "What is new?", "a": "This【1†source】 ."}
    assert one.messages[1].thinking == "Plan\n\nFirst…"


def test_thinking_that_no_answer_followed_stays(tmp_path: Path) -> None:
    thoughts = content("thoughts", thoughts=[{"content": "Hm"}])
    mapping = {"q": node(None, message("user", "?")), "t": node("q", thoughts)}
    (one,) = read(written(tmp_path, [chat(mapping, "t")])).chats
    assert (one.messages[1].thinking, one.messages[1].role) == ("Hm", Role.ASSISTANT)
    assert shown(one) == ["q", "t"]


def test_voice_and_pictures(tmp_path: Path) -> None:
    asked = content(
        "multimodal_text",
        "user",
        parts=[
            {"content_type": "audio_transcription", "text": "Where is the key?"},
            {
                "content_type": "real_time_user_audio_video_asset_pointer",
                "audio_asset_pointer": {"asset_pointer": "sediment://file_00aa"},
            },
        ],
    )
    answered = content(
        "multimodal_text",
        parts=[
            {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_00bb"},
            {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-x"},
            "Here.",
            None,
            {"content_type": "hologram"},
        ],
    )
    mapping = {"q": node(None, asked), "a": node("q", answered)}
    archive = zipped(
        tmp_path / "e.zip",
        {
            "conversations.json": [chat(mapping, "a")],
            "file_00aa-voice.wav": b"RIFF",
            "dalle-generations/file-x-cat.webp": PICTURE,
        },
    )
    (one,) = read(archive).chats
    question, answer = one.messages
    assert question.text == "Where is the key?"
    assert [file.open is not None for file in question.files] == [True]
    assert [(file.name, file.open is not None) for file in answer.files] == [
        ("file_00bb", False),
        ("file-x-cat.webp", True),
    ]
    assert answer.text == "Here.\n\n[Not shown: hologram]"


def test_files_that_were_sent_are_files_of_the_message(tmp_path: Path) -> None:
    attachments = [{"id": "file-7", "name": "a 表.csv", "mimeType": "text/csv"}]
    asked = message("user", "See", metadata={"attachments": attachments})
    archive = zipped(
        tmp_path / "e.zip",
        {"conversations.json": [chat({"q": node(None, asked)})], "file-7-a.csv": b"1;2"},
    )
    (one,) = read(archive).chats
    (file,) = one.messages[0].files
    assert (file.name, file.media_type) == ("a 表.csv", "text/csv")


TREES: dict[str, tuple[dict[str, Any], object, dict[str, str | None], list[str]]] = {
    "children only": (
        {
            "r": node(None, None, children=["q"]),
            "q": node(None, message("user", "1"), children=["a", "b"]),
            "b": node(None, message("assistant", "3")),
            "a": node(None, message("assistant", "2")),
        },
        None,
        {"q": None, "a": "q", "b": "q"},
        ["q", "b"],
    ),
    "current node unknown, two roots": (
        {"q": node(None, message("user", "1")), "Q": node(None, message("user", "2"))},
        "nowhere",
        {"q": None, "Q": None},
        ["Q"],
    ),
    "a child that does not name its parent": (
        {
            "q": node(None, message("user", "1"), children=["a"]),
            "p": node(None, message("user", "2"), children=["a"]),
            "a": node("p", message("assistant", "3")),
        },
        "a",
        {"q": None, "p": None, "a": "p"},
        ["p", "a"],
    ),
    "answers before their questions, times equal or none": (
        {
            "a": node("q", message("assistant", "2", create_time=0)),
            "q": node(None, message("user", "1", create_time=None)),
        },
        None,
        {"q": None, "a": "q"},
        ["q", "a"],
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_trees_that_are_not_as_promised(tmp_path: Path, name: str) -> None:
    mapping, current, tree, path = TREES[name]
    (one,) = read(written(tmp_path, [chat(mapping, current)])).chats
    assert parents(one) == tree
    assert shown(one) == path


def test_a_circle_is_one_line_of_the_report(tmp_path: Path) -> None:
    circle = {"q": node("a", message("user", "1")), "a": node("q", message("assistant", "2"))}
    found = read(written(tmp_path, [chat(circle, title="Looping"), chat(PLAIN, id="x")]))
    assert [one.where for one in found.unread] == ["“Looping”"]
    assert len(found.chats) == 1


def test_what_hangs_in_a_circle_beside_a_sound_tree_is_noted(tmp_path: Path) -> None:
    circle = {"x": node("y", message("user", "1")), "y": node("x", message("assistant", "2"))}
    (one,) = read(written(tmp_path, [chat({**PLAIN, **circle})])).chats
    assert len(one.messages) == 4 and len(one.notes) == 1


def test_moments_that_cannot_be_are_unknown(tmp_path: Path) -> None:
    for moment in (-1e9, 0, 1e12 * 9, "1969-01-01", "9999-12-31", "nonsense", 1e400, True):
        (one,) = read(written(tmp_path, [chat(PLAIN, create_time=moment)])).chats
        assert one.created is None, moment
