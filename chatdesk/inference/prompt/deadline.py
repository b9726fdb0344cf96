"""A time limit for Python code, wherever the code is when the time is over.

Another thread raises an exception in the working one (`PyThreadState_SetAsyncExc`). Tracing would
work as well, but makes the work 4 to 9 times slower. Neither interrupts running C code, for example
a sort, before it returns.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

_AGAIN_S = 0.5  # a strike is lost where Python ignores exceptions, e.g. in a finalizer

Result = TypeVar("Result")

# int PyThreadState_SetAsyncExc(unsigned long id, PyObject *exc): NULL cancels a pending one
_set_exception = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(
    ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
)


class Overdue(Exception):
    """Work that was ended because it took too long."""


class _Struck(BaseException):
    """The exception that ends the work: no `except Exception` in it catches this one."""


def call_within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return or raise what `work` does, or raise `Overdue` after so many seconds.

    The work runs on the calling thread; no strike comes after this function has returned or raised.
    Do not nest it.
    """
    watch = _Watch()
    # The watch strikes at most twice, anywhere before its end, so the third try ends it.
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
        self._working = threading.Lock()  # the work holds it, and `run` sleeps on it
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
        """Prevent further strikes. A strike may hit this call itself; then call it again."""
        with self._striking:
            if self._working.locked():
                self._working.release()
            _set_exception(self._thread, ctypes.py_object())
