"""The few tokens that are sampled from: the choice is that from all of them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_cpp import llama_cpp as lib

from chatdesk.core.sampling import PRESETS, SamplingParams
from chatdesk.inference.decoding.candidates import Shortlist
from chatdesk.inference.decoding.sampler import Sampler
from chatdesk.inference.native.context import Logits
from tests.inference.answering import Answering, answering, chat

DRAWS = 100

SHORT: dict[str, dict[str, Any]] = {
    "usual": {},
    "greedy": {"temperature": 0},
    "greedy and plain": {"temperature": 0, "repeat_penalty": 1},
    "no penalty": {"repeat_penalty": 1},
    "hot": {"temperature": 1.8, "top_p": 1, "min_p": 0},
    "three": {"top_k": 3, "temperature": 1.5},
    "many": {"top_k": 400, "temperature": 2, "top_p": 1, "min_p": 0},
    "all penalties": {"repeat_penalty": 3, "frequency_penalty": 2, "presence_penalty": 2},
    "min-p": {"top_k": 0, "top_p": 1, "min_p": 0.02, "temperature": 1.5},
    "min-p of all": {"top_k": 0, "top_p": 1, "min_p": 1, "repeat_penalty": 1},
    "min-p and penalties": {"top_k": 0, "top_p": 1, "min_p": 0.3, "repeat_penalty": 5},
    "xtc": {"top_k": 0, "top_p": 1, "xtc_probability": 0.5, "xtc_threshold": 0.05},
    "typical": {"typical_p": 0.6},
    "dynamic": {"dynatemp_range": 0.5, "min_p": 0},
}
WHOLE: dict[str, dict[str, Any]] = {
    "top-p": {"top_k": 0},
    "nothing": {"top_k": 0, "top_p": 1, "min_p": 0},
    "too many": {"top_k": 600},
    "long memory": {"repeat_last_n": 2000},
    "dry": {"dry_multiplier": 0.8},
    "sigma": {"top_n_sigma": 1.5},
    "mirostat": {"mirostat": 2},
    "raised": {"logit_bias": ((7, 5.0),)},
    "rewarded": {"repeat_penalty": 0.8},
    "present": {"presence_penalty": -1},
}


@pytest.fixture(scope="module")
def model(starter_model: Path) -> Iterator[Answering]:
    with answering(starter_model) as model:
        yield model


@pytest.fixture(scope="module")
def rows(model: Answering) -> list[Logits]:
    """Logits of the model, and others around them that are nearer to each other."""
    own = model.logits(chat("Tell me something about the sea."))
    source = np.random.default_rng(4)
    noise = [source.normal(size=len(own)).astype(np.float32) for _ in range(4)]
    return [own, own + noise[0], own * 0.5 + noise[1], noise[2] * 3, noise[3] - 20]


def choices(
    model: Answering, rows: Sequence[Logits], params: SamplingParams
) -> tuple[list[int], list[int]]:
    """Return what a sampler chooses, and llama.cpp's own loop over the whole vocabulary."""
    row = model.read("The sea")
    logits = model.context.logits(row)
    past = [int(token) for token in np.argsort(-rows[0])[:50]]  # the penalties meet the best
    with (
        Sampler(params, model.model, past) as ours,
        Sampler(params, model.model, past) as other,
    ):
        found = []
        for number in range(DRAWS):
            np.copyto(logits, rows[number % len(rows)])
            whole = lib.llama_sampler_sample(other._chain, model.context.handle, row)
            found.append((ours.sample(model.context, row), int(whole)))
    mine, theirs = map(list, zip(*found, strict=True))
    return mine, theirs


@pytest.mark.parametrize("change", [*SHORT.values(), *WHOLE.values()], ids=[*SHORT, *WHOLE])
def test_the_choice_is_that_from_the_whole_vocabulary(
    model: Answering, rows: list[Logits], change: dict[str, Any]
) -> None:
    best = [int(token) for token in np.argsort(-rows[1])[:8]]
    forbidden = tuple((token, -math.inf) for token in best[::2])
    params = replace(SamplingParams(seed=5, logit_bias=forbidden), **change)
    mine, theirs = choices(model, rows, params)
    assert mine == theirs
    assert not set(mine) & set(best[::2]) or "logit_bias" in change


@pytest.mark.parametrize("change", SHORT.values(), ids=SHORT)
def test_where_filters_keep_few_the_list_is_short(
    rows: list[Logits], change: dict[str, Any]
) -> None:
    shortlist = Shortlist(replace(SamplingParams(), **change), len(rows[0]))
    found = shortlist.find(rows[0])
    assert found is not None
    assert len(found) < len(rows[0]) / 20


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_has_a_short_list(rows: list[Logits], name: str) -> None:
    assert Shortlist(PRESETS[name], len(rows[0])).find(rows[0]) is not None


@pytest.mark.parametrize("change", WHOLE.values(), ids=WHOLE)
def test_where_others_could_be_chosen_there_is_no_list(
    rows: list[Logits], change: dict[str, Any]
) -> None:
    assert Shortlist(replace(SamplingParams(), **change), len(rows[0])).find(rows[0]) is None


def test_logits_that_say_nothing_have_no_list() -> None:
    shortlist = Shortlist(SamplingParams(), 8000)
    assert shortlist.find(np.full(8000, np.nan, np.float32)) is None
    few = np.full(8000, -np.inf, np.float32)
    few[:50] = 1  # what a grammar allows, fewer than could be lowered
    assert shortlist.find(few) is None
    assert Shortlist(SamplingParams(), 300).find(np.zeros(300, np.float32)) is None
