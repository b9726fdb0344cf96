"""Log-probabilities of tokens."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chatdesk.core.sampling import SamplingParams
from chatdesk.inference.decoding.logprobs import logprob_of, token_logprob
from chatdesk.inference.decoding.sampler import Sampler
from chatdesk.inference.native.context import Logits
from tests.inference.answering import Answering, answering

PROMPT = "The capital of France is"


@pytest.fixture(scope="module")
def model(starter_model: Path) -> Iterator[Answering]:
    with answering(starter_model) as model:
        yield model


@pytest.fixture(scope="module")
def logits(model: Answering) -> Logits:
    return model.logits(PROMPT)


def exact(logits: Logits) -> list[float]:
    """Return the same by the definition, in double precision."""
    wide = logits.astype(np.float64)
    return list(wide - wide.max() - np.log(np.exp(wide - wide.max()).sum()))


def test_they_are_the_logarithms_of_the_softmax(logits: Logits) -> None:
    expected = exact(logits)
    for token in (0, 1, 500, 49_000, int(logits.argmax())):
        assert logprob_of(logits, token) == pytest.approx(expected[token], abs=1e-4)
    total = math.fsum(math.exp(logprob_of(logits, token)) for token in range(0, len(logits), 50))
    assert total == pytest.approx(math.fsum(map(math.exp, expected[::50])), rel=1e-4)


@pytest.mark.parametrize("count", [0, 1, 5, 20, 3000])
def test_the_likeliest_come_first(model: Answering, logits: Logits, count: int) -> None:
    found = token_logprob(logits, 17, count, model.vocabulary.piece)
    expected = exact(logits)
    best = sorted(expected, reverse=True)[:count]
    assert [expected[entry.token] for entry in found.top] == pytest.approx(best)
    assert len({entry.token for entry in found.top}) == count
    for entry in found.top:
        assert entry.logprob == pytest.approx(expected[entry.token], abs=1e-4)
        assert bytes(entry.data) == model.vocabulary.piece(entry.token)
        assert entry.top == ()
    assert (found.token, bytes(found.data)) == (17, model.vocabulary.piece(17))
    assert found.logprob == pytest.approx(expected[17], abs=1e-4)


def test_more_than_the_vocabulary_is_all_of_it(model: Answering, logits: Logits) -> None:
    found = token_logprob(logits, 0, 10**6, model.vocabulary.piece)
    assert len(found.top) == model.vocabulary.size


def test_what_is_impossible_has_a_number_that_json_can_carry(model: Answering) -> None:
    logits = np.full(model.vocabulary.size, -np.inf, np.float32)
    logits[3] = 1e30
    found = token_logprob(logits, 5, 2, model.vocabulary.piece)
    assert found.logprob == logprob_of(logits, 5) == -9999
    assert found.top[0].token == 3
    assert found.top[0].logprob == 0


def test_sampling_does_not_change_them(model: Answering) -> None:
    constraint = model.constraints.start('root ::= "no"', None)
    row = model.read(PROMPT)
    before = model.context.logits(row).copy()
    params = SamplingParams(seed=1, logit_bias=((5, -100), (6, 100)))
    with Sampler(params, model.model, [], constraint) as sampler:
        sampler.sample(model.context, row)
    assert (model.context.logits(row) == before).all()
