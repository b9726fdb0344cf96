"""Rendering, scoring and embedding: the ground of personalization and evaluation."""

import math
from collections.abc import Sequence
from pathlib import Path

from chatdesk.core.generation import (
    Adapter,
    Cancelled,
    Embed,
    Embedded,
    Failed,
    FailureCode,
    Finished,
    Generate,
    MessagesRendered,
    PromptMessage,
    PromptProgress,
    RenderMessages,
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
from tests.inference.engine_process import EngineProcess, turns
from tests.lora_files import lora_adapter

QUESTION = "What is the capital of France?"
# llama.cpp quantizes activations, and computes large batches in another order than small ones.
NOISE = 0.15


def mean_difference(one: Sequence[float], other: Sequence[float]) -> float:
    assert len(one) == len(other)
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def rendered(engine: EngineProcess, *contents: str) -> MessagesRendered:
    engine.send(RenderMessages("render", turns(*contents)))
    _, end = engine.outcome("render")
    assert isinstance(end, MessagesRendered)
    return end


def scored(engine: EngineProcess, *sequences: ScoreSequence, adapter: str = "") -> Scored:
    adapters = (Adapter(adapter),) if adapter else ()
    engine.send(Score("score", sequences, adapters))
    _, end = engine.outcome("score")
    assert isinstance(end, Scored), end
    return end


def test_what_was_generated_scores_as_it_was_generated(starter: EngineProcess) -> None:
    params = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=12)
    starter.send(Generate("ask", turns(QUESTION), params, logprobs=3, speculate=False))
    values, tokens, text = [], [], ""
    while not isinstance(event := starter.next(), Finished):
        if isinstance(event, TextDelta):
            text += event.text
            tokens += [each.token for each in event.logprobs]
            values += [each.logprob or 0.0 for each in event.logprobs]
            assert all(len(each.top) == 3 for each in event.logprobs)
            assert all(each.top[0].token == each.token for each in event.logprobs)
    assert text
    assert len(tokens) == event.stats.completion_tokens
    prompt = rendered(starter, QUESTION).tokens
    assert len(prompt) == event.stats.prompt_tokens
    result = scored(starter, ScoreSequence(prompt, tuple(tokens)))
    assert mean_difference(result.logprobs[0], values) < NOISE


def test_the_span_of_an_answer_is_what_the_model_has_to_say(starter: EngineProcess) -> None:
    answer = "The capital of France is Paris."
    whole = rendered(starter, QUESTION, answer)
    prompt = rendered(starter, QUESTION).tokens
    span = whole.spans[1]
    assert whole.tokens[: span.start] == prompt
    assert span.end - span.start > 5
    good = scored(
        starter,
        ScoreSequence(whole.tokens[: span.start], whole.tokens[span.start : span.end]),
    )
    assert sum(good.logprobs[0]) / len(good.logprobs[0]) > -1  # the model itself generates it
    followed = rendered(starter, QUESTION, answer, "And of Spain?")
    assert followed.tokens[: span.end] == whole.tokens[: span.end]
    assert followed.spans[1] == span


def test_many_sequences_score_as_each_alone(starter: EngineProcess) -> None:
    texts = [f"Sentence number {n} is about {'rain and ' * n}snow." for n in range(1, 30)]
    sequences = []
    for text in texts:
        starter.send(TokenizeText("tokens", text))
        _, end = starter.outcome("tokens")
        assert isinstance(end, TextTokenized)
        sequences.append(ScoreSequence(end.tokens[:2], end.tokens[2:]))
    together = scored(starter, *sequences)
    for number in (0, 7, 28):
        alone = scored(starter, sequences[number]).logprobs[0]
        assert mean_difference(together.logprobs[number], alone) < NOISE
        assert len(alone) == len(sequences[number].continuation)
    assert all(value < 0 for sequence in together.logprobs for value in sequence)


def test_texts_that_fill_the_window_are_scored_one_by_one(starter_model: Path) -> None:
    with EngineProcess() as engine:
        assert isinstance(engine.load(starter_model, context_window=512), ModelLoaded)
        text = tuple(rendered(engine, "Tell me all there is to tell about tea. " * 60).tokens[:512])
        assert len(text) == 512
        whole = ScoreSequence(text[:256], text[256:])
        found = scored(engine, whole, whole, whole).logprobs
        assert [len(each) for each in found] == [256] * 3
        assert mean_difference(found[0], found[2]) < NOISE


def test_an_adapter_changes_the_score(starter: EngineProcess, tmp_path: Path) -> None:
    tokens = rendered(starter, QUESTION, "The capital of France is Paris.").tokens
    sequence = ScoreSequence(tokens[:20], tokens[20:])
    plain = scored(starter, sequence).logprobs
    adapter = str(lora_adapter(tmp_path / "a.gguf", strength=4))
    assert scored(starter, sequence, adapter=adapter).logprobs != plain
    assert scored(starter, sequence).logprobs == plain


