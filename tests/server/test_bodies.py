"""What clients send that other servers take too, as the engine is asked for it."""

import json
from typing import Any

import msgspec
import pytest

from chatdesk.core.sampling import SamplingParams
from tests.server.conftest import Served
from tests.server.test_guard import CHAT, user

TEAM = {
    "type": "object",
    "properties": {"team": {"type": "string"}},
    "required": ["team"],
    "additionalProperties": False,
}


def asked(served: Served, *messages: Any, **fields: Any) -> Any:
    """What the engine is asked when this is sent; the last message is ours."""
    sent = {"messages": [*messages, *user("options")], **fields}
    reply = served.call("POST", CHAT, sent)
    assert reply.status == 200, reply.body
    return json.loads(reply.json["choices"][0]["message"]["content"])


def read(served: Served, content: Any) -> str:
    text: str = asked(served, {"role": "user", "content": content})["messages"][0]["content"]
    return text


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": {"type": "json_object", "schema": TEAM}},
        {"response_format": {"type": "json_schema", "schema": TEAM}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "t", "schema": TEAM}}},
        {"response_format": {"type": "json_object", "json_schema": {"schema": TEAM}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"schema": TEAM, "strict": "true"},
            }
        },
        {"json_schema": TEAM},
        {"json_schema": TEAM, "response_format": {"type": "json_object"}},
    ],
)
def test_a_schema_is_kept_wherever_it_stands(fake: Served, fields: Any) -> None:
    assert json.loads(asked(fake, **fields)["json_schema"]) == TEAM


def test_whole_numbers_with_a_point(fake: Served) -> None:
    sampling = asked(fake, max_tokens=16.0, top_k=40.0, seed=7.0)["sampling"]
    assert (sampling["max_tokens"], sampling["top_k"], sampling["seed"]) == (16, 40, 7)


def test_what_llama_servers_clients_send_for_off(fake: Served) -> None:
    off = {
        "top_n_sigma": -1.0, "repeat_last_n": -1, "top_k": -1, "dry_penalty_last_n": -1,
        "min_p": -1, "xtc_probability": -1, "dynatemp_range": -1, "dry_multiplier": -1,
    }  # fmt: skip
    sampling = asked(fake, **off)["sampling"]
    widest = 2**16
    expected = SamplingParams(
        top_n_sigma=0.0, repeat_last_n=widest, top_k=0, dry_last_n=-1, min_p=0.0,
        xtc_probability=0.0, dynatemp_range=0.0, dry_multiplier=0.0,
    )  # fmt: skip
    for name in ("top_n_sigma", "repeat_last_n", "top_k", "dry_last_n", "min_p",
                 "xtc_probability", "dynatemp_range", "dry_multiplier"):  # fmt: skip
        assert sampling[name] == getattr(expected, name), name


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (rb'"cut here \ud83d and on"', "cut here \ufffd and on"),
        (rb'"\udc00"', "\ufffd"),
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\ude00 \\ud83d \uD83D"', "😀 \\ud83d \ufffd"),
        (rb'"\ud83d\ude00"', "😀"),
        (b'"a\xed\xa0\xbdb"', "a\ufffdb"),
    ],
)
def test_half_an_emoji(fake: Served, content: bytes, text: str) -> None:
    options = msgspec.json.encode(user("options")[0])
    body = b'{"messages": [{"role": "user", "content": ' + content + b"}, " + options + b"]}"
    reply = fake.call("POST", CHAT, body)
    assert reply.status == 200, reply.body
    said = json.loads(reply.json["choices"][0]["message"]["content"])
    assert said["messages"][0]["content"] == text


def test_a_body_from_powershell(fake: Served) -> None:
    body = b"\xef\xbb\xbf" + msgspec.json.encode({"messages": user("say: Grüße")})
    reply = fake.call("POST", CHAT, body)
    assert reply.json["choices"][0]["message"]["content"] == "Grüße "
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    latin = fake.call("POST", CHAT, body.removeprefix(b"\xef\xbb\xbf").decode().encode("latin-1"))
    assert "UTF-8" in latin.error["message"]


def test_every_response_names_its_charset(fake: Served) -> None:
    for method, path, body in (
        ("GET", "/health", None), ("GET", "/metrics", None), ("GET", "/v1/models", None),
        ("GET", "/nowhere", None), ("POST", CHAT, b"{"), ("POST", CHAT, {"messages": user("hi")}),
        ("POST", CHAT, {"messages": user("hi"), "stream": True}),
        ("POST", "/v1/embeddings", {"input": "a"}),
    ):  # fmt: skip
        reply = fake.call(method, path, body)
        assert reply.headers["content-type"].endswith("; charset=utf-8"), path


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "Be brief"}, {"type": "text", "text": "Why?"}],
         "Be brief\nWhy?"),
        ([{"type": "input_text", "text": "a"}, "b", {"type": "output_text", "text": "c"}],
         "a\nb\nc"),
        ({"type": "text", "text": "alone"}, "alone"),
        ([{"type": "text", "text": ""}, {"text": "a", "cache_control": {"type": "x"}}], "a"),
        ([{"type": "refusal", "refusal": "No."}], "No."),
        ([], ""),
        (None, ""),
    ],
)  # fmt: skip
def test_parts_of_a_message(fake: Served, content: Any, text: str) -> None:
    assert read(fake, content) == text


def test_tools_that_are_not_to_be_called(fake: Served) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    for fields in (
        {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True},
        {"tools": tools, "tool_choice": "none"},
        {"functions": [{"name": "f"}], "function_call": "none"},
    ):
        assert [turn["content"] for turn in asked(fake, **fields)["messages"]] == ["options"]


def test_calls_of_tools_in_a_history_are_words(fake: Served) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    turns = asked(
        fake,
        *user("What is 1 + 41?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "42"}]},
        {"role": "assistant", "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": "7"},
    )["messages"]
    assert [(turn["role"], turn["content"]) for turn in turns] == [
        ("user", "What is 1 + 41?"),
        ("assistant", '[Called the tool add with {"a":1}]'),
        ("user", "[Result of the tool add]\n42"),
        ("assistant", "[Called the tool g with {}]"),
        ("user", "[Result of the tool g]\n7"),
        ("user", "options"),
    ]


def test_a_full_context_is_told_in_the_words_clients_look_for(fake: Served) -> None:
    error = fake.chat("fail: prompt_too_long").error
    assert "This model's maximum context length is 2048 tokens." in error["message"]
    assert error["code"] == "context_length_exceeded"
