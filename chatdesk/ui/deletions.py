"""What was deleted last in this window, to be undone with a key."""

from collections.abc import Callable


class Deletions:
    """Ways back by what was deleted, the newest last."""

    def __init__(self) -> None:
        self._ways_back: dict[object, Callable[[], None]] = {}

    def add(self, deleted: object, undo: Callable[[], None]) -> None:
        """Something was deleted; `undo` brings it back."""
        self._ways_back[deleted] = undo

    def forget(self, deleted: object) -> None:
        """It was brought back, or is gone for good."""
        self._ways_back.pop(deleted, None)

    def undo_last(self) -> None:
        """Bring back what was deleted last."""
        if self._ways_back:
            _, undo = self._ways_back.popitem()
            undo()