def test_scoring_gives_way_and_is_cancelled(starter: EngineProcess) -> None:
    tokens = tuple(range(100, 400)) * 4
    many = tuple(ScoreSequence(tokens[:10], tokens[10:]) for _ in range(20))
    starter.send(Score("long", many))
    starter.wait_for(PromptProgress)
    text, end = starter.answer(QUESTION, max_tokens=8, temperature=0.0)
    assert isinstance(end, Finished)
    assert text
    starter.send(Cancel("long"))
    assert starter.outcome("long")[1] == Cancelled("long", None)


def test_texts_that_mean_the_same_are_near(starter: EngineProcess) -> None:
    before = starter.answer(QUESTION, temperature=0.0, max_tokens=10)[0]
    texts = ("The cat sat on the mat.", "A cat is sitting on a mat.", "Shares fell by 3 % today.")
    starter.send(Embed("embed", texts))
    _, end = starter.outcome("embed")
    assert isinstance(end, Embedded)
    assert len(end.vectors) == 3
    assert all(math.isclose(sum(x * x for x in each), 1, abs_tol=1e-6) for each in end.vectors)

    def likeness(a: int, b: int) -> float:
        return sum(x * y for x, y in zip(end.vectors[a], end.vectors[b], strict=True))

    assert likeness(0, 1) > likeness(0, 2)
    long = "The cat sat on the mat. " * 60
    starter.send(Embed("embed", (long,)))
    _, end_long = starter.outcome("embed")
    assert isinstance(end_long, Embedded)
    assert end_long.tokens > 300
    assert starter.answer(QUESTION, temperature=0.0, max_tokens=10)[0] == before


def embedded(engine: EngineProcess, *texts: str) -> Embedded:
    engine.send(Embed("embed", texts))
    _, end = engine.outcome("embed")
    assert isinstance(end, Embedded), end
    return end


def test_more_short_texts_than_sequences_are_embedded_as_each_alone(starter: EngineProcess) -> None:
    words = [chr(ord("a") + n % 26) * (1 + n // 26) for n in range(100)]
    together = embedded(starter, *words).vectors
    assert len(together) == len(words)
    for number in (0, 16, 17, 99):
        (alone,) = embedded(starter, words[number]).vectors
        assert sum(x * y for x, y in zip(alone, together[number], strict=True)) > 0.99


def test_more_short_sequences_than_there_are_places_score_as_each_alone(
    starter: EngineProcess,
) -> None:
    sequences = [ScoreSequence((500 + n,), (900 + n,)) for n in range(60)]
    together = scored(starter, *sequences).logprobs
    for number in (0, 17, 59):
        alone = scored(starter, sequences[number]).logprobs[0]
        assert mean_difference(together[number], alone) < NOISE


def test_short_texts_answers_and_background_work_share_the_sequences(
    starter: EngineProcess,
) -> None:
    starter.send(Score("long", tuple(ScoreSequence((500 + n,), (9,) * 20) for n in range(30))))
    starter.wait_for(PromptProgress)
    params = SamplingParams(temperature=0.0, max_tokens=5)
    asked = [f"ask {n}" for n in range(8)]
    for request_id in asked:
        starter.send(Generate(request_id, turns(f"Number {request_id}?"), params))
    starter.send(Embed("embed", tuple(chr(ord("a") + n) for n in range(26))))
    ends: dict[str, Terminal] = {}
    while len(ends) < 2 + len(asked):
        end = starter.wait_for(Terminal)
        ends[end.request_id] = end
    assert isinstance(ends["embed"], Embedded)
    assert isinstance(ends["long"], Scored)
    assert all(isinstance(ends[request_id], Finished) for request_id in asked)


def test_what_cannot_be_scored_or_embedded_is_reported(starter: EngineProcess) -> None:
    for sequence, code in (
        (ScoreSequence((), (5,)), FailureCode.PARAMETER),
        (ScoreSequence((1,), (10**7,)), FailureCode.PARAMETER),
        (ScoreSequence((-5,), (1,)), FailureCode.PARAMETER),
        (ScoreSequence((1,) * 9000, (5,)), FailureCode.PROMPT_TOO_LONG),
    ):
        starter.send(Score("bad", (sequence,)))
        _, end = starter.outcome("bad")
        assert isinstance(end, Failed)
        assert end.code is code
    starter.send(Embed("bad", ("",)))
    _, end = starter.outcome("bad")
    assert isinstance(end, Failed)
    assert scored(starter).logprobs == ()
    assert scored(starter, ScoreSequence((1,), ())).logprobs == ((),)
    starter.send(Embed("none", ()))
    assert starter.outcome("none")[1] == Embedded("none", (), 0)
    starter.send(RenderMessages("bad", (PromptMessage("nobody", "Hi"),)))
    assert isinstance(starter.outcome("bad")[1], Failed)
