"""The choice of the next token."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chatdesk.core.generation import Generate
from chatdesk.core.sampling import LONGEST_STOP, MAX_STOPS, PRESETS, SamplingParams
from chatdesk.inference.decoding.sampler import Sampler, check
from chatdesk.inference.decoding.text_stream import TextStream
from chatdesk.workers.codec import Codec
from tests.inference.answering import GREEDY, Answering, answering, chat

PROMPT = chat("Tell me something about the sea.")
PLAIN = SamplingParams(  # the model's own distribution, unfiltered
    temperature=1, top_k=0, top_p=1, min_p=0, repeat_penalty=1, seed=7
)

COUNT = 12  # tokens of an answer


@pytest.fixture(scope="module")
def model(starter_model: Path) -> Iterator[Answering]:
    with answering(starter_model) as model:
        yield model


@pytest.fixture(scope="module")
def greedy(model: Answering) -> list[int]:
    return model.answer(GREEDY, PROMPT, COUNT)


def drawn(model: Answering, params: SamplingParams, past: Sequence[int] = ()) -> Counter[int]:
    """Return the first tokens after the prompt, in 200 draws of one sampler."""
    row = model.read(PROMPT)
    with Sampler(params, model.model, past) as sampler:
        return Counter(sampler.sample(model.context, row) for _ in range(200))


def by_likelihood(model: Answering) -> list[int]:
    logits = model.logits(PROMPT)
    return sorted(range(len(logits)), key=lambda token: -float(logits[token]))


def test_greedy_takes_the_likeliest(model: Answering, greedy: list[int]) -> None:
    assert greedy[0] == by_likelihood(model)[0]
    assert len(greedy) == COUNT


@pytest.mark.parametrize(
    "change",
    [
        {"top_k": 1},
        {"min_p": 1},
        {"top_p": 0},
        {"typical_p": 0, "top_k": 1},
        {"top_n_sigma": 1e-6},
        {"temperature": 1e-30},
        {"temperature": 0.0},
        {"temperature": 0.0, "mirostat": 2},
        {"mirostat": 1, "mirostat_tau": 0},
        {"dynatemp_range": 100, "dynatemp_exponent": 10, "temperature": 0.5, "top_k": 1},
    ],
    ids=str,
)
def test_what_leaves_one_token_is_greedy(
    model: Answering, greedy: list[int], change: dict[str, Any]
) -> None:
    assert model.answer(replace(PLAIN, **change), PROMPT, COUNT) == greedy


def test_filters_take_out_what_they_say(model: Answering) -> None:
    logits = model.logits(PROMPT).astype(np.float64)
    order = by_likelihood(model)
    shares = np.exp(logits - logits.max())
    everything = set(drawn(model, PLAIN))
    top_p = int(np.searchsorted(np.cumsum(shares[order]) / shares.sum(), 0.93)) + 1
    left = {
        "top_k": set(order[:3]),
        "top_p": set(order[:top_p]),
        "min_p": {token for token in order if shares[token] >= 0.005},
        "top_n_sigma": {
            token for token in order if logits[token] >= logits.max() - 2 * logits.std()
        },
    }
    limits: dict[str, Any] = {"top_k": 3, "top_p": 0.93, "min_p": 0.005, "top_n_sigma": 2}
    for name, limit in limits.items():
        found = set(drawn(model, replace(PLAIN, **{name: limit})))
        assert found <= left[name], name
        assert 1 < len(found) < len(everything), name


def test_xtc_takes_out_the_likeliest(model: Answering) -> None:
    likeliest = by_likelihood(model)[0]
    params = replace(PLAIN, xtc_probability=1, xtc_threshold=0.005)
    assert likeliest in drawn(model, PLAIN)
    assert likeliest not in drawn(model, params)


def test_typical_keeps_clear_of_infinities(model: Answering) -> None:
    forbidden = by_likelihood(model)[:50]
    params = replace(
        PLAIN, typical_p=0.5, top_n_sigma=1, logit_bias=tuple((t, -math.inf) for t in forbidden)
    )
    found = drawn(model, params)
    assert found
    assert not set(found) & set(forbidden)


def test_temperature_widens_the_choice(model: Answering) -> None:
    cold, warm, hot = (
        len(drawn(model, replace(PLAIN, temperature=temperature))) for temperature in (0.2, 1, 3)
    )
    assert cold < warm < hot
    # An entropy in the middle: the power decides to which end it goes.
    low, high = (
        len(drawn(model, replace(PLAIN, temperature=1.5, dynatemp_range=1.5, dynatemp_exponent=e)))
        for e in (10, 0)
    )
    assert low < warm < high


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"temperature": 1.5, "xtc_probability": 0.5, "xtc_threshold": 0.05},
        {"mirostat": 1},
        {"mirostat": 2},
        {"typical_p": 0.7},
        {"top_n_sigma": 1.5},
        {"dynatemp_range": 0.5},
        {"dry_multiplier": 0.8},
        {"frequency_penalty": 1.0, "presence_penalty": 1.0},
    ],
    ids=str,
)
def test_a_seed_makes_an_answer_come_again(model: Answering, change: dict[str, Any]) -> None:
    params = replace(PLAIN, **change)
    first = model.answer(params, PROMPT, COUNT)
    assert model.answer(params, PROMPT, COUNT) == first
    assert model.answer(replace(params, seed=8), PROMPT, COUNT) != first


@pytest.mark.parametrize("seed", [0, 2**32 - 1, 2**32, -1, 2**70])
def test_any_number_is_a_seed(model: Answering, seed: int) -> None:
    params = replace(PLAIN, seed=seed)
    assert model.answer(params, PROMPT, 8) == model.answer(params, PROMPT, 8)


def test_without_a_seed_the_one_drawn_is_reported(model: Answering) -> None:
    with Sampler(replace(PLAIN, seed=None), model.model, []) as one:
        with Sampler(replace(PLAIN, seed=None), model.model, []) as other:
            assert one.seed != other.seed
    assert 0 <= one.seed < 2**32 - 1


def test_bias_forbids_and_forces(model: Answering) -> None:
    likeliest, *_, thousandth = by_likelihood(model)[:1000]
    for least in (-math.inf, -100):
        assert likeliest not in drawn(model, replace(PLAIN, logit_bias=((likeliest, least),)))
    forced = replace(PLAIN, logit_bias=((thousandth, 100),))
    assert set(drawn(model, forced)) == {thousandth}
    assert model.answer(replace(GREEDY, logit_bias=((likeliest, -100),)), PROMPT)[0] != likeliest


def test_forbidding_more_than_there_is_ends_with_some_token(model: Answering) -> None:
    bias = tuple((token, -math.inf) for token in range(1024))
    for change in ({}, {"mirostat": 1}, {"mirostat": 2}, {"typical_p": 0.5}):
        params = replace(PLAIN, logit_bias=bias, top_k=1, **change)
        assert 1024 <= model.answer(params, PROMPT, 1)[0] < model.vocabulary.size


def looped(model: Answering, **change: Any) -> str:
    line = "The sea is blue and deep.\n"
    params = replace(GREEDY, **change)
    tokens = model.answer(params, line * 6, 16)
    return b"".join(map(model.vocabulary.piece, tokens)).decode("utf-8", "replace")


def test_dry_and_penalties_break_a_loop(model: Answering) -> None:
    loop = "The sea is blue and deep.\n"
    assert looped(model).startswith(loop)
    assert not looped(model, dry_multiplier=2.0, dry_breakers=()).startswith(loop)
    assert not looped(model, repeat_penalty=1.5).startswith(loop)
    assert not looped(model, frequency_penalty=1.0).startswith(loop)


def test_presence_counts_once(model: Answering) -> None:
    likeliest = by_likelihood(model)[0]
    once, often = (
        drawn(model, replace(PLAIN, presence_penalty=2, top_k=5), past=[likeliest] * times)
        for times in (1, 60)
    )
    assert once[likeliest] < drawn(model, replace(PLAIN, top_k=5))[likeliest]
    assert once == often


def test_dry_does_not_look_across_a_breaker(model: Answering) -> None:
    change: dict[str, Any] = {"dry_multiplier": 2.0, "dry_allowed_length": 9}
    assert looped(model, **change, dry_breakers=("\n",)) == looped(model)
    assert looped(model, **change, dry_breakers=()) != looped(model)


def test_penalties_look_back_as_far_as_set(model: Answering) -> None:
    assert looped(model, repeat_penalty=1.5, repeat_last_n=0) == looped(model)
    assert looped(model, dry_multiplier=2.0, dry_last_n=0) == looped(model)
    assert looped(model, dry_multiplier=2.0, dry_breakers=(), dry_last_n=40) != looped(model)


def test_a_stop_string_is_found_across_tokens(model: Answering, greedy: list[int]) -> None:
    pieces = [model.vocabulary.piece(token) for token in greedy]
    text = b"".join(pieces).decode()
    border = len(b"".join(pieces[:10]).decode())
    stop = text[border - 2 : border + 2]
    stream = TextStream((stop,))
    shown = ""
    for piece in pieces:
        shown += stream.feed(piece)
        if stream.stopped_by:
            break
    assert stream.stopped_by
    assert shown == text[: text.index(stop)]


def test_a_sampler_may_be_closed_twice(model: Answering) -> None:
    sampler = Sampler(PLAIN, model.model, [1, 2, 3])
    sampler.close()
    sampler.close()  # must not raise


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_and_answer(model: Answering, name: str) -> None:
    check(PRESETS[name], model.vocabulary.size)
    assert model.answer(PRESETS[name], PROMPT, 8)


def test_the_repeatable_preset_is_greedy(model: Answering, greedy: list[int]) -> None:
    assert model.answer(PRESETS["repeatable"], PROMPT, COUNT) == greedy


BAD: list[dict[str, Any]] = [
    *({name: math.nan} for name in ("temperature", "top_p", "xtc_threshold", "dry_base")),
    *({name: math.inf} for name in ("temperature", "mirostat_tau", "dynatemp_exponent")),
    {"temperature": -0.1},
    {"dynatemp_range": -1},
    {"dynatemp_exponent": -1},
    {"top_k": -1},
    {"top_k": 2**31},
    {"top_p": 1.1},
    {"min_p": -0.1},
    {"typical_p": 2},
    {"top_n_sigma": -1},
    {"xtc_probability": 1.5},
    {"xtc_threshold": -1},
    {"repeat_penalty": 0},
    {"repeat_last_n": -1},
    {"frequency_penalty": 2.1},
    {"presence_penalty": -2.1},
    {"dry_multiplier": -1},
    {"dry_base": 0.9},
    {"dry_allowed_length": -1},
    {"dry_last_n": -2},
    {"dry_last_n": 2**31},
    {"dry_breakers": ("",)},
    {"dry_breakers": ("a\0b",)},
    {"dry_breakers": ("long" * 20,)},
    {"dry_breakers": ("a",) * 17},
    {"mirostat": 3},
    {"mirostat_tau": -1},
    {"mirostat_eta": 2},
    {"max_tokens": -1},
    {"stop": ("x",) * (MAX_STOPS + 1)},
    {"stop": ("x" * (LONGEST_STOP + 1),)},
    {"logit_bias": ((-1, 1.0),)},
    {"logit_bias": ((1, math.nan),)},
    {"logit_bias": ((1, math.inf),)},
    {"logit_bias": ((1, 101.0),)},
    {"logit_bias": tuple((token, 1.0) for token in range(1025))},
]


@pytest.mark.parametrize("change", BAD, ids=lambda change: str(change)[:40])
def test_what_is_out_of_range_is_named(change: dict[str, Any]) -> None:
    (name,) = change
    with pytest.raises(ValueError, match=f"^{name}"):
        check(SamplingParams(**change))


def test_the_edges_of_the_ranges_work(model: Answering) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"temperature": 100, "dynatemp_range": 100, "dynatemp_exponent": 10},
        {"repeat_penalty": 100, "frequency_penalty": 2, "presence_penalty": 2},
        {"repeat_penalty": 0.01, "frequency_penalty": -2, "presence_penalty": -2},
        {"dry_multiplier": 100, "dry_base": 10, "dry_allowed_length": 0, "dry_last_n": 2**20},
        {"mirostat": 1, "mirostat_tau": 100, "mirostat_eta": 1},
        {"mirostat": 2, "mirostat_tau": 0, "mirostat_eta": 1},
        {"xtc_probability": 1, "xtc_threshold": 0},
        {"top_n_sigma": 100, "typical_p": 0},
        {"top_k": 2**31 - 1, "top_p": 0, "min_p": 1},
    )
    for change in changes:
        assert model.answer(replace(PLAIN, **change), chat("1 1 1 1 1 1 1 1"), 6)


def test_a_token_the_model_does_not_have_is_refused(model: Answering) -> None:
    params = SamplingParams(logit_bias=((model.vocabulary.size, 1.0),))
    check(params)
    with pytest.raises(ValueError, match="logit_bias: the model has no token 49152"):
        check(params, model.vocabulary.size)
    with pytest.raises(ValueError, match="logit_bias"):
        Sampler(params, model.model, [])


def test_a_forbidding_bias_survives_the_protocol() -> None:
    codec = Codec[Generate]((Generate,))
    request = Generate("1", (), SamplingParams(logit_bias=((5, -100.0),)))
    assert codec.decode(codec.encode(request)) == request
