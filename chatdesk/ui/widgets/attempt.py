"""What a person did is not lost where it could not be stored: a notice offers to try again."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from chatdesk.core.errors import EnvironmentProblem
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
    refused: Callable[[], object] | None = None,
) -> None:
    """Do `work`, then `done`. The notice of a failure has `key`: a later attempt replaces it.

    `refused` is called with each failure: what was shown already is taken back.
    """

    def succeeded(result: _T) -> None:
        notice.solved(key)
        if done:
            done(result)

    def failed(problem: EnvironmentProblem) -> None:
        if refused:
            refused()
        again = partial(attempt, bridge, notice, key, work, done, refused)
        notice.show_problem(problem, tr("Try again"), again, key=key)

    bridge.run(work, succeeded, failed)
