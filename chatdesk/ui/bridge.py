"""From worker threads to the GUI thread: results of operations, and facts of services.

The GUI thread does no I/O: `run` gives work to a thread and its outcome back to a callback on the
GUI thread. The window opens before the services do: what it asks of them is kept until then. Facts
may be published from any thread; they arrive here in order, and pieces of text that arrive between
two turns of the event loop are joined.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.chat.facts import TextArrived
from chatdesk.services.facts import Fact, Subscribers

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window is shown
    from chatdesk.services.app import App

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_F = TypeVar("_F", bound=Fact)
Work = Callable[["App"], _T]  # asks the services, on a worker thread
Failed = Callable[[EnvironmentProblem], None]

PATIENT_THREADS = 4  # operations that may wait for a model; the store's own go through one thread


class Bridge(QObject):
    """The one way between the window and the services.

    `opened` is emitted when the services can be asked: what the window shows from the beginning is
    read then. `bug_found` carries an exception nobody expected. Who subscribes to facts lives as
    long as the window: controllers do, and pass on to their dialogs what these show.
    """

    opened = Signal()
    bug_found = Signal(object)
    _fact_arrived = Signal(object)  # a signal: an error in a handler does not hold up other facts
    _facts_waiting = Signal()
    _outcome = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._facts: deque[Fact] = deque()
        self._subscribers = Subscribers()
        self._app: App | None = None
        self._kept: list[tuple[Callable[[], None], Failed]] = []  # how to start it, and refuse it
        self._lock = threading.Lock()
        self._announced = False
        self._closed = False
        self._quick = ThreadPoolExecutor(1, "quick")
        self._patient = ThreadPoolExecutor(PATIENT_THREADS, "patient")
        queued = Qt.ConnectionType.QueuedConnection
        self._fact_arrived.connect(self._call_subscribers)
        self._facts_waiting.connect(self._deliver_facts, queued)
        self._outcome.connect(self._call_back, queued)

    def subscribe(self, kind: type[_F], handler: Callable[[_F], object]) -> None:
        """Call `handler` on the GUI thread with every fact of this type; see `Subscribers`."""
        self._subscribers.subscribe(kind, handler)

    def publish(self, fact: Fact) -> None:
        """Take a fact from any thread."""
        with self._lock:
            last = self._facts[-1] if self._facts else None
            if (
                isinstance(fact, TextArrived)
                and isinstance(last, TextArrived)
                and (
                    last.message_id == fact.message_id and last.start + len(last.text) == fact.start
                )
            ):
                joined = last.text + fact.text
                self._facts[-1] = replace(fact, start=last.start, text=joined)
            else:
                self._facts.append(fact)
            if self._announced or self._closed:
                return
            self._announced = True
        self._facts_waiting.emit()

    # The services

    def open(self, app: "App") -> None:
        """The services can be asked: start what was kept for them."""
        self._app = app
        self.opened.emit()
        kept, self._kept = self._kept, []
        for start, _ in kept:
            start()

    def fail(self, problem: EnvironmentProblem) -> None:
        """The services could not be opened: refuse what was kept for them."""
        kept, self._kept = self._kept, []
        for _, refuse in kept:
            refuse(problem)

    # Work

    def run(
        self,
        work: Work[_T],
        done: Callable[[_T], None] | None = None,
        failed: Failed | None = None,
        *,
        ended: Callable[[], None] | None = None,
        patient: bool = False,
    ) -> None:
        """Do `work` with the services as soon as they are open; otherwise as `run_now` does.

        Whoever opens them reports that they cannot be opened; `failed` is called with it as well.
        """

        def start() -> None:
            assert self._app
            self.run_now(partial(work, self._app), done, failed, ended=ended, patient=patient)

        def refuse(problem: EnvironmentProblem) -> None:
            _deliver(ended, partial(failed, problem) if failed else None)

        if self._app:
            start()
        else:
            self._kept.append((start, refuse))

    def run_now(
        self,
        work: Callable[[], _T],
        done: Callable[[_T], None] | None = None,
        failed: Failed | None = None,
        *,
        ended: Callable[[], None] | None = None,
        patient: bool = False,
    ) -> None:
        """Do `work` on a worker thread, then `ended`, and `done` or `failed`, on the GUI thread.

        Quick work runs in the order it was given; `patient` work may wait for the engine and runs
        beside it. A problem nobody takes (`failed` is None), and any bug, goes to `bug_found`;
        `ended` is called all the same.
        """

        def task() -> None:
            outcome: Callable[[], object] | None = None
            try:
                result = work()
            except EnvironmentProblem as problem:
                outcome = partial(failed or self.bug_found.emit, problem)
            except Exception as bug:
                _log.exception("an operation failed")
                outcome = partial(self.bug_found.emit, bug)
            else:
                outcome = partial(done, result) if done else None
            if ended or outcome:
                self._after(partial(_deliver, ended, outcome))

        executor: Executor = self._patient if patient else self._quick
        if not self._closed:
            executor.submit(task)

    def close(self) -> None:
        """Finish the quick work that was given, drop the rest, and deliver nothing more."""
        self._closed = True
        self._patient.shutdown(wait=False, cancel_futures=True)
        self._quick.shutdown(wait=True)
        self._kept.clear()
        self._subscribers = Subscribers()  # lets the window be freed on its own thread

    def _after(self, callback: Callable[[], None]) -> None:
        if not self._closed:
            self._outcome.emit(callback)

    def _call_back(self, callback: Callable[[], None]) -> None:
        if not self._closed:  # it may have waited in the event loop meanwhile
            callback()

    def _call_subscribers(self, fact: Fact) -> None:
        self._subscribers.publish(fact)

    def _deliver_facts(self) -> None:
        with self._lock:
            facts, self._facts = self._facts, deque()
            self._announced = False
        for fact in facts:
            self._fact_arrived.emit(fact)


def _deliver(ended: Callable[[], None] | None, outcome: Callable[[], object] | None) -> None:
    """In one turn of the event loop, so that nothing comes in between."""
    if ended:
        ended()
    if outcome:
        outcome()
