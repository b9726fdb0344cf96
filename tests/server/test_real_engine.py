"""OpenAI's own client against the real engine with the starter model."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.lora_files import lora_adapter
from tests.server.conftest import Served
from tests.server.test_guard import CHAT, user
from tests.tiny_models import tiny_embedder

GREEDY = {"temperature": 0, "max_tokens": 12}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def ask(served: Served, text: str, **more: Any) -> Any:
    options = {"model": "default", "messages": user(text), **GREEDY, **more}
    return served.client.chat.completions.create(**options)


def text_of(answer: Any) -> str:
    text: str = answer.choices[0].message.content
    return text


def test_a_chat_whole_and_streamed_is_the_same(real: Served) -> None:
    whole = ask(real, "Name a colour.")
    assert text_of(whole)
    with ask(real, "Name a colour.", stream=True, stream_options={"include_usage": True}) as stream:
        *chunks, last = stream
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(pieces) == text_of(whole)
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert last.usage.completion_tokens == whole.usage.completion_tokens <= 12
    assert last.usage.prompt_tokens == whole.usage.prompt_tokens > 0


def test_an_embedder_embeds_and_the_chats_go_on(real: Served, tmp_path: Path) -> None:
    starter = real.services.engine.status.model
    embedder = real.services.models.add(tiny_embedder(tmp_path / "bert.gguf"))
    asked = {"model": embedder.id, "input": ["the tea", "milk", "the tea"]}
    reply = real.call("POST", "/v1/embeddings", asked)
    assert reply.status == 200, reply.json
    first, second, third = (each["embedding"] for each in reply.json["data"])
    assert (len(first), reply.json["model"]) == (32, embedder.id)
    assert all(
        math.isclose(one, other, abs_tol=1e-4) for one, other in zip(first, third, strict=True)
    )
    assert first != second
    assert real.chat("Hi", model=embedder.id).error["code"] == "model_not_supported"
    assert text_of(ask(real, "Name a colour."))  # the default is one that answers
    again = real.services.engine.status.model
    assert starter and again and again.id == starter.id
    real.services.models.forget(embedder.id)


def test_what_was_read_is_not_read_again(real: Served) -> None:
    long = "Tell me of the sea. " * 30
    ask(real, long)
    usage = ask(real, long).usage
    assert usage.prompt_tokens - usage.prompt_tokens_details.cached_tokens <= 2
    turns = [*user(long), {"role": "assistant", "content": "No."}, *user("Why?")]
    usage = ask(real, "", messages=turns).usage
    assert usage.prompt_tokens_details.cached_tokens > 100


def test_length_and_stop(real: Served) -> None:
    answer = ask(real, "Count from one to one hundred.", max_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 3
    letters = text_of(ask(real, "Say hello."))
    answer = ask(real, "Say hello.", stop=[letters[4:7]])
    assert text_of(answer) == letters[: letters.index(letters[4:7])]
    assert answer.choices[0].finish_reason == "stop"


def test_an_answer_ends_where_the_window_does(real: Served) -> None:
    never = {"0": -100, "2": -100}  # the starter's ends of an answer
    answer = ask(real, "word " * 900, max_tokens=4000, logit_bias=never)
    assert answer.choices[0].finish_reason == "length"
    assert 0 < answer.usage.completion_tokens < 150
    assert answer.usage.total_tokens - 1 == 1024  # the last one need not be read


@pytest.mark.parametrize("sampling", [{}, {"temperature": 0.8, "seed": 7}])
def test_the_same_request_again_gets_the_same_answer(real: Served, sampling: Any) -> None:
    question = f"Tell me of the sea. {sampling} " * 20
    first, second, third = (ask(real, question, max_tokens=30, **sampling) for _ in range(3))
    read = [each.usage.prompt_tokens_details.cached_tokens for each in (first, second, third)]
    assert read[0] < 60 < read[1] == read[2] == first.usage.prompt_tokens - 1
    assert text_of(second) == text_of(third)
    assert text_of(first)[:10] == text_of(second)[:10]  # near ties may turn: docs/engine.md


def test_a_seed_makes_an_answer_again(real: Served) -> None:
    ask(real, "Tell me something.")  # prefill it once: a part read again differs in the last digit
    first, again, other = (
        text_of(ask(real, "Tell me something.", temperature=1.5, seed=seed)) for seed in (5, 5, 6)
    )
    assert first == again != other


def test_json_schema(real: Served) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}}
    answer = ask(real, "Invent a person.", response_format=shape, max_tokens=80, stop=None)
    person = json.loads(text_of(answer))
    assert set(person) == {"name", "age"}
    assert isinstance(person["age"], int)


def test_json_object_and_grammar(real: Served) -> None:
    shape = {"type": "json_object"}
    options = {"response_format": shape, "logit_bias": {}, "max_tokens": 200}
    with ask(real, "Describe a cat in JSON, briefly.", **options, stream=True) as stream:
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert "".join(pieces).startswith("{")
    grammar = {"grammar": 'root ::= "yes" | "no"'}
    assert text_of(ask(real, "Is it?", extra_body=grammar)) in ("yes", "no")


def test_logprobs(real: Served) -> None:
    plain = {"repeat_penalty": 1}  # logprobs are from before any sampling
    answer = ask(real, "Name a colour.", logprobs=True, top_logprobs=3, extra_body=plain)
    choice = answer.choices[0]
    found = choice.logprobs.content
    assert b"".join(bytes(token.bytes) for token in found).decode() == choice.message.content
    for token in found:
        assert len(token.top_logprobs) == 3
        assert token.logprob <= 0
        best = token.top_logprobs[0]
        assert (best.token, best.logprob) == (token.token, pytest.approx(token.logprob))
        assert sum(math.exp(other.logprob) for other in token.top_logprobs) <= 1.001


def test_completions(real: Served) -> None:
    create = real.client.completions.create
    answer = create(model="", prompt="One, two, three, four,", **GREEDY, logprobs=2)
    choice = answer.choices[0]
    assert "five" in choice.text
    assert "".join(choice.logprobs.tokens) == choice.text
    assert choice.logprobs.text_offset[0] == 0
    with create(model="", prompt="One, two, three, four,", **GREEDY, stream=True) as stream:
        assert "".join(chunk.choices[0].text for chunk in stream) == choice.text


def test_embeddings_of_like_texts_are_alike(real: Served) -> None:
    texts = ["A cat sits on the mat.", "A cat is sitting on a mat.", "Profits rose by 3 % in May."]
    found = real.client.embeddings.create(model="default", input=texts)
    cat, same, other = (each.embedding for each in found.data)
    assert math.hypot(*cat) == pytest.approx(1, abs=1e-4)
    assert found.usage.prompt_tokens > 10

    def likeness(one: list[float], two: list[float]) -> float:
        return sum(map(float.__mul__, one, two))

    assert likeness(cat, same) > likeness(cat, other)
    floats = real.client.embeddings.create(model="default", input=texts[0], encoding_format="float")
    assert floats.data[0].embedding == pytest.approx(cat, abs=1e-4)


def test_a_stream_that_is_left_frees_its_place(real: Served) -> None:
    for _ in range(3):
        with ask(
            real, "Tell a long story.", stream=True, max_tokens=1500, logit_bias={"2": -100}
        ) as stream:
            assert len(list(itertools.islice(stream, 5))) == 5
            assert real.running() == 1
        real.until(lambda: real.running() == 0)
        assert not real.services.engine.busy


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"temperature": -1}, "parameter"),
        ({"top_p": 7}, "parameter"),
        ({"frequency_penalty": 1e300}, "parameter"),
        ({"max_tokens": -7}, "parameter"),
        ({"logit_bias": {"99999999": 1}}, "parameter"),
        ({"grammar": "root ::= ("}, "grammar"),
        ({"grammar": "nothing"}, "grammar"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 5}}}},
            "schema",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"$ref": "http://evil.example/x"}},
                }
            },
            "schema",
        ),
        ({"messages": user("word " * 100_000)}, "context_length_exceeded"),
    ],
)
def test_what_the_engine_refuses(real: Served, fields: dict[str, Any], code: str) -> None:
    for stream in (False, True):
        reply = real.call("POST", CHAT, {"messages": user("hi"), **fields, "stream": stream})
        assert (reply.status, reply.error["code"]) == (400, code)
    assert text_of(ask(real, "Still there?"))


def test_ten_thousand_messages(real: Served) -> None:
    turns = [{"role": role, "content": "yes"} for role in ("user", "assistant")] * 5000
    reply = real.call("POST", CHAT, {"messages": [*turns, *user("Bye.")], **GREEDY})
    assert reply.status == 200
    assert reply.json["view_start"] > 9000
    with pytest.raises(openai.BadRequestError):
        ask(real, "x", n=9)


def test_the_active_adapter_answers_as_in_the_window(real: Served, tmp_path: Path) -> None:
    adapters, model = real.services.adapters, real.services.engine.status.model
    assert model
    plain = text_of(ask(real, "Tell me of the sea."))
    vector = real.client.embeddings.create(model="", input="sea").data[0].embedding
    record = adapters.import_file(lora_adapter(tmp_path / "strong.gguf", strength=60), model)
    assert text_of(ask(real, "Tell me of the sea.")) == plain
    adapters.activate(record.id)
    assert text_of(ask(real, "Tell me of the sea.")) != plain
    assert real.client.embeddings.create(model="", input="sea").data[0].embedding == vector
    adapters.file(record).unlink()
    assert text_of(ask(real, "Tell me of the sea.")) == plain
    adapters.delete(record.id)
    assert text_of(ask(real, "Tell me of the sea.")) == plain
