"""Thumbs under an adapter and before it, and the significance of the difference."""

from math import comb

from sqlalchemy import ColumnElement, Connection, and_, func, select

from chatdesk.core.chat import Rating
from chatdesk.core.personalization import AdapterRecord, RatingTrend
from chatdesk.store.tables import activations, answers, messages

SIGNIFICANT = 0.05  # a difference less likely by chance than this is reported
ENOUGH_RATINGS = 10  # on either side; fewer say nothing


def rating_trend(connection: Connection, adapter: AdapterRecord) -> RatingTrend:
    """Return the thumbs on answers with an adapter, and before it was first active.

    The latter are of its model's answers.
    """
    first_active = (
        select(func.min(activations.c.at))
        .where(activations.c.adapter_id == adapter.id)
        .scalar_subquery()
    )
    before = and_(
        answers.c.model_id == adapter.model_id,
        answers.c.adapter_id.is_distinct_from(adapter.id),
        messages.c.created < first_active,
    )
    up, down = _thumbs(connection, answers.c.adapter_id == adapter.id)
    up_before, down_before = _thumbs(connection, before)
    enough = min(up + down, up_before + down_before) >= ENOUGH_RATINGS
    worse = enough and chance_of_so_few(up, down, up_before, down_before) < SIGNIFICANT
    return RatingTrend(up, down, up_before, down_before, worse)


def chance_of_so_few(up: int, down: int, up_before: int, down_before: int) -> float:
    """Return the probability of `up` thumbs up or fewer if nothing changed.

    Fisher's exact test, one-sided: the lower tail of the hypergeometric distribution (R. A. Fisher,
    The Logic of Inductive Inference, Journal of the Royal Statistical Society 98, 1935).
    """
    after, before, ups = up + down, up_before + down_before, up + up_before
    ways = sum(comb(after, k) * comb(before, ups - k) for k in range(up + 1))
    return ways / comb(after + before, ups)


def _thumbs(connection: Connection, which: ColumnElement[bool]) -> tuple[int, int]:
    """Return how many of these answers were rated up, and down."""
    count, rating = func.count(), messages.c.rating
    thumbs = (
        select(
            count.filter(rating == Rating.UP).label("up"),
            count.filter(rating == Rating.DOWN).label("down"),
        )
        .select_from(messages.join(answers))
        .where(rating.is_not(None), which)
    )
    found = connection.execute(thumbs).one()
    return found.up, found.down
