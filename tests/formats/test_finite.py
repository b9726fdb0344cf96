"""Weights that are not numbers, beside what numpy finds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from chatdesk.formats.finite import are_finite

EXTREMES = (3.4e38, -3.4e38, 1.7e38, 1e-45, 0.0, -0.0, 1.0)
ODD = (np.inf, -np.inf, np.nan, -np.nan)


def stored(values: NDArray[np.float32], packing: str) -> bytes:
    match packing:
        case "F32":
            return values.tobytes()
        case "BF16":
            return (values.view(np.uint32) >> 16).astype("<u2").tobytes()
        case "F16":
            return values.astype("<f2").tobytes()
        case _:
            scales = values.astype("<f2").view(np.uint8).reshape(-1, 2)
            rest = np.full((len(values), 32), 0xFF, np.uint8)  # weights of any kind
            return np.hstack((scales, rest)).tobytes()


@pytest.mark.parametrize("packing", ["F32", "BF16", "F16", "Q8_0"])
def test_one_that_is_no_number_is_found_among_many(packing: str) -> None:
    source = np.random.default_rng(1)
    largest = 6e4 if packing in ("F16", "Q8_0") else 3.3e38
    values = source.uniform(-largest, largest, 5000).astype(np.float32)
    values[: len(EXTREMES)] = np.clip(np.array(EXTREMES, np.float32), -largest, largest)
    assert are_finite(stored(values, packing), packing)
    for place, odd in enumerate(ODD):
        changed = values.copy()
        changed[place * 1000 + 999] = odd
        assert not are_finite(stored(changed, packing), packing), odd


def test_no_weights_are_finite() -> None:
    assert are_finite(b"", "F32")
