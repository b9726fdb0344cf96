"""Several answers at once, the text they share, and a full context."""

import random
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import (
    Cancelled,
    CountTokens,
    Failed,
    Finished,
    Generate,
    PromptMessage,
    TextDelta,
    TokensCounted,
)
from chatdesk.core.loading import EngineReady, ModelLoaded
from chatdesk.core.protocol import Cancel, Terminal
from chatdesk.core.sampling import SamplingParams
from chatdesk.inference.decoding.sequences import shared_length
from tests.inference.engine_process import EngineProcess, request, turns
from tests.tiny_models import tiny_model

GREEDY: dict[str, Any] = {"temperature": 0.0, "repeat_penalty": 1.0}
NEVER_END = ((2, -100.0), (0, -100.0))  # the starter's tokens that end an answer
QUESTIONS = (
    "What is the capital of France?",
    "Name three colours.",
    "What is a dragon?",
    "Write one sentence about rain.",
    "How many legs has a spider?",
    "What do bees make?",
)
LONG = "The quick brown fox jumps over the lazy dog. " * 60


def collect(
    engine: EngineProcess, count: int
) -> tuple[dict[str, str], dict[str, object], list[str]]:
    """Return texts and terminal events of `count` requests, and the order of their pieces."""
    texts: dict[str, str] = {}
    ends: dict[str, object] = {}
    order: list[str] = []
    while len(ends) < count:
        event = engine.next()
        if isinstance(event, EngineReady):
            continue
        if isinstance(event, TextDelta):
            texts[event.request_id] = texts.get(event.request_id, "") + event.text
            order.append(event.request_id)
        if isinstance(event, Terminal):
            assert event.request_id not in ends, "a request ended twice"
            ends[event.request_id] = event
    return texts, ends, order


@pytest.fixture
def exact(engine: EngineProcess, starter_model: Path) -> EngineProcess:
    """An engine with a q8_0 cache: llama.cpp computes a row alone as it does among others. With f16
    it rounds differently, which may turn a near tie.
    """
    assert isinstance(engine.load(starter_model, kv_type="q8_0"), ModelLoaded)
    return engine


def test_answers_at_once_are_the_answers_alone(exact: EngineProcess) -> None:
    alone = [exact.answer(question, max_tokens=24, **GREEDY)[0] for question in QUESTIONS]
    for number, question in enumerate(QUESTIONS):
        exact.send(request(f"at-once-{number}", question, max_tokens=24, **GREEDY))
    texts, ends, order = collect(exact, len(QUESTIONS))
    for number, other in enumerate(alone):  # a near tie may still turn after some words
        assert shared_length(texts[f"at-once-{number}"], other) >= 10
    assert all(isinstance(end, Finished) for end in ends.values())
    first_four = [f"at-once-{number}" for number in range(4)]
    ended_first = min(order.index(name) for name in first_four) + 24
    assert len(set(order[:ended_first])) >= 3  # they came interleaved


@pytest.mark.parametrize("kv_type", ["f16", "q8_0"])
def test_guessing_ahead_changes_nothing(
    engine: EngineProcess, starter_model: Path, kv_type: str
) -> None:
    assert isinstance(engine.load(starter_model, kv_type=kv_type), ModelLoaded)
    question = f"Repeat this text with small changes: {LONG[:1600]} {QUESTIONS[2]} {QUESTIONS[0]}"
    params = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=150)
    answers = []
    stats = None
    for name, speculate in (("plain", False), ("guessed", True)):
        engine.send(Generate(name, turns(question), params, speculate=speculate))
        text, end = engine.outcome(name)
        assert isinstance(end, Finished)
        stats = end.stats
        answers.append((text, stats.completion_tokens))
        assert stats.prompt_tokens > 350
    assert answers[0] == answers[1]
    assert stats is not None
    assert stats.accepted <= stats.drafted
    assert (stats.accepted > 0) == (kv_type == "q8_0")  # with f16 a near tie might turn


def test_sampled_answers_are_guessed_ahead_with_any_cache(starter: EngineProcess) -> None:
    question = f"Repeat this text: {LONG[:900]}"
    params = SamplingParams(temperature=0.1, repeat_penalty=1.0, max_tokens=120, seed=3)
    starter.send(Generate("sampled", turns(question), params))
    _, end = starter.outcome("sampled")
    assert isinstance(end, Finished)
    assert 0 < end.stats.accepted <= end.stats.drafted


