from datetime import UTC, datetime, timedelta

import pytest

from chatdesk.ui.words import (
    day_words,
    duration_words,
    left_words,
    speed_words,
    token_words,
    when_words,
)

NOON = datetime(2026, 3, 10, 12).astimezone()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1\u00a0s"),
        (59.7, "1\u00a0min"),
        (77, "1\u00a0min 17\u00a0s"),
        (599.6, "10\u00a0min"),
        (1234, "20\u00a0min"),
        (3599.8, "1\u00a0h 0\u00a0min"),
        (7325, "2\u00a0h 2\u00a0min"),
    ],
)
def test_spans_of_time(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
    assert left_words(seconds) == f"{words} left"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (datetime(2026, 3, 10, 0, 1), "today"),
        (datetime(2026, 3, 9, 23, 59), "yesterday"),
        (datetime(2026, 3, 8, 23, 59), "2 days ago"),
        (datetime(2026, 3, 3, 0, 1), "7 days ago"),
        (datetime(2026, 3, 2, 23, 59), "2026-03-02"),
        (datetime(2026, 3, 12), "today"),  # the clock there differs
    ],
)
def test_days_go_by_the_calendar_here(at: datetime, words: str) -> None:
    assert day_words(at.astimezone(), NOON) == words
    assert day_words(at.astimezone(UTC), NOON.astimezone(UTC)) == words


def test_a_moment_without_a_time_zone_is_in_utc() -> None:
    assert day_words(NOON.astimezone(UTC).replace(tzinfo=None), NOON) == "today"


def test_a_moment_of_today_has_its_time() -> None:
    assert when_words(NOON - timedelta(hours=3, minutes=57), NOON) == "today 08:03"
    assert when_words(NOON - timedelta(days=1), NOON) == "yesterday"


def test_numbers() -> None:
    assert [token_words(n) for n in (1, 8192)] == ["1 token", "8,192 tokens"]
    assert [speed_words(n) for n in (2.34, 41.3)] == ["2.3\u00a0tokens/s", "41\u00a0tokens/s"]
