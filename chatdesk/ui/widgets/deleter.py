"""The common part of what deletes with a way back: a notice that counts, and a key for the last."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Generic, TypeVar

from PySide6.QtCore import QObject

from chatdesk.core.i18n import tr
from chatdesk.ui.deletions import Deletions
from chatdesk.ui.widgets.notice import UNDO_MS, Notice

_D = TypeVar("_D", bound=Hashable)


class Deleter(QObject, Generic[_D]):
    """Tells how much was deleted while its notice stands, and brings all of it back, or the last.

    `key` is that of its notice.
    """

    key = ""

    def __init__(self, notice: Notice, deletions: Deletions) -> None:
        super().__init__()
        self._notice = notice
        self._deletions = deletions
        self._deleted: list[_D] = []
        self._told: list[_D] = []  # what the notice tells of

    def _add(self, deleted: _D) -> None:
        """It was deleted."""
        if not self._notice.stands(self.key):
            self._told = []
        self._deleted.append(deleted)
        self._told.append(deleted)
        self._deletions.add(deleted, partial(self._undo, deleted))
        self._tell()

    def _forget(self, gone: Callable[[_D], bool]) -> None:
        """These cannot be brought back any more."""
        self._told = [each for each in self._told if not gone(each)]
        for deleted in [each for each in self._deleted if gone(each)]:
            self._deleted.remove(deleted)
            self._deletions.forget(deleted)
        if self._notice.stands(self.key):
            self._tell()

    def _tell(self) -> None:
        if not self._told:
            self._notice.solved(self.key)
            return
        what, todo, other, act = self._words(self._told)
        self._notice.show_words(
            what,
            todo,
            tr("Undo"),
            self._undo_told,
            other=other,
            act_otherwise=act,
            for_ms=UNDO_MS,
            key=self.key,
        )

    def _undo_told(self) -> None:
        for deleted in reversed(tuple(self._told)):
            self._undo(deleted)

    def _undo(self, deleted: _D) -> None:
        self._deletions.forget(deleted)
        if deleted in self._deleted:
            self._deleted.remove(deleted)
        if deleted in self._told:
            self._told.remove(deleted)
            if self._notice.stands(self.key):
                self._tell()
        self._bring_back(deleted)

    def _words(self, told: Sequence[_D]) -> tuple[str, str, str, Callable[[], None] | None]:
        """Return what was deleted, what else is to be said, and a second action with its words."""
        raise NotImplementedError

    def _bring_back(self, deleted: _D) -> None:
        """Bring it back."""
        raise NotImplementedError
