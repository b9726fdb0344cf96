"""The API with OpenAI's own client, over the scripted engine."""

import base64
import itertools
import json
import math
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import Finished, GenerationStats, TextDelta, TokenLogprob
from chatdesk.core.model_files import ModelNotes
from chatdesk.core.models import ModelFile
from chatdesk.core.sampling import SamplingParams
from chatdesk.server import serving
from chatdesk.server.wording.base import WrittenAnswer
from chatdesk.server.wording.completions import ChatWording, CompletionWording
from tests.gguf_files import raw
from tests.server.conftest import Served
from tests.tiny_models import tiny_model


def ask(served: Served, text: str, **more: Any) -> Any:
    messages = [{"role": "user", "content": text}]
    return served.client.chat.completions.create(model="default", messages=messages, **more)


def model_in_use(served: Served) -> ModelFile:
    model = served.services.engine.status.model
    assert model
    return model


def test_models(fake: Served) -> None:
    starter = model_in_use(fake)
    listed = {model.id: model for model in fake.client.models.list()}
    assert listed[starter.id].model_extra == {"name": starter.header.name, "loaded": True}
    assert fake.client.models.retrieve(starter.id).owned_by == "chatdesk"
    with pytest.raises(openai.NotFoundError):
        fake.client.models.retrieve("nobody")


def test_a_whole_answer(fake: Served) -> None:
    answer = ask(fake, "say: Hello there")
    assert answer.id.startswith("chatcmpl-")
    assert answer.object == "chat.completion"
    assert answer.model == model_in_use(fake).id
    (choice,) = answer.choices
    assert (choice.message.role, choice.message.content) == ("assistant", "Hello there ")
    assert (choice.finish_reason, choice.logprobs) == ("stop", None)
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 2, 12)
    assert usage.prompt_tokens_details.cached_tokens == 4


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_noted_as_use_of_its_model(
    fake: Served, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "NOTE_EVERY_S", -math.inf)
    model = model_in_use(fake)
    fake.services.models.notes.note(model.id, lambda notes: ModelNotes())
    answer = ask(fake, "say: " + "word " * 40, stream=stream)
    if stream:
        list(answer)
    fake.until(lambda: fake.services.models.notes.of(model.id).tokens_per_s > 0)
    assert fake.services.models.notes.of(model.id).last_used


def test_not_each_of_many_answers_is_noted(fake: Served) -> None:
    model, service = model_in_use(fake), serving.ServingService(fake.services)
    fake.services.models.notes.note(model.id, lambda notes: ModelNotes())
    for speed in (7.0, 8.0):
        service.note(model, GenerationStats(10, 0, 40, 0.1, speed, 1.0, 0))
    assert fake.services.models.notes.of(model.id).tokens_per_s == 7.0


def test_a_streamed_answer(fake: Served) -> None:
    with ask(fake, "say: one two", stream=True) as stream:
        first, *pieces, last = stream
    assert first.choices[0].delta.role == "assistant"
    assert [piece.choices[0].delta.content for piece in pieces] == ["one ", "two "]
    assert last.choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in (first, *pieces, last)}) == 1
    options = {"include_usage": True}
    with ask(fake, "say: one two", stream=True, stream_options=options) as stream:
        *_, last = stream
    assert last.choices == []
    assert last.usage.prompt_tokens_details.cached_tokens == 4


def test_a_stream_is_made_of_events_and_ends_with_done(fake: Served) -> None:
    for path, body in (
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "say: a\nb"}]}),
        ("/v1/completions", {"prompt": "say: a b"}),
    ):
        reply = fake.call("POST", path, {**body, "stream": True})
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        *events, done, rest = reply.body.decode().split("\n\n")
        assert (done, rest) == ("data: [DONE]", "")
        for event in events:
            assert json.loads(event.removeprefix("data: "))["choices"][0]["index"] == 0


def test_thinking_is_sent_apart(fake: Served) -> None:
    message = ask(fake, "think: Hm. Well.").choices[0].message
    assert message.content == "Done. "
    assert message.model_extra["reasoning_content"] == "Hm. Well."
    with ask(fake, "think: Hm.", stream=True) as stream:
        deltas = [chunk.choices[0].delta for chunk in stream]
    thoughts = [delta.model_extra.get("reasoning_content") for delta in deltas]
    assert list(filter(None, thoughts)) == ["Hm."]
    assert "".join(delta.content or "" for delta in deltas) == "Done. "


