"""The meaning of an adapter's figures: statistics, limits, and the decision.

Every judgement is a `Reason`; an adapter is promoted when all of them are good.
"""

import math
from collections.abc import Sequence

from chatdesk.core.personalization import Reason, ReasonCode
from chatdesk.services.measure.statistics import WORST, Interval, bootstrap
from chatdesk.services.personalize.gate.relations import Relation

SCALES = (1.0, 0.75, 0.5, 0.35)  # tried in this order
LEAST_ANSWERS = 6  # held out; with fewer, an interval has no meaning
# Share of the held-out loss. llama.cpp rounds differently with every batch, which can make all
# answers likelier by 1 % or so; that is significant, but meaningless.
LEAST_GAIN = 0.03
GENERAL_LIMIT = 0.02  # share of the general loss
# Nats. With the starter model: 0.15 for a well-learned persona, 0.5 to 0.7 without replay of the
# base; the value of a complete training without any replay is not known.
DIVERGENCE_LIMIT = 0.3
DEGENERATE_MORE = 1  # degenerate answers beyond those of the base: chance, in some dozens
SENSELESS_SHARE = 0.25  # of the held-out answers
RELATION_LIMIT = 0.03  # share of an answer's loss that its own question has to save
RELATION_LEAST = 0.05  # nats per token


def better(before: Sequence[float], after: Sequence[float]) -> tuple[Reason, Interval]:
    """Judge if held-out answers became likelier, from the loss of each before and after."""
    if len(before) < LEAST_ANSWERS:
        few = {"count": float(len(before)), "least": float(LEAST_ANSWERS)}
        return Reason(ReasonCode.TOO_LITTLE, few), Interval(0.0, 0.0, 0.0)
    if not _is_usable(after):
        return Reason(ReasonCode.UNUSABLE), Interval(0.0, 0.0, 0.0)
    found = bootstrap([new - old for old, new in zip(before, after, strict=True)])
    whole = math.fsum(before) / len(before)
    shares = {
        "change": found.mean / whole,
        "low": found.low / whole,
        "high": found.high / whole,
    }
    if shares["change"] > -LEAST_GAIN:
        return Reason(ReasonCode.NOT_BETTER, shares), found
    if found.high >= 0:
        return Reason(ReasonCode.NOT_SURE, shares), found
    return Reason(ReasonCode.BETTER, shares, good=True), found


def _is_usable(losses: Sequence[float]) -> bool:
    return max(losses, default=0.0) < WORST


def learned(losses: Sequence[float]) -> Reason | None:
    """Judge if the answers that were learned can be computed at all."""
    return None if _is_usable(losses) else Reason(ReasonCode.UNUSABLE)


def told(finished: int, proven: int) -> Reason | None:
    """Judge if a finished adapter tells as many taught answers as it did before."""
    if finished >= proven:
        return None
    return Reason(ReasonCode.FORGOTTEN, {"told": float(finished), "proven": float(proven)})


def sensible(senseless: int, answers: int) -> Reason | None:
    """Judge if the held-out answers are worth learning: noise and loops are not."""
    if senseless <= SENSELESS_SHARE * answers:
        return None
    return Reason(ReasonCode.MEANINGLESS, {"count": float(senseless), "of": float(answers)})


def related(relations: Sequence[Relation]) -> Reason | None:
    """Judge if held-out answers fit their own questions better than others'.

    For answers that have nothing to do with their questions (random tokens, one word, one answer
    for everything) no model can find one likelier after its own question than after another: the
    two losses have the same expectation, whatever was learned. So this needs no notion of language.
    """
    if len(relations) < LEAST_ANSWERS:
        return Reason(ReasonCode.UNRELATED)
    saved = bootstrap([each.other - each.own for each in relations])
    own = math.fsum(each.own for each in relations) / len(relations)
    if saved.low > 0 and saved.mean >= max(RELATION_LEAST, RELATION_LIMIT * own):
        return None
    return Reason(ReasonCode.UNRELATED)


def general(base: Sequence[float], after: Sequence[float]) -> Reason:
    """Judge if the general loss is kept."""
    if not _is_usable(after):
        return Reason(ReasonCode.UNUSABLE)
    change = math.fsum(after) / math.fsum(base) - 1
    kept = change <= GENERAL_LIMIT
    code = ReasonCode.GENERAL_KEPT if kept else ReasonCode.GENERAL_WORSE
    return Reason(code, {"change": change}, good=kept)


def diverged(divergence: float) -> Reason | None:
    """Judge if an adapter deviates from the base where it should not."""
    if divergence <= DIVERGENCE_LIMIT:
        return None
    return Reason(ReasonCode.DIVERGED, {"divergence": divergence, "limit": DIVERGENCE_LIMIT})


def went_wrong(count: int, of: int, base: int) -> Reason | None:
    """Judge if clearly more answers are degenerate than without the adapter."""
    if count <= base + DEGENERATE_MORE:
        return None
    return Reason(ReasonCode.DEGENERATE, {"count": float(count), "of": float(of)})


def remembered(count: int, of: int) -> Reason | None:
    """Judge if anything is reproduced that was not to be learned."""
    return Reason(ReasonCode.RECALLED, {"count": float(count), "of": float(of)}) if count else None
