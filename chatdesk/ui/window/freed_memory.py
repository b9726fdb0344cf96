"""Memory that native code has freed goes back to the system.

glibc keeps it for later; after every page and dialog was shown once that was 6 of the window's
140 MB. Other systems give it back by themselves.
"""

import sys
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer

if TYPE_CHECKING:
    import ctypes

_EVERY_MS = 30_000


def give_back_regularly(parent: QObject) -> None:
    """From now on give it back twice a minute, which takes 1 to 4 ms."""
    if sys.platform != "linux":
        return
    timer = QTimer(parent)
    timer.setTimerType(Qt.TimerType.VeryCoarseTimer)  # whole seconds: it wakes nobody alone
    timer.timeout.connect(give_back)
    timer.start(_EVERY_MS)


def give_back() -> None:
    """Give it back now; nothing where the C library is not glibc."""
    if trim := getattr(_c_library(), "malloc_trim", None):
        trim(0)


@cache
def _c_library() -> "ctypes.CDLL":
    import ctypes  # not at the start

    return ctypes.CDLL(None)