def test_what_the_engine_is_asked(fake: Served) -> None:
    schema = {"type": "object", "properties": {"b": {}, "a": {}}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]},
        {"role": "assistant", "content": "3", "reasoning_content": "Hm."},
        {"role": "user", "content": "options"},
    ]
    body = {
        "messages": messages, "temperature": 0, "top_p": 0.5, "seed": 3, "stop": ["X", ""],
        "max_tokens": 9, "max_completion_tokens": 8, "frequency_penalty": 1,
        "presence_penalty": -1, "logit_bias": {"5": -100}, "top_k": 7, "min_p": 0.1,
        "repeat_penalty": 1.5, "typical_p": 0.9, "mirostat": 2, "dry_penalty_last_n": 5,
        "dry_sequence_breakers": ["."], "logprobs": True, "top_logprobs": 2,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
        "user": "somebody", "metadata": {"a": "b"},
    }  # fmt: skip
    reply = fake.call("POST", "/v1/chat/completions", body)
    asked = json.loads(reply.json["choices"][0]["message"]["content"])
    turns = [(turn["role"], turn["content"], turn["thinking"]) for turn in asked["messages"]]
    assert turns == [
        ("system", "Be brief.", ""), ("user", "1\n2", ""),
        ("assistant", "3", "Hm."), ("user", "options", ""),
    ]  # fmt: skip
    assert asked["json_schema"] == json.dumps(schema, separators=(",", ":"))
    assert (asked["logprobs"], asked["session"], asked["background"]) == (2, None, False)
    expected = SamplingParams(
        temperature=0.0, top_p=0.5, seed=3, stop=("X",), max_tokens=8, frequency_penalty=1.0,
        presence_penalty=-1.0, logit_bias=((5, -100.0),), top_k=7, min_p=0.1, repeat_penalty=1.5,
        typical_p=0.9, mirostat=2, dry_last_n=5, dry_breakers=(".",),
    )  # fmt: skip
    assert asked["sampling"] == json.loads(json.dumps(vars_of(expected)))


def vars_of(params: SamplingParams) -> dict[str, object]:
    return {name: getattr(params, name) for name in params.__dataclass_fields__}


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"response_format": {"type": "text"}}, "json_schema", None),
        ({"response_format": {"type": "json_object"}}, "json_schema", '{"type":"object"}'),
        ({"grammar": "root::=[a]"}, "grammar", "root::=[a]"),
        ({"logprobs": True}, "logprobs", 0),
        ({"logprobs": False}, "logprobs", None),
    ],
)
def test_shapes_of_an_answer(fake: Served, body: dict[str, Any], field: str, value: object) -> None:
    asked = json.loads(fake.chat("options", **body).json["choices"][0]["message"]["content"])
    assert asked[field] == value


def test_what_is_not_said_is_the_persons_own_choice(fake: Served) -> None:
    reply = fake.chat("options", temperature=None, max_tokens=-1, seed=-1, stop="END")
    asked = json.loads(reply.json["choices"][0]["message"]["content"])["sampling"]
    assert asked.pop("stop") == ["END"]
    expected = json.loads(json.dumps(vars_of(SamplingParams())))
    assert expected.pop("stop") == []
    assert asked == expected


def test_logprobs_of_a_chat(fake: Served) -> None:
    choice = ask(fake, "say: Grüße dich", logprobs=True, top_logprobs=2).choices[0]
    first, second = choice.logprobs.content
    assert (first.token, first.logprob, first.bytes) == ("Grüße ", -0.5, list("Grüße ".encode()))
    assert [(other.token, other.logprob) for other in second.top_logprobs] == [
        ("dich ", -0.5), ("dich ", -1.5),
    ]  # fmt: skip
    with ask(fake, "say: a b", logprobs=True, stream=True) as stream:
        found = [chunk.choices[0].logprobs for chunk in stream]
    assert [each.content[0].token for each in found if each] == ["a ", "b "]


