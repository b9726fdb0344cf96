"""A clock that jumps: what asks the time of day gets another one; durations go on."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

import pytest

import chatdesk.core.chat


def jumping_clock(patch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """A function that sets the clock so far ahead of the true one, or behind it."""
    ahead, true_time = [timedelta()], time.time

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead[0]

    def set_clock(by: timedelta) -> None:
        ahead[0] = by

    patch.setattr(chatdesk.core.chat, "datetime", Jumping)
    patch.setattr(time, "time", lambda: true_time() + ahead[0].total_seconds())
    return set_clock
