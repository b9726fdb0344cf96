from collections.abc import Sequence

import pytest

from chatdesk.core.personalization import LossPoint, TrainingConfig
from chatdesk.training.stopping import best, is_over

CONFIG = TrainingConfig(patience=2, general_limit=0.05)
NONE = None


def points(validation: Sequence[float | None], general: Sequence[float | None]) -> list[LossPoint]:
    pairs = zip(validation, general, strict=True)
    return [LossPoint(10 * n, None, *pair) for n, pair in enumerate(pairs)]


@pytest.mark.parametrize(
    ("validation", "general", "epoch"),
    [
        ([4, 3, 2, 1], [1, 1, 1, 1], 3),
        ([4, 3, 1, 2], [1, 1, 1, 1], 2),
        ([4, 3, 2, 1], [1, 1.04, 1.06, 1.2], 1),  # a lower loss later does harm
        ([4, 3, 2, 1], [1, 1.2, 1.1, 1.3], 2),  # all of them do harm, this one the least
        ([4, 3, 2, 1], [1, 1.2, 1.1, 0.9], 3),
        ([4, 5, 6, 7], [1, 1, 1, 1], 1),
        ([NONE] * 4, [1, 1, 1, 1.2], 2),  # the last one that does no harm
        ([4, 3, 1, 2], [NONE] * 4, 2),
        ([NONE] * 4, [NONE] * 4, 3),
    ],
)
def test_the_best_epoch(
    validation: list[float | None], general: list[float | None], epoch: int
) -> None:
    assert best(points(validation, general), CONFIG).step == 10 * epoch


@pytest.mark.parametrize(
    ("validation", "general", "over"),
    [
        ([4], [1], False),
        ([4, 3], [1, 1], False),
        ([4, 3, 3.1], [1, 1, 1], False),
        ([4, 3, 3.1, 3.2], [1, 1, 1, 1], True),
        ([4, 3, 3.1, 2.9], [1, 1, 1, 1], False),
        ([4, 5, 6], [1, 1, 1], True),  # never better than before
        ([4, 3], [1, 1.06], True),
        ([4, 3], [1, 1.04], False),
        ([4, 3], [3, 3.06], True),  # nats, not a share
        ([NONE] * 6, [NONE] * 6, False),
    ],
)
def test_the_end(validation: list[float | None], general: list[float | None], over: bool) -> None:
    assert is_over(points(validation, general), CONFIG) is over
