"""Thinking as events of its own: before an answer, before one in a shape, and left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import Finished, Generate, TextDelta, ThinkingDelta
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.protocol import Terminal
from chatdesk.core.sampling import SamplingParams
from tests.inference.engine_process import EngineProcess, turns
from tests.tiny_models import CHATML, VOCABULARY, tiny_model

OPENS = CHATML.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
OPENS += "{# </think> #}"
AWARE = CHATML + "{# <think> </think> #}"


def thought_and_said(
    engine: EngineProcess,
    *texts: str,
    schema: str | None = None,
    thinks: bool | None = None,
    **sampling: Any,
) -> tuple[str, str, Finished]:
    params = SamplingParams(temperature=0.0, repeat_penalty=1.0, **sampling)
    asked = turns(*(texts or ("tea",)))
    engine.send(Generate("1", asked, params, json_schema=schema, thinks=thinks))
    found: dict[type, str] = {TextDelta: "", ThinkingDelta: ""}
    while not isinstance(event := engine.next(), Terminal):
        if isinstance(event, TextDelta | ThinkingDelta):
            found[type(event)] += event.text
    assert isinstance(event, Finished), event
    return found[ThinkingDelta], found[TextDelta], event


def test_thinking_is_an_event_of_its_own(engine: EngineProcess, tmp_path: Path) -> None:
    loaded = engine.load(tiny_model(tmp_path / "t.gguf", OPENS, b"AB</think>CD"))
    assert isinstance(loaded, ModelLoaded)
    assert loaded.reasons
    thought, said, end = thought_and_said(engine)
    assert (thought, said) == ("AB", "CD")
    assert end.stats.thinking_s is not None


@pytest.mark.parametrize("schema", [None, '{"const": "ok"}'])
@pytest.mark.parametrize("template", [OPENS, AWARE])
def test_a_model_that_shall_not_think_answers_at_once(
    template: str, schema: str | None, engine: EngineProcess, tmp_path: Path
) -> None:
    path = tiny_model(tmp_path / "t.gguf", template, b"AB")
    assert isinstance(engine.load(path), ModelLoaded)
    thought, said, end = thought_and_said(engine, schema=schema, thinks=False, max_tokens=300)
    assert (thought, said) == ("", '"ok"' if schema else "AB")
    assert end.stats.thinking_s is None


@pytest.mark.parametrize("opens", [True, False])
def test_a_schema_holds_after_the_thinking(
    opens: bool, engine: EngineProcess, tmp_path: Path
) -> None:
    path = tiny_model(tmp_path / "t.gguf", OPENS if opens else AWARE, b"yes</think>[1]")
    assert isinstance(engine.load(path), ModelLoaded)
    schema = '{"type": "array", "items": {"type": "integer"}, "maxItems": 1}'
    thought, said, _ = thought_and_said(engine, schema=schema, max_tokens=30)
    assert thought == ("yes" if opens else "")
    assert isinstance(json.loads(said), list)


@pytest.mark.parametrize("goes_on", [True, False])
def test_thinking_that_does_not_come_to_an_answer_is_ended_for_a_schema(
    goes_on: bool, engine: EngineProcess, tmp_path: Path
) -> None:
    path = tiny_model(tmp_path / "t.gguf", OPENS, b"hm ", loop=goes_on)
    assert isinstance(engine.load(path), ModelLoaded)
    thought, said, end = thought_and_said(engine, schema='{"const": "ok"}', max_tokens=80)
    assert json.loads(said) == "ok"
    assert end.reason is StopReason.END
    assert thought.startswith("hm")
    assert set(thought) == set("hm ") if goes_on else thought == "hm"
    assert (len(thought) > 30) is goes_on


def test_a_model_that_opens_its_thinking_itself_does_so_before_a_schema(
    engine: EngineProcess, tmp_path: Path
) -> None:
    special = (*VOCABULARY[:-1], "<think>")
    path = tiny_model(tmp_path / "t.gguf", AWARE, b"abc", special=special)
    assert isinstance(engine.load(path), ModelLoaded)
    schema = '{"const": "ok"}'
    bias = ((5, 50.0),)
    thought, said, _ = thought_and_said(engine, schema=schema, max_tokens=300, logit_bias=bias)
    assert set(thought.split("<think>")) == {""}
    assert json.loads(said) == "ok"
    thought, said, end = thought_and_said(engine, schema=schema, max_tokens=300)
    assert (thought, json.loads(said)) == ("", "ok")  # it did not want to
    assert end.stats.thinking_s is None
    thought, said, end = thought_and_said(engine, schema=schema, max_tokens=60, logit_bias=bias)
    assert (thought, json.loads(said)) == ("", "ok")  # there is no room for both
    assert end.stats.thinking_s is None


def test_thinking_that_the_template_writes_is_no_part_of_an_answer_that_goes_on(
    engine: EngineProcess, tmp_path: Path
) -> None:
    thought = "<think>\n\n</think>\n\n"
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}"
        + thought + "{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n" + thought + "{% endif %}"
    )  # fmt: skip
    path = tiny_model(tmp_path / "t.gguf", template, b"xy bc")
    assert isinstance(engine.load(path), ModelLoaded)
    thought, said, end = thought_and_said(engine, "Hi", "Sure! Here xy", max_tokens=2)
    assert (thought, said, end.stats.completion_tokens) == ("", " b", 2)