def test_a_draft_model_is_used_or_refused_with_the_reason(
    engine: EngineProcess, starter_model: Path, tmp_path: Path
) -> None:
    other = tiny_model(tmp_path / "other.gguf")
    loaded = engine.load(starter_model, draft=str(other), context_window=1024)
    assert isinstance(loaded, ModelLoaded)
    assert "vocabulary" in loaded.draft_notice
    exact: dict[str, Any] = {
        "context_window": 1024,
        "kv_type": "q8_0",
    }  # otherwise a greedy answer is not guessed at
    assert isinstance(engine.load(starter_model, **exact), ModelLoaded)
    story = "Tell me a long story about a river."
    plain, _ = engine.answer(story, max_tokens=300, **GREEDY)
    loaded = engine.load(starter_model, draft=str(starter_model), **exact)
    assert isinstance(loaded, ModelLoaded)
    assert not loaded.draft_notice
    drafted, end = engine.answer(story, max_tokens=300, **GREEDY)
    assert drafted == plain
    assert isinstance(end, Finished)
    assert end.stats.accepted > 0  # as slow as the model itself; tried after many saved steps


def test_a_long_prompt_does_not_stop_another_answer(starter: EngineProcess) -> None:
    story = request("story", "Tell me a long story.", logit_bias=NEVER_END, **GREEDY)
    starter.send(story)
    starter.wait_for(TextDelta)
    starter.send(request("long", LONG + "What was the fox?", max_tokens=1, **GREEDY))
    during = 0
    while True:
        event = starter.next()
        if isinstance(event, TextDelta) and event.request_id == "story":
            during += 1
        if isinstance(event, Finished):
            break
    assert event.request_id == "long"
    assert event.stats.prompt_tokens > 600
    assert during > 10
    starter.send(Cancel("story"))
    assert isinstance(starter.outcome("story")[1], Cancelled)


def test_branches_keep_what_they_share(starter: EngineProcess) -> None:
    shared = f"{LONG} Let us talk about it."
    _, first = starter.answer(shared, "Gladly.", "What colour was it?", max_tokens=40, **GREEDY)
    _, edited = starter.answer(shared, "Gladly.", "Was the dog lazy?", max_tokens=2)
    _, back = starter.answer(shared, "Gladly.", "What colour was it?", max_tokens=2)
    assert isinstance(first, Finished)
    assert isinstance(edited, Finished)
    assert isinstance(back, Finished)
    assert edited.stats.cached_tokens > 0.9 * edited.stats.prompt_tokens
    assert back.stats.cached_tokens > 0.95 * back.stats.prompt_tokens


def test_a_running_answer_lends_its_beginning(starter: EngineProcess) -> None:
    shared = f"{LONG} Count the words."
    starter.send(request("one", shared, max_tokens=200, **GREEDY))
    starter.wait_for(TextDelta)
    _, end = starter.answer(shared, max_tokens=2)
    assert isinstance(end, Finished)
    assert end.stats.cached_tokens == end.stats.prompt_tokens - 1
    starter.send(Cancel("one"))
    starter.outcome("one")


def test_idle_conversations_wait_in_memory(starter: EngineProcess) -> None:
    """They are out of the way of others, and return without being read again."""
    one, other = f"One! {LONG} First?", f"Once more. {LONG} Second?"
    _, first = starter.answer(one, max_tokens=2)
    starter.answer(other, max_tokens=2)
    _, again = starter.answer(one, max_tokens=2)
    assert isinstance(first, Finished)
    assert isinstance(again, Finished)
    assert first.stats.cached_tokens < 40
    assert again.stats.cached_tokens > 0.95 * again.stats.prompt_tokens


def test_what_background_work_has_read_does_not_wait_in_memory(starter: EngineProcess) -> None:
    """It took as much memory as the cache, after each learning, for nobody."""

    def ask(text: str, *, background: bool = False) -> Finished:
        _, end = starter.answer(text, background=background, max_tokens=2)
        assert isinstance(end, Finished)
        return end

    def cached(end: Finished) -> float:
        return end.stats.cached_tokens / end.stats.prompt_tokens

    judged, talk = f"Judged! {LONG} First?", f"A talk. {LONG} Second?"
    ask(judged, background=True)
    assert cached(ask(f"{judged} Why?", background=True)) > 0.9  # while it is in the cache
    ask(talk)
    assert cached(ask(judged)) < 0.2
    assert cached(ask(talk, background=True)) > 0.95
    ask(judged)
    assert cached(ask(talk)) > 0.95  # a person's, which background work only went on with


def test_two_answers_too_long_for_the_cache_both_end(engine: EngineProcess, tmp_path: Path) -> None:
    """Together they need more cells than there are: one is set aside and continues later."""
    path = tiny_model(tmp_path / "p.gguf", answer=b"abc", loop=True)
    assert isinstance(engine.load(path), ModelLoaded)
    for name in ("one", "two", "three"):
        engine.send(request(name, f"tea {name}", max_tokens=400, **GREEDY))
    texts, ends, _ = collect(engine, 3)
    assert all(isinstance(end, Finished) for end in ends.values())
    assert all(text == ("abc" * 134)[:400] for text in texts.values())


