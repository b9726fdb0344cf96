"""The status of training for the sidebar, in few words."""

from collections.abc import Callable

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import RUNNING, AdapterState
from chatdesk.services.personalize.facts import LearningChanged, LearningProgress
from chatdesk.ui.bridge import Bridge


class LearningStatus:
    """Calls `show` with the words; what came of a run is said until it was seen.

    `is_looked_at` is whether the page that says more is shown now.
    """

    def __init__(
        self, bridge: Bridge, show: Callable[[str], None], is_looked_at: Callable[[], bool]
    ) -> None:
        self._show = show
        self._is_looked_at = is_looked_at
        self._running = False
        bridge.subscribe(LearningChanged, self._on_learning)

    def _on_learning(self, fact: LearningChanged) -> None:
        """A run has come further, or ended."""
        self._running = fact.progress.state in RUNNING
        is_seen = not self._running and self._is_looked_at()
        self._show("" if is_seen else learning_words(fact.progress))

    def seen(self) -> None:
        """The person looks at the page that says more."""
        if not self._running:
            self._show("")


def learning_words(progress: LearningProgress) -> str:
    """Return the progress or the result of a run; "" without a result."""
    if progress.state in RUNNING and progress.paused:
        return tr("paused")
    if progress.state in RUNNING and progress.waiting:
        return tr("waiting {share} %", share=_percent(progress))
    if progress.state in RUNNING:
        return tr("learning {share} %", share=_percent(progress))
    return {
        AdapterState.PROMOTED: tr("new: ready"),
        AdapterState.REJECTED: tr("not better"),
        AdapterState.FAILED: tr("failed"),
    }.get(progress.state, "")


def _percent(progress: LearningProgress) -> int:
    return int(100 * progress.share)
