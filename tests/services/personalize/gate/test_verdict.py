"""What figures mean: a table of judgements."""

import pytest

from chatdesk.core.personalization import ReasonCode
from chatdesk.services.measure.statistics import WORST
from chatdesk.services.personalize.gate import verdict
from chatdesk.services.personalize.gate.relations import Relation


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ([4.0] * 6, [1.0, 1.2, 0.8, 2.0, 1.1, 0.9], ReasonCode.BETTER),
        ([4.0] * 6, [4.0] * 6, ReasonCode.NOT_BETTER),
        ([4.0] * 6, [4.5] * 6, ReasonCode.NOT_BETTER),
        ([4.0] * 6, [3.95] * 6, ReasonCode.NOT_BETTER),  # certain, and nothing
        ([4.0] * 6, [4.4, 3.1, 4.3, 4.2, 3.0, 4.1], ReasonCode.NOT_SURE),
        ([4.0] * 5, [1.0] * 5, ReasonCode.TOO_LITTLE),
        ([], [], ReasonCode.TOO_LITTLE),
        ([4.0] * 6, [1.0] * 5 + [WORST], ReasonCode.UNUSABLE),
    ],
)
def test_better(before: list[float], after: list[float], code: ReasonCode) -> None:
    reason, interval = verdict.better(before, after)
    assert reason.code is code
    assert reason.good is (code is ReasonCode.BETTER)
    if reason.good:
        assert interval.low < interval.mean < interval.high < 0
        assert reason.values["change"] == pytest.approx(interval.mean / 4)


def test_answers_that_belong_to_their_questions() -> None:
    assert verdict.related([Relation(1.0, 2.0)] * 6) is None


@pytest.mark.parametrize(
    "relations",
    [
        [Relation(8.0, 8.0)] * 12,  # random words
        [Relation(8.0, 8.02)] * 12,  # certainly, but hardly
        [Relation(0.04, 0.08)] * 12,  # one word, learned by heart: any question will do
        [Relation(2.0, 3.0), Relation(3.0, 2.1)] * 4,  # may be chance
        [Relation(1.0, 2.0)] * 5,  # too few to tell
        [],
    ],
)
def test_answers_that_do_not(relations: list[Relation]) -> None:
    found = verdict.related(relations)
    assert found
    assert found.code is ReasonCode.UNRELATED
    assert not found.good


@pytest.mark.parametrize(
    ("after", "code"),
    [
        ([2.0, 3.0], ReasonCode.GENERAL_KEPT),
        ([2.1, 2.99], ReasonCode.GENERAL_KEPT),
        ([1.0, 1.0], ReasonCode.GENERAL_KEPT),
        ([2.06, 3.06], ReasonCode.GENERAL_WORSE),
        ([2.0, WORST], ReasonCode.UNUSABLE),
    ],
)
def test_general(after: list[float], code: ReasonCode) -> None:
    reason = verdict.general([2.0, 3.0], after)
    assert reason.code is code
    assert reason.good is (code is ReasonCode.GENERAL_KEPT)


def test_limits() -> None:
    assert verdict.diverged(verdict.DIVERGENCE_LIMIT) is None
    found = verdict.diverged(verdict.DIVERGENCE_LIMIT * 1.01)
    assert found
    assert found.code is ReasonCode.DIVERGED
    assert verdict.went_wrong(8, 32, 7) is None
    assert verdict.went_wrong(9, 32, 7)
    assert verdict.remembered(0, 3) is None
    assert verdict.remembered(1, 3)
    assert verdict.sensible(2, 8) is None
    assert verdict.sensible(3, 8)