def test_completions(fake: Served) -> None:
    create = fake.client.completions.create
    answer = create(model="", prompt="say: Grüße dich", logprobs=1)
    assert answer.object == "text_completion"
    (choice,) = answer.choices
    assert (choice.text, choice.finish_reason) == ("Grüße dich ", "stop")
    assert choice.logprobs.tokens == ["Grüße ", "dich "]
    assert choice.logprobs.text_offset == [0, 6]
    assert choice.logprobs.top_logprobs[1] == {"dich ": -0.5}
    assert answer.usage.total_tokens == 12
    with create(model="", prompt=["say: a b"], stream=True, logprobs=0) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks) == "a b "
    offsets = [chunk.choices[0].logprobs.text_offset for chunk in chunks[:-1]]
    assert offsets == [[0], [2]]
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_echo_gives_the_prompt_back_as_lm_eval_reads_it(fake: Served) -> None:
    create = fake.client.completions.create
    prompts = [[5, 6, 4], [7, 8]]
    answer = create(model="", prompt=prompts, echo=True, logprobs=1, max_tokens=1, temperature=0)
    for prompt, choice in zip(prompts, answer.choices, strict=True):
        found = choice.logprobs
        assert found.token_logprobs[: len(prompt)] == [None] + [-0.5] * (len(prompt) - 1)
        assert found.top_logprobs[0] is None
        # From the end of the context on, without what was generated: what lm_eval adds up.
        for value, top in list(zip(found.token_logprobs, found.top_logprobs, strict=True))[1:-1]:
            assert value == max(top.values())
        assert found.tokens[: len(prompt)] == ["x" * length for length in prompt]
        assert found.text_offset[1] == prompt[0]
        assert choice.text.startswith("".join(found.tokens[: len(prompt)]))


def test_echo_alone_asks_for_no_token(fake: Served) -> None:
    create = fake.client.completions.create
    answer = create(model="", prompt="say: a b", echo=True, max_tokens=0, logprobs=0)
    (choice,) = answer.choices
    assert (choice.text, choice.finish_reason) == ("say: a b", "length")
    assert choice.logprobs.token_logprobs == [None, -0.5, -0.5]
    assert answer.usage.completion_tokens == 0
    with create(model="", prompt="say: a b", echo=True, stream=True) as stream:
        pieces = [chunk.choices[0].text for chunk in stream]
    assert pieces[:2] == ["say: a b", "a "]
    reply = fake.call("POST", "/v1/completions", {"prompt": "x", "max_tokens": 0})
    assert (reply.status, reply.error["param"]) == (400, "max_tokens")


def test_a_list_of_prompts(fake: Served) -> None:
    create = fake.client.completions.create
    prompts = [f"say: number {index}" for index in range(20)]
    answer = create(model="", prompt=prompts)
    assert [(each.index, each.text) for each in answer.choices] == [
        (index, f"number {index} ") for index in range(20)
    ]
    assert answer.usage.prompt_tokens == 20 * 10
    texts = [""] * 20
    ends = []
    with create(model="", prompt=prompts, stream=True) as stream:
        for chunk in stream:
            (choice,) = chunk.choices
            texts[choice.index] += choice.text
            ends += [choice.index] if choice.finish_reason else []
    assert texts == [f"number {index} " for index in range(20)]
    assert sorted(ends) == list(range(20))
    answer = create(model="", prompt=[[5, 6], [7]])
    assert [each.text for each in answer.choices] == ["of tokens ", "of tokens "]
    assert create(model="", prompt=[5, 6]).choices[0].text == "of tokens "
    assert fake.running() == fake.metric("chatdesk_requests_waiting") == 0


def test_several_answers(fake: Served) -> None:
    answer = ask(fake, "say: Hello there", n=8)
    assert [choice.index for choice in answer.choices] == list(range(8))
    assert {choice.message.content for choice in answer.choices} == {"Hello there "}
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 16)
    seeds = [
        json.loads(choice.message.content)["sampling"]["seed"]
        for choice in ask(fake, "options", n=3, seed=7).choices
    ]
    assert seeds == [7, 8, 9]
    with ask(fake, "say: a b", n=2, stream=True) as stream:
        chunks = list(stream)
    for index in (0, 1):
        mine = [chunk.choices[0] for chunk in chunks if chunk.choices[0].index == index]
        assert mine[0].delta.role == "assistant"
        assert "".join(choice.delta.content or "" for choice in mine) == "a b "
        assert mine[-1].finish_reason == "stop"


def test_several_answers_that_are_left_free_their_places(fake: Served) -> None:
    with ask(fake, "slow", n=8, stream=True) as stream:
        assert len(list(itertools.islice(stream, 20))) == 20
        fake.until(lambda: fake.running() == 8)
    fake.until(lambda: fake.running() == 0 and not fake.services.engine.busy)
    with pytest.raises(openai.APIError, match="maximum context length"):
        ask(fake, "fail: prompt_too_long", n=4)
    assert fake.running() == fake.metric("chatdesk_requests_waiting") == 0


