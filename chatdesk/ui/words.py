"""Counts, speeds, moments and spans of time in words. Bytes in words: `chatdesk.core.units`."""

from datetime import UTC, datetime

from chatdesk.core.i18n import tr, trn

SLOW_TOKENS_PER_S = 3.0  # people read about twice as fast
WEEK = 7  # days
_MINUTE, _HOUR = 60, 3600


def token_words(tokens: int) -> str:
    """A number of tokens: "8,192 tokens"."""
    return trn("{count} token", "{count} tokens", tokens, count=f"{tokens:,}")


def speed_words(tokens_per_s: float) -> str:
    """Tokens per second: "41 tokens/s", "2.3 tokens/s"."""
    return tr("{n} tokens/s", n=speed_number(tokens_per_s))


def speed_number(tokens_per_s: float) -> str:
    """Tokens per second, with a digit after the point where it matters."""
    slow = tokens_per_s < SLOW_TOKENS_PER_S
    return f"{tokens_per_s:.1f}" if slow else f"{tokens_per_s:.0f}"


def duration_words(seconds: float) -> str:
    """A span of time: "45 s", "1 min 17 s", "21 min", "2 h 2 min"."""
    whole = max(1, round(seconds))
    if whole < _MINUTE:
        return tr("{n} s", n=whole)
    minutes, rest = divmod(whole, _MINUTE)
    if minutes < 10 and rest:
        return tr("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    if whole < _HOUR:
        return tr("{n} min", n=minutes)
    hours, rest = divmod(minutes, 60)
    return tr("{hours} h {minutes} min", hours=hours, minutes=rest)


def left_words(seconds: float) -> str:
    """Return the remaining time of a task."""
    return tr("{time} left", time=duration_words(seconds))


def step_words(does: str, step: int, steps: int, seconds_left: float) -> str:
    """Return what a task does, as which of its steps, and the time left of this step."""
    values = {"step": step, "steps": steps, "does": does}
    if not seconds_left:
        return tr("Step {step} of {steps}: {does}", **values)
    time = duration_words(seconds_left)
    return tr("Step {step} of {steps}: {does}, {time} left", time=time, **values)


def days_ago(at: datetime, now: datetime) -> int:
    """Midnights between two moments, in local time; a moment without a time zone is in UTC.

    0 also for a moment to come: the clock it was taken from differs.
    """
    return max(0, (_local(now).date() - _local(at).date()).days)


def day_words(at: datetime, now: datetime) -> str:
    """A day: "today", "yesterday", "5 days ago", and before a week ago "2026-02-21"."""
    days = days_ago(at, now)
    if days == 0:
        return tr("today")
    if days == 1:
        return tr("yesterday")
    if days <= WEEK:
        return trn("{n} day ago", "{n} days ago", days)
    return f"{_local(at):%Y-%m-%d}"


def when_words(at: datetime, now: datetime) -> str:
    """A moment: today by the clock, "today 14:03", before that by the day."""
    if days_ago(at, now):
        return day_words(at, now)
    return tr("today {time}", time=f"{_local(at):%H:%M}")


def _local(at: datetime) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone()
