"""Answers that the disk did not take: a list that is tried again until it is empty."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from chatdesk.core.chat import Message
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.services.chat.facts import AnswersUnsaved
from chatdesk.services.facts import Publish
from chatdesk.store.conversations import ConversationStore

_log = logging.getLogger(__name__)

RETRY_S = 5.0  # without any sign that it would go well now
PAUSE_S = 0.5  # between two attempts: what is streamed is written every `SAVE_EVERY_S`


class UnsavedAnswers:
    """Keeps final answers in memory until they are saved.

    They are tried again after each write that went well (`try_soon`), every `RETRY_S` and at
    closing. Answers that are still being written are on the list by their ids only: each tries for
    itself. `on_saved` gets each one that is saved at last. Any thread may call.
    """

    def __init__(
        self, store: ConversationStore, publish: Publish, on_saved: Callable[[Message], None]
    ) -> None:
        self._store = store
        self._publish = publish
        self._on_saved = on_saved
        self._lock = threading.Lock()
        self._saving = threading.Lock()  # one attempt at a time
        self._final: dict[str, Message] = {}
        self._problems: dict[str, EnvironmentProblem] = {}  # of those that are being written, too
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._closed = False

    @property
    def final(self) -> Mapping[str, Message]:
        """The answers that are kept here, by id."""
        with self._lock:
            return dict(self._final)

    def note_progress(self, message_id: str, problem: EnvironmentProblem | None) -> None:
        """An answer that is being written was saved so far, or could not be."""
        with self._lock:
            known = message_id in self._problems
            if message_id in self._final or known == (problem is not None):
                return
            if problem:
                _log.warning("an answer could not be saved yet: %s", problem)
                self._problems[message_id] = problem
            else:
                del self._problems[message_id]
        self._announce()

    def note_end(self, message: Message, problem: EnvironmentProblem | None) -> None:
        """An answer is final; with a problem it is kept here."""
        if problem is None:
            self.note_progress(message.id, None)
            return
        with self._lock:
            self._final[message.id] = message
            self._problems[message.id] = problem
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._keep_trying, name="unsaved")
                self._thread.daemon = True
                self._thread.start()
        self._announce()

    def try_soon(self) -> None:
        """Something was written: this may go well, too."""
        self._wake.set()

    def save(self) -> None:
        """Save what is kept here. Raises the `EnvironmentProblem` of what is still not saved."""
        failed: EnvironmentProblem | None = None
        with self._saving:
            for message in self.final.values():
                try:
                    saved = self._store.finish(message)
                except NotFound:
                    self._drop(message)  # it was deleted for good meanwhile
                except EnvironmentProblem as problem:
                    failed = problem
                else:
                    self._drop(message)
                    self._on_saved(saved)
        if failed:
            raise failed

    def close(self) -> None:
        """Try for the last time."""
        self._closed = True
        self._wake.set()
        try:
            self.save()
        except EnvironmentProblem as problem:
            _log.error("%d answers were not saved: %s", len(self.final), problem)

    def _drop(self, message: Message) -> None:
        with self._lock:
            self._final.pop(message.id, None)
            self._problems.pop(message.id, None)
        self._announce()

    def _announce(self) -> None:
        with self._lock:
            problems = dict(self._problems)
        newest = next(reversed(problems.values()), None)
        self._publish(AnswersUnsaved(frozenset(problems), newest))

    def _keep_trying(self) -> None:
        while True:
            self._wake.wait(RETRY_S)
            self._wake.clear()
            with self._lock:
                if self._closed or not self._final:
                    self._thread = None
                    return
            try:
                self.save()
            except EnvironmentProblem as problem:
                _log.info("an answer is still not saved: %s", problem)
                time.sleep(PAUSE_S)
