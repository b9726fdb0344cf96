"""Vectors of fewer numbers."""

import math
from dataclasses import replace

import pytest

from chatdesk.core.generation import Embedded
from chatdesk.core.models import ModelHeader
from chatdesk.server.dimensions import shortened
from chatdesk.server.errors import ApiError

FOUND = Embedded("1", ((0.6, 0.0, 0.8, 0.0), (0.0, 0.0, 0.0, 1.0)), 2)
HEADER = ModelHeader("", "qwen3", 1, "Q8_0", 1, 512, 1, 1, False)


@pytest.mark.parametrize(
    "name",
    ["nomic-embed-text-v1.5", "Nomic Embed Text v2 Moe", "Embeddinggemma 300M",
     "Qwen3 Embedding 0.6B", "snowflake_arctic_embed_l_v2.0"],
)  # fmt: skip
def test_a_model_that_was_trained_for_it_gives_shorter_vectors(name: str) -> None:
    model = replace(HEADER, name=name)
    first, nothing = shortened(FOUND, 3, model).vectors
    assert first == pytest.approx((0.6, 0, 0.8))
    assert list(nothing) == [0, 0, 0]
    assert math.isclose(math.hypot(*shortened(FOUND, 2, model).vectors[0]), 1)
    with pytest.raises(ApiError) as caught:
        shortened(FOUND, 5, model)
    assert (caught.value.status, caught.value.param) == (400, "dimensions")


def test_others_say_how_many_numbers_they_give() -> None:
    other = replace(HEADER, name="Qwen3 4B")
    assert shortened(FOUND, None, other) == shortened(FOUND, 4, other) == FOUND
    with pytest.raises(ApiError) as caught:
        shortened(FOUND, 2, other)
    assert "vectors of 4 numbers and no shorter ones" in caught.value.message
