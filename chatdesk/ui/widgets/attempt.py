"""What a person did is not lost where it could not be stored: a notice offers to try again."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from chatdesk.core.i18n import tr
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.widgets.notice import Notice

_T = TypeVar("_T")


def attempt(
    bridge: Bridge,
    notice: Notice,
    key: str,
    work: Work[_T],
    done: Callable[[_T], object] | None = None,
) -> None:
    """Do `work`, then `done`. The notice of a failure has `key`: a later attempt replaces it."""

    def succeeded(result: _T) -> None:
        notice.solved(key)
        if done:
            done(result)

    again = partial(attempt, bridge, notice, key, work, done)
    bridge.run(
        work,
        succeeded,
        lambda problem: notice.show_problem(problem, tr("Try again"), again, key=key),
    )