def conversation(turn_count: int) -> list[PromptMessage]:
    messages = [PromptMessage("system", "You are brief.")]
    for number in range(turn_count):
        messages.append(PromptMessage("user", f"{number}: {LONG[:225]} What is {number}?"))
        messages.append(PromptMessage("assistant", f"It is number {number}."))
    return messages


def test_a_full_context_is_a_normal_event(engine: EngineProcess, starter_model: Path) -> None:
    assert isinstance(engine.load(starter_model, context_window=512), ModelLoaded)
    messages = conversation(9)
    starts, cached = [], []
    params = SamplingParams(max_tokens=12, temperature=0.0)
    for number in range(6):
        messages.append(PromptMessage("user", f"And {LONG[:180]} now? {number}"))
        engine.send(Generate(f"turn-{number}", tuple(messages), params))
        text, end = engine.outcome(f"turn-{number}")
        assert isinstance(end, Finished)
        assert end.stats.prompt_tokens < 512
        starts.append(end.stats.view_start)
        cached.append(end.stats.cached_tokens / end.stats.prompt_tokens)
        messages.append(PromptMessage("assistant", text or "Yes."))
    assert starts[0] > 2
    assert starts == sorted(starts)
    assert len(set(starts)) < len(starts)  # the view moves in large steps, not each turn
    assert sum(share > 0.5 for share in cached) >= 3
    engine.send(CountTokens("count", tuple(messages)))
    counted = engine.wait_for(TokensCounted)
    assert 0 < counted.tokens < 512
    assert messages[counted.view_start].role == "user"


def test_an_answer_goes_on_when_the_context_gets_full(
    engine: EngineProcess, starter_model: Path
) -> None:
    assert isinstance(engine.load(starter_model, context_window=512), ModelLoaded)
    messages = (*conversation(4), PromptMessage("user", "Tell me a long story."))
    params = SamplingParams(temperature=0.0, max_tokens=300, logit_bias=NEVER_END)
    engine.send(Generate("story", messages, params))
    _, end = engine.outcome("story")
    assert isinstance(end, Finished)
    assert end.stats.prompt_tokens + end.stats.completion_tokens > 512
    assert end.stats.completion_tokens == 300
    assert end.stats.view_start > 0
    # The question and its answer alone are too long now: the answer ends, with its reason.
    params = SamplingParams(temperature=0.0, logit_bias=NEVER_END)
    engine.send(Generate("endless", messages, params))
    _, end = engine.outcome("endless")
    assert isinstance(end, Finished)
    assert end.reason is StopReason.LENGTH


def test_every_request_ends_once_whatever_happens(engine: EngineProcess, tmp_path: Path) -> None:
    """Random requests, cancelled at random moments: none is lost, no slot leaks."""
    path = tiny_model(tmp_path / "p.gguf", answer=b"abc", loop=True)
    assert isinstance(engine.load(path), ModelLoaded)
    source = random.Random(3)
    count = 300
    for number in range(count):
        length = source.choice((3, 30, 120))
        background = source.random() < 0.2
        engine.send(
            request(
                f"r{number}",
                "tea " * source.randrange(1, 40),
                max_tokens=length,
                background=background,
                **GREEDY,
            )
        )
        if source.random() < 0.5:
            time.sleep(source.random() * 0.004)
            engine.send(Cancel(f"r{source.randrange(number + 1)}"))
    _, ends, _ = collect(engine, count)
    assert len(ends) == count
    assert not [end for end in ends.values() if isinstance(end, Failed)]
    before = psutil.Process(engine.process.pid).memory_info().rss
    for number in range(4):
        engine.send(request(f"last-{number}", "tea", max_tokens=60, **GREEDY))
    texts, _, order = collect(engine, 4)
    assert set(texts.values()) == {"abc" * 20}
    assert len(set(order[:120])) >= 3  # every slot is free again
    assert psutil.Process(engine.process.pid).memory_info().rss - before < 20e6


def test_an_id_in_use_is_refused(starter: EngineProcess) -> None:
    starter.send(request("same", QUESTIONS[0], max_tokens=50, **GREEDY))
    starter.send(request("same", QUESTIONS[1], max_tokens=50, **GREEDY))
    refused = starter.wait_for(Failed)
    assert refused.request_id == ""
    assert isinstance(starter.outcome("same")[1], Finished)


def test_ten_thousand_messages_and_two_megabytes(
    engine: EngineProcess, starter_model: Path
) -> None:
    assert isinstance(engine.load(starter_model, context_window=1024), ModelLoaded)
    many = turns(*(f"Message {number}" for number in range(10_001)))
    engine.send(Generate("many", many, SamplingParams(max_tokens=2)))
    _, end = engine.outcome("many")
    assert isinstance(end, Finished)
    assert end.stats.view_start > 9800
    _, end = engine.answer("word " * 400_000)
    assert isinstance(end, Failed)
    assert end.tokens is not None
    assert end.tokens > 300_000
    assert isinstance(engine.answer("Hi", max_tokens=2)[1], Finished)
