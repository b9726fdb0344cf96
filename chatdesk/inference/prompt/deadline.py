"""Ends work that takes too long, wherever in its Python code it is.

Another thread raises an exception in the working one (`PyThreadState_SetAsyncExc`). Tracing the
work would end it as surely, and slow it down 4 to 9 times. Either way C code that is running,
say a sort, is ended no sooner than it returns.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

_AGAIN_S = 0.5  # a strike is lost where Python ignores exceptions, say in a finalizer

Result = TypeVar("Result")

# int PyThreadState_SetAsyncExc(unsigned long id, PyObject *exc): NULL takes back what is pending
_set_exception = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(
    ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
)


class Overdue(Exception):
    """Work was ended because it took too long."""


class _Struck(BaseException):
    """What ends the work: of a kind that no `except Exception` in it stops."""


def call_within(seconds: float, work: Callable[[], Result]) -> Result:
    """What `work` returns or raises, or `Overdue` once it has taken so many seconds.

    It runs on the calling thread, where nothing strikes any more when this returns or raises.
    Not for work that is itself within a time.
    """
    watch = _Watch()
    # The watch strikes at most twice, anywhere before it has ended: so the third try ends it.
    try:
        try:
            try:
                threading.Thread(target=watch.run, args=(seconds,), daemon=True).start()
                return work()
            finally:
                watch.end()
        finally:
            watch.end()
    except _Struck:
        watch.end()
        raise Overdue(f"more than {seconds:.1f} s") from None


class _Watch:
    """Strikes the thread that made it when its time is over, unless it has ended by then."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._striking = threading.Lock()
        self._working = threading.Lock()  # held by the work, so that `run` sleeps on it
        self._working.acquire()

    def run(self, seconds: float) -> None:
        """Wait so long for the end, then strike, and once more."""
        for patience in (seconds, _AGAIN_S):
            if self._working.acquire(timeout=patience):
                return
            with self._striking:
                if self._working.locked():
                    _set_exception(self._thread, _Struck)

    def end(self) -> None:
        """No strike comes after this. May be struck itself, and then called again."""
        with self._striking:
            if self._working.locked():
                self._working.release()
            _set_exception(self._thread, ctypes.py_object())
