"""Memory that native code has freed goes back to the system.

glibc keeps it for later; after every page and dialog was shown once that was 6 of the window's
140 MB. Other systems give it back by themselves.
"""

import sys
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication

if TYPE_CHECKING:
    import ctypes

_EVERY_MS = 30_000
_SETTLED_MS = 1000  # after another window has the focus: what a closed dialog held is freed by then


def give_back_regularly(app: QGuiApplication) -> None:
    """Give it back twice a minute, and when a dialog was closed, which takes 1 to 4 ms."""
    if sys.platform != "linux":
        return
    regularly, settled = QTimer(app), QTimer(app)
    regularly.setTimerType(Qt.TimerType.VeryCoarseTimer)  # whole seconds: it wakes nobody alone
    regularly.timeout.connect(give_back)
    regularly.start(_EVERY_MS)
    settled.setSingleShot(True)
    settled.setInterval(_SETTLED_MS)
    settled.timeout.connect(give_back)
    app.focusWindowChanged.connect(lambda _window: settled.start())


def give_back() -> None:
    """Give it back now; nothing where the C library is not glibc."""
    if trim := getattr(_c_library(), "malloc_trim", None):
        trim(0)


@cache
def _c_library() -> "ctypes.CDLL":
    import ctypes  # not at the start

    return ctypes.CDLL(None)