def test_a_token_that_is_half_a_character_or_all_but_impossible() -> None:
    half = TokenLogprob(1, (0xC3,), float("-inf"))
    other = TokenLogprob(2, (0xBC,), -1.0, (half,))
    deltas = [TextDelta("1", "ü", (half, other)), TextDelta("1", "!", ())]
    stats = GenerationStats(1, 0, 2, None, None, 0.1, 1)
    finished = Finished("1", StopReason.LENGTH, stats)
    answers = [WrittenAnswer(list(deltas), finished)]
    (choice,) = CompletionWording("1", "m").whole(answers)["choices"]
    assert choice["logprobs"] == {
        "tokens": ["bytes:\\xc3", "bytes:\\xbc"],
        "token_logprobs": [-9999.0, -1.0],
        "top_logprobs": [{}, {"bytes:\\xc3": -9999.0}],
        "text_offset": [0, 1],
    }
    (choice,) = ChatWording("1", "m").whole(answers)["choices"]
    assert choice["finish_reason"] == "length"
    assert choice["logprobs"]["content"][0]["bytes"] == [0xC3]


def test_where_the_view_of_a_chat_began_is_told_with_what_it_cuts() -> None:
    whole = GenerationStats(1, 0, 2, None, None, 0.1, 1)
    cut = replace(whole, view_start=3, view_cut=3)
    answers = [
        WrittenAnswer([], Finished("1", StopReason.END, stats)) for stats in (whole, cut, whole)
    ]
    wording = ChatWording("1", "m", per_prompt=3)
    for told in (wording.whole(answers), *wording.closing(1, answers[1])):
        assert (told["view_start"], told["view_cut"]) == (3, 3)
    (told,) = wording.closing(0, answers[0])
    assert (told["view_start"], told["view_cut"]) == (0, None)


def test_embeddings(fake: Served) -> None:
    create = fake.client.embeddings.create
    found = create(model="default", input=["two words", "one"])  # the client asks for base64
    assert [(each.index, each.embedding) for each in found.data] == [(0, [1, 0]), (1, [1, 0])]
    assert (found.usage.prompt_tokens, found.usage.total_tokens) == (3, 3)
    found = create(model="default", input="one", encoding_format="float")
    assert found.data[0].embedding == [1, 0]
    body = {"input": "one", "encoding_format": "base64"}
    reply = fake.call("POST", "/v1/embeddings", body)
    data = base64.b64decode(reply.json["data"][0]["embedding"])
    assert struct.unpack("<2f", data) == (1, 0)


# The end of a request


def test_a_stream_that_is_left_frees_its_place(fake: Served) -> None:
    with ask(fake, "slow", stream=True) as stream:
        assert len(list(itertools.islice(stream, 5))) == 5
        assert fake.running() == 1
    # It runs until the engine reports the end; the "slow" script ends only on a Cancel.
    fake.until(lambda: fake.running() == 0)
    assert not fake.services.engine.busy


def test_a_client_that_does_not_wait_for_its_answer_frees_its_place(fake: Served) -> None:
    with closing(
        fake.open("/v1/chat/completions", {"messages": [{"role": "user", "content": "slow"}]})
    ):
        fake.until(lambda: fake.running() == 1)
    fake.until(lambda: fake.running() == 0)
    assert not fake.services.engine.busy
    gone = 'chatdesk_requests_total{route="/v1/chat/completions",status="499"}'
    assert fake.metric(gone) >= 1


def test_many_that_leave_at_any_moment(fake: Served) -> None:
    body = {"messages": [{"role": "user", "content": "slow"}], "stream": True}
    for _ in range(20):
        fake.open("/v1/chat/completions", body).close()
    fake.until(
        lambda: (
            fake.metric("chatdesk_requests_waiting") == fake.running() == 0
            and not fake.services.engine.busy
        )
    )
    assert ask(fake, "say: still here").choices[0].message.content == "still here "


@pytest.mark.parametrize(
    ("code", "status", "wanted"),
    [
        ("prompt_too_long", 400, "context_length_exceeded"),
        ("parameter", 400, "parameter"),
        ("grammar", 400, "grammar"),
        ("schema", 400, "schema"),
        ("template", 400, "template"),
        ("internal", 500, "internal"),
        ("out_of_memory", 500, "out_of_memory"),
    ],
)
def test_what_the_engine_refuses(fake: Served, code: str, status: int, wanted: str) -> None:
    reply = fake.chat(f"fail: {code}")
    assert (reply.status, reply.error["code"]) == (status, wanted)
    events = fake.chat(f"fail: {code}", stream=True).body
    assert json.loads(events.split(b"\n\n")[-3].removeprefix(b"data: "))["error"]["code"] == wanted
    assert events.endswith(b"data: [DONE]\n\n")


