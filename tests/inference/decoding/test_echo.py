"""A prompt given back with what the model says of its tokens."""

from pathlib import Path

import pytest

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import (
    Finished,
    Generate,
    Score,
    Scored,
    ScoreSequence,
    TextDelta,
    TextTokenized,
    TokenizeText,
)
from chatdesk.core.loading import ModelLoaded
from chatdesk.core.protocol import Cancel, Terminal
from chatdesk.core.sampling import SamplingParams
from tests.inference.engine_process import EngineProcess
from tests.tiny_models import tiny_model

TEXT = "One, two, three, four, five, six,"
Prompt = str | tuple[int, ...]


def echoed(
    engine: EngineProcess, prompt: Prompt, max_tokens: int = 0, logprobs: int | None = 2
) -> tuple[list[TextDelta], Finished]:
    params = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=max_tokens)
    engine.send(
        Generate("echo", (), params, prompt=prompt, logprobs=logprobs, echo=True, speculate=False)
    )
    deltas: list[TextDelta] = []
    while not isinstance(event := engine.next(), Terminal):
        if isinstance(event, TextDelta):
            deltas.append(event)
    assert isinstance(event, Finished), event
    return deltas, event


def tokens_of(engine: EngineProcess, text: str) -> tuple[int, ...]:
    engine.send(TokenizeText("tokens", text))
    _, end = engine.outcome("tokens")
    assert isinstance(end, TextTokenized)
    return end.tokens


@pytest.mark.parametrize("as_tokens", [False, True])
def test_an_echo_is_scored_as_the_same_tokens_are(starter: EngineProcess, as_tokens: bool) -> None:
    tokens = tokens_of(starter, TEXT)
    (echo,), end = echoed(starter, tokens if as_tokens else TEXT)
    assert (echo.text, end.reason) == (TEXT, StopReason.LENGTH)
    assert (end.stats.prompt_tokens, end.stats.completion_tokens) == (len(tokens), 0)
    assert [each.token for each in echo.logprobs] == list(tokens)
    assert b"".join(bytes(each.data) for each in echo.logprobs).decode() == TEXT
    assert (echo.logprobs[0].logprob, echo.logprobs[0].top) == (None, ())
    starter.send(Score("score", (ScoreSequence(tokens[:1], tokens[1:]),)))
    _, scored = starter.outcome("score")
    assert isinstance(scored, Scored)
    found = [each.logprob for each in echo.logprobs[1:]]
    assert found == pytest.approx(scored.logprobs[0], abs=0.15)
    assert echo.logprobs[-1].top[0].token == tokens[-1]  # after “six” the comma is likeliest
    assert all(len(each.top) == 2 for each in echo.logprobs[1:])


def test_an_answer_follows_its_echo_from_what_was_read(starter: EngineProcess) -> None:
    (plain,), _ = echoed(starter, TEXT, max_tokens=0, logprobs=None)
    assert (plain.text, plain.logprobs) == (TEXT, ())
    deltas, end = echoed(starter, TEXT, max_tokens=4)
    assert deltas[0].text == TEXT
    assert "seven" in "".join(delta.text for delta in deltas[1:])
    assert sum(len(delta.logprobs) for delta in deltas[1:]) == end.stats.completion_tokens
    assert end.stats.cached_tokens == 0


def test_what_the_engine_puts_before_a_text_is_not_given_back(
    engine: EngineProcess, tmp_path: Path
) -> None:
    model = tiny_model(tmp_path / "m.gguf", answer=b"xyz", space_prefix=True)
    assert isinstance(engine.load(model), ModelLoaded)
    for text in ("tea", "<|im_start|>tea\n", " tea"):
        (echo,), end = echoed(engine, text)
        assert echo.text == text
        if "|" not in text:  # after a special token this kind of model reads a space
            assert b"".join(bytes(each.data) for each in echo.logprobs).decode() == text
        assert end.stats.prompt_tokens == len(echo.logprobs) + 1  # the start token
        assert all(each.logprob is not None for each in echo.logprobs)
    (echo,), _ = echoed(engine, (1, 3))
    assert [each.logprob is None for each in echo.logprobs] == [True, False]
    (echo,), _ = echoed(engine, (3,))
    assert [each.logprob for each in echo.logprobs] == [None]


def test_a_long_echo_gives_way_and_is_cancelled(starter: EngineProcess) -> None:
    params = SamplingParams(temperature=0.0, max_tokens=1)
    prompt = tuple(range(1000, 8000))
    starter.send(Generate("long", (), params, prompt=prompt, logprobs=0, echo=True))
    text, end = starter.answer("What is the capital of France?", max_tokens=8, temperature=0.0)
    assert text
    assert isinstance(end, Finished)
    starter.send(Cancel("long"))
    assert not isinstance(starter.outcome("long")[1], Finished)
