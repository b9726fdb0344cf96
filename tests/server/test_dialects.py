"""Responses, Anthropic's Messages and Ollama's /api, over the scripted engine."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import openai
import pytest

from tests.server.conftest import Reply, Served

MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"
CHAT = "/v1/chat/completions"
LONG = "fail: prompt_too_long"


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def events(reply: Reply) -> Iterator[Any]:
    """The events of a stream; each has the name of its type."""
    for event in reply.body.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        document = json.loads(data.removeprefix("data: "))
        assert name == f"event: {document['type']}"
        yield document


def lines(reply: Reply) -> list[Any]:
    assert reply.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    return [json.loads(line) for line in reply.body.splitlines()]


# OpenAI's Responses


def test_a_response(fake: Served) -> None:
    answer = fake.client.responses.create(model="default", input="say: Hello there")
    assert (answer.output_text, answer.status) == ("Hello there ", "completed")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (10, 2)
    thought = fake.client.responses.create(model="default", input="think: Hm.")
    assert thought.usage.output_tokens_details.reasoning_tokens == 1
    assert [item.type for item in thought.output] == ["reasoning", "message"]
    assert thought.output[0].content[0].text == "Hm."
    assert thought.output_text == "Done. "


def test_a_streamed_response(fake: Served) -> None:
    with fake.client.responses.create(model="", input="think: Hm.", stream=True) as stream:
        found = list(stream)
    assert [event.sequence_number for event in found] == list(range(len(found)))
    assert [event.type for event in found] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert found[-1].response.output_text == "Done. "
    with fake.client.responses.stream(model="", input="say: a b") as stream:
        text = "".join(each.delta for each in stream if each.type == "response.output_text.delta")
        assert text == stream.get_final_response().output_text == "a b "


def test_what_the_engine_is_asked_by_a_response(fake: Served) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    answer = fake.client.responses.create(
        model="",
        instructions="Be brief.",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "1"}]},
            {"type": "reasoning", "id": "r", "summary": []},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "42"},
            {"role": "user", "content": "options"},
        ],
        max_output_tokens=9,
        text={"format": {"type": "json_schema", "name": "x", "schema": schema}},
    )
    asked = json.loads(answer.output_text)
    assert [(turn["role"], turn["content"]) for turn in asked["messages"]] == [
        ("system", "Be brief."),
        ("user", "1"),
        ("assistant", "[Called the tool f with {}]"),
        ("user", "[Result of the tool f]\n42"),
        ("user", "options"),
    ]
    assert json.loads(asked["json_schema"]) == schema
    assert asked["sampling"]["max_tokens"] == 9


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": "resp_1"},
        {"background": True},
        {"tools": [{"type": "function", "name": "f"}]},
        {"input": []},
        {"text": {"format": {"type": "json_schema", "name": "x"}}},
    ],
)
def test_responses_that_cannot_be_served(fake: Served, fields: Any) -> None:
    reply = fake.call("POST", RESPONSES, {"input": "say: hi", **fields})
    assert reply.status == 400
    assert reply.error["message"]
    with pytest.raises(openai.BadRequestError, match="maximum context length"):
        fake.client.responses.create(model="", input=LONG)


def test_the_place_of_a_fault_is_told_in_the_words_of_each_interface(fake: Served) -> None:
    image = {"type": "input_image", "image_url": "x"}
    items = [{"type": "reasoning", "summary": []}, {"role": "user", "content": [image]}]
    reply = fake.call("POST", RESPONSES, {"input": items})
    assert reply.error["param"] == "input[1].content[0]"
    assert fake.call("POST", RESPONSES, {"input": [{"role": 5}]}).error["param"] == "input[0].role"
    result = {"type": "tool_result", "content": [{"type": "text", "text": "a"}, {"type": "image"}]}
    turn = {"role": "user", "content": [{"type": "text", "text": "hi"}, result]}
    reply = fake.call("POST", MESSAGES, {"max_tokens": 5, "messages": [turn]})
    place = "messages[0].content[1].content[1]: "
    assert reply.json["error"]["message"].startswith(place)


# Anthropic's Messages


def message(fake: Served, text: str, **more: Any) -> Reply:
    return fake.call("POST", MESSAGES, {"max_tokens": 9, "messages": user(text), **more})


def test_a_message(fake: Served) -> None:
    found = message(fake, "think: Hm.").json
    assert found["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Done. "},
    ]
    assert (found["type"], found["role"], found["stop_reason"]) == (
        "message",
        "assistant",
        "end_turn",
    )
    assert found["usage"] == {
        "input_tokens": 6,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
        "output_tokens": 1,
    }


def test_a_streamed_message(fake: Served) -> None:
    found = list(events(message(fake, "think: Hm.", stream=True)))
    assert [(each["type"], each.get("index")) for each in found] == [
        ("message_start", None),
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert found[2]["delta"] == {"type": "thinking_delta", "thinking": "Hm."}
    assert found[5]["delta"] == {"type": "text_delta", "text": "Done. "}
    assert found[-2]["delta"]["stop_reason"] == "end_turn"
    assert found[-2]["usage"]["output_tokens"] == 1


def test_the_stop_string_that_ended_a_message_is_named(fake: Served) -> None:
    asked: Any = {"text": "say: one two three", "stop_sequences": ["four", "two"]}
    found = message(fake, **asked).json
    assert (found["stop_reason"], found["stop_sequence"]) == ("stop_sequence", "two")
    assert found["content"] == [{"type": "text", "text": "one "}]
    streamed = list(events(message(fake, **asked, stream=True)))
    assert streamed[0]["message"]["stop_sequence"] is None
    assert streamed[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "two"}
    ended = message(fake, "say: one", stop_sequences=["two"]).json
    assert (ended["stop_reason"], ended["stop_sequence"]) == ("end_turn", None)


@pytest.mark.parametrize(
    ("path", "body", "thinks"),
    [
        ("/api/chat", {"messages": user("options")}, None),
        ("/api/chat", {"messages": user("options"), "think": False}, False),
        ("/api/generate", {"prompt": "options", "think": True}, True),
        ("/api/generate", {"prompt": "options", "think": "low"}, True),
        (MESSAGES, {"messages": user("options"), "max_tokens": 9}, None),
        (MESSAGES, {"messages": user("options"), "max_tokens": 9,
                    "thinking": {"type": "disabled"}}, False),
        (RESPONSES, {"input": "options", "reasoning": {"effort": "none"}}, False),
        (RESPONSES, {"input": "options", "reasoning": {"effort": "low"}}, None),
        (CHAT, {"messages": user("options"), "reasoning_effort": "none"}, False),
        (CHAT, {"messages": user("options"), "enable_thinking": False}, False),
        (CHAT, {"messages": user("options"), "chat_template_kwargs": {"thinking": True}}, True),
        (CHAT, {"messages": user("options"), "chat_template_kwargs": {"enable_thinking": False}},
         False),
    ],
)  # fmt: skip
def test_whether_a_model_shall_think(fake: Served, path: str, body: Any, thinks: Any) -> None:
    written = fake.call("POST", path, {**body, "stream": False}).body.decode()
    said = {None: "null", True: "true", False: "false"}[thinks]
    assert f'\\"thinks\\":{said}' in written


def test_what_the_engine_is_asked_by_a_message(fake: Served) -> None:
    turns = [
        *user("What is 1 + 41?"),
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "text", "text": "I add."},
                {"type": "tool_use", "id": "t", "name": "add", "input": {"a": 1}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "42"}]},
        *user("options"),
    ]
    reply = fake.call(
        "POST",
        MESSAGES,
        {
            "max_tokens": 9,
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {}}],
            "messages": turns,
            "stop_sequences": ["X"],
            "top_k": 3,
            "temperature": 0,
        },
    )
    asked = json.loads(reply.json["content"][0]["text"])
    assert [(turn["role"], turn["content"], turn["thinking"]) for turn in asked["messages"]] == [
        ("system", "Be brief.", ""),
        ("user", "What is 1 + 41?", ""),
        ("assistant", 'I add.\n[Called the tool add with {"a":1}]', "Hm."),
        ("user", "[Result of the tool add]\n42", ""),
        ("user", "options", ""),
    ]
    sampling = asked["sampling"]
    assert (sampling["max_tokens"], sampling["stop"], sampling["top_k"]) == (9, ["X"], 3)


def test_the_tokens_of_a_message_are_counted(fake: Served) -> None:
    body = {"system": "one two", "messages": user("three four five")}
    assert fake.call("POST", f"{MESSAGES}/count_tokens", body).json == {"input_tokens": 5}


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"max_tokens": None}, 400, "invalid_request_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        ({"tools": [{"name": "f"}]}, 400, "invalid_request_error"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, 400,
         "invalid_request_error"),
        ({"model": "claude-x"}, 404, "not_found_error"),
    ],
)  # fmt: skip
def test_messages_that_cannot_be_served(fake: Served, fields: Any, status: int, kind: str) -> None:
    reply = message(fake, "say: hi", **fields)
    assert reply.status == status
    assert (reply.json["type"], reply.json["error"]["type"]) == ("error", kind)
    assert message(fake, LONG, tools=[{}], tool_choice={"type": "none"}).status == 400


# Ollama


def test_a_chat_of_ollama(fake: Served) -> None:
    *pieces, last = lines(fake.call("POST", "/api/chat", {"messages": user("say: a b")}))
    assert [each["message"]["content"] for each in pieces] == ["a ", "b "]
    assert not any(each["done"] for each in pieces)
    streamed = {"messages": user("say: a b"), "stream": None}
    assert len(lines(fake.call("POST", "/api/chat", streamed))) == 3
    assert (last["done"], last["done_reason"], last["eval_count"]) == (True, "stop", 2)
    body = {"messages": user("think: Hm."), "stream": False}
    whole = fake.call("POST", "/api/chat", body).json
    assert whole["message"] == {"role": "assistant", "content": "Done. ", "thinking": "Hm."}
    assert whole["prompt_eval_count"] == 10


def test_what_the_engine_is_asked_by_ollama(fake: Served) -> None:
    schema = {"type": "object"}
    body = {
        "model": "default:latest",
        "prompt": "options",
        "system": "Be brief.",
        "stream": False,
        "format": schema,
        "options": {
            "num_predict": 9, "top_k": 3, "seed": 5, "stop": ["X"], "num_ctx": 4096,
            "n": 3, "messages": [], "tools": [1],
        },
        "keep_alive": "5m",
    }  # fmt: skip
    asked = json.loads(fake.call("POST", "/api/generate", body).json["response"])
    assert [turn["content"] for turn in asked["messages"]] == ["Be brief.", "options"]
    assert json.loads(asked["json_schema"]) == schema
    sampling = asked["sampling"]
    found = [sampling[name] for name in ("max_tokens", "top_k", "seed", "stop")]
    assert found == [9, 3, 5, ["X"]]
    raw = {"prompt": "options", "raw": True, "stream": False}
    asked = json.loads(fake.call("POST", "/api/generate", raw).json["response"])
    assert (asked["prompt"], asked["messages"]) == ("options", [])


def test_models_and_vectors_for_ollama(fake: Served) -> None:
    model = fake.services.engine.status.model
    assert model
    tags = {each["model"]: each for each in fake.call("GET", "/api/tags").json["models"]}
    assert tags[model.id]["size"] == model.header.bytes
    shown = fake.call("POST", "/api/show", {"model": f"{model.id}:latest"}).json
    architecture = model.header.architecture
    assert shown["details"]["family"] == architecture
    assert shown["model_info"][f"{architecture}.context_length"] == model.header.context_length
    assert fake.call("GET", "/api/version").json["version"]
    assert shown["capabilities"] == ["completion", "embedding"]
    found = fake.call("POST", "/api/embed", {"input": ["a", "b c"]}).json
    assert (found["embeddings"], found["prompt_eval_count"]) == ([[1, 0], [1, 0]], 3)
    assert fake.call("POST", "/api/embeddings", {"prompt": "a"}).json == {"embedding": [1, 0]}


def test_a_request_of_ollama_without_words_loads_or_unloads(fake: Served) -> None:
    model = fake.services.engine.status.model
    assert model

    def loaded() -> list[Any]:
        return [each["model"] for each in fake.call("GET", "/api/ps").json["models"]]

    named = {"model": model.id}
    found = fake.call("POST", "/api/generate", {**named, "keep_alive": 0}).json
    assert (found["response"], found["done"], found["done_reason"]) == ("", True, "unload")
    assert loaded() == []
    found = fake.call("POST", "/api/chat", {**named, "messages": []}).json
    assert found["message"] == {"role": "assistant", "content": ""}
    assert (found["model"], found["done_reason"]) == (model.id, "load")
    assert loaded() == [model.id]
    assert fake.call("POST", "/api/chat", {**named, "keep_alive": "0s"}).json["done"]
    assert loaded() == []
    assert fake.call("POST", "/api/embed", {**named, "input": ""}).json["embeddings"] == []
    assert loaded() == [model.id]
    assert fake.call("POST", "/api/generate", {"model": "nobody"}).status == 404
    assert fake.call("POST", "/api/generate", {"model": "nobody", "keep_alive": 0}).status == 404


def test_the_loaded_model_is_told_with_its_size_and_time(fake: Served) -> None:
    (found,) = fake.call("GET", "/api/ps").json["models"]
    status = fake.services.engine.status
    assert status.loaded
    assert found["context_length"] == status.loaded.context_window
    assert (found["size"], found["size_vram"]) == (status.loaded.bytes, 0)
    left = datetime.fromisoformat(found["expires_at"]) - datetime.now(UTC)
    assert 25 * 60 < left.total_seconds() <= 30 * 60


def test_a_model_that_is_used_is_not_unloaded_for_ollama(fake: Served) -> None:
    model = fake.services.engine.status.model
    assert model
    slow = fake.open("/api/chat", {"messages": user("slow")})
    fake.until(lambda: fake.running() == 1)
    fake.call("POST", "/api/generate", {"model": model.id, "keep_alive": 0})
    assert fake.call("GET", "/api/ps").json["models"]
    slow.close()
    fake.until(lambda: fake.running() == 0)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/chat", {"messages": [{"role": "user", "content": "a", "images": ["x"]}]}, 400),
        ("/api/chat", {"messages": [{"role": "user", "content": "a"}], "format": "xml"}, 400),
        ("/api/generate", {"prompt": "a", "suffix": "b"}, 400),
        ("/api/generate", {"prompt": "a", "options": {"top_k": "x"}}, 400),
        ("/api/embed", {"input": "a", "dimensions": 1}, 400),
        ("/api/show", {"model": "nobody"}, 404),
        ("/api/chat", {"model": "nobody", "messages": [{"role": "user", "content": "a"}]}, 404),
        ("/api/chat", {"messages": [{"role": "user", "content": LONG}], "stream": False}, 400),
        ("/api/nowhere", {}, 404),
    ],
)
def test_what_ollamas_clients_are_refused(fake: Served, path: str, body: Any, status: int) -> None:
    reply = fake.call("POST", path, body)
    assert reply.status == status
    assert list(reply.json) == ["error"]
    assert isinstance(reply.json["error"], str)