def test_the_engine_dies_under_an_answer(fake: Served) -> None:
    assert fake.chat("die").error["code"] == "engine_unavailable"
    with pytest.raises(openai.APIError, match="ended the engine"):
        with ask(fake, "die", stream=True) as stream:
            list(stream)
    assert fake.running() == 0
    assert ask(fake, "say: I am back").choices[0].message.content == "I am back "


# Which model answers


def test_a_model_that_is_not_for_chats(fake: Served, tmp_path: Path) -> None:
    file = tmp_path / "nomic.gguf"
    file.write_bytes(raw({"general.architecture": "nomic-bert"}))
    embedder = fake.services.models.add(file)
    eyes = tmp_path / "eyes.gguf"
    eyes.write_bytes(raw({"general.architecture": "clip"}))
    projector = fake.services.models.add(eyes)
    listed = {each["id"]: each for each in fake.call("GET", "/v1/models").json["data"]}
    assert projector.id not in listed
    assert listed[embedder.id]["role"] == "embedder"
    assert "role" not in listed[model_in_use(fake).id]
    fake.services.models.forget(projector.id)
    reply = fake.chat("say: hello", model=embedder.id)
    assert (reply.status, reply.error["code"]) == (400, "model_not_supported")
    assert "is for embeddings, not for chats" in reply.error["message"]
    fake.services.models.forget(embedder.id)


def test_a_model_that_nobody_knows(fake: Served) -> None:
    for name in ("gpt-4o", model_in_use(fake).path):
        reply = fake.chat("say: hello", model=name)
        assert (reply.status, reply.error["code"]) == (404, "model_not_found")


def test_another_model_is_loaded_when_nothing_is_being_answered(fake: Served) -> None:
    first = model_in_use(fake)
    path = fake.services.models._folder / "second.gguf"
    second = fake.services.models.add(tiny_model(path, context_length=500))
    messages = [{"role": "user", "content": "slow"}]
    with closing(fake.open("/v1/chat/completions", {"messages": messages})):
        fake.until(lambda: fake.running() == 1)
        reply = fake.chat("say: hello", model=second.id)
        assert (reply.status, reply.error["code"]) == (503, "model_busy")
        assert int(reply.headers["retry-after"]) > 0
        assert fake.chat("say: hello", model=first.header.name).status == 200
    for wanted in (second, first):
        fake.until(lambda: not fake.services.engine.busy)
        reply = fake.chat("say: hello", model=wanted.id)
        assert reply.json["model"] == wanted.id
        assert model_in_use(fake).id == wanted.id


def test_a_model_that_cannot_be_loaded(fake: Served) -> None:
    path = fake.services.models._folder / "unknown.gguf"
    broken = fake.services.models.add(tiny_model(path, context_length=400))
    reply = fake.chat("say: hello", model=broken.id)
    assert (reply.status, reply.error["code"]) == (503, "engine_unavailable")
    assert "mystery" in reply.error["message"]
    health = fake.call("GET", "/health")
    assert (health.status, health.json) == (503, {"status": "failed"})
    fake.services.load_default_model()
    fake.services.engine.wait_loaded()
    assert fake.call("GET", "/health").json == {"status": "ok"}


# The figures


def test_metrics(fake: Served) -> None:
    names = (
        "prompt_tokens_total",
        "cached_tokens_total",
        "completion_tokens_total",
        "time_to_first_token_seconds_count",
        "tokens_per_second_sum",
    )
    before = [fake.metric(f"chatdesk_{name}") for name in names]
    fake.chat("say: one two three")
    after = [fake.metric(f"chatdesk_{name}") for name in names]
    assert [new - old for old, new in zip(before, after, strict=True)] == [10, 4, 3, 1, 100]
    reply = fake.call("GET", "/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = reply.body.decode()
    assert text.endswith("\n")
    for line in text.splitlines():
        words = line.split()
        assert line.startswith(("# HELP ", "# TYPE ")) or float(words[-1]) >= 0
    assert 'chatdesk_requests_total{route="/metrics",status="200"}' in text
    count = fake.metric("chatdesk_tokens_per_second_count")
    assert fake.metric('chatdesk_tokens_per_second_bucket{le="50.0"}') == 0
    assert fake.metric('chatdesk_tokens_per_second_bucket{le="100.0"}') == count
    assert fake.metric('chatdesk_tokens_per_second_bucket{le="+Inf"}') == count
