"""Answers that are not saved yet: told until they are, and not left behind at closing."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr, trn
from chatdesk.services.chat.facts import AnswersUnsaved
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.widgets.notice import Notice

_KEY = "unsaved"
_SAVED_MS = 4_000


class UnsavedController(QObject):
    """Tells how many there are and why, and marks them in the conversation."""

    def __init__(self, bridge: Bridge, view: ChatView, notice: Notice, window: QWidget) -> None:
        super().__init__(window)
        self._bridge = bridge
        self._view = view
        self._notice = notice
        self._window = window
        self._known = AnswersUnsaved(frozenset())
        self._asking = False  # whether to close all the same
        self._given_up = False
        bridge.subscribe(AnswersUnsaved, self._on_unsaved)

    def _on_unsaved(self, fact: AnswersUnsaved) -> None:
        """There are more or fewer of them."""
        before, self._known = self._known, fact
        self._view.show_unsaved(fact.message_ids)
        if fact.problem:
            self._show(fact.problem)
        elif before.message_ids:
            self._notice.solved(_KEY)
            self._notice.show_words(tr("Everything is saved."), for_ms=_SAVED_MS, key=_KEY)

    def _show(self, problem: EnvironmentProblem) -> None:
        told = EnvironmentProblem(self._words, problem.sentence)
        self._notice.show_problem(told, tr("Save now"), self._save, key=_KEY)

    def _save(self) -> None:
        self._bridge.run(lambda app: app.chat.unsaved.save(), None, self._show)

    @property
    def _words(self) -> str:
        count = len(self._known.message_ids)
        return trn("{n} answer is not saved yet.", "{n} answers are not saved yet.", count)

    # Closing

    def holds(self, close: Callable[[], object]) -> bool:
        """Return True if the window is not to close yet; then save, and call `close`.

        Where it cannot be saved, a person decides.
        """
        if not self._known.message_ids or self._given_up:
            return False
        if not self._asking:
            self._asking = True
            self._bridge.run(
                lambda app: app.chat.unsaved.save(),
                lambda _: self._close_or_ask(close, self._known.problem),
                lambda problem: self._close_or_ask(close, problem),
            )
        return True

    def _close_or_ask(
        self, close: Callable[[], object], problem: EnvironmentProblem | None
    ) -> None:
        if problem is None or not self._known.message_ids:
            self._asking = False
            close()
            return
        from chatdesk.ui.widgets.questions import ask_first

        def close_all_the_same() -> None:
            self._given_up = True
            close()

        lost = trn(
            "It is lost if ChatDesk is closed now.",
            "They are lost if ChatDesk is closed now.",
            len(self._known.message_ids),
        )
        box = ask_first(
            self._window,
            self._words,
            f"{problem.sentence}\n{lost}",
            tr("Close anyway"),
            close_all_the_same,
        )
        box.finished.connect(self._asked)

    def _asked(self, _result: int) -> None:
        self._asking = False
