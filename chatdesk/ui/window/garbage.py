"""Garbage with cycles is collected in the thread of the window, and in no other.

Python collects it in whichever thread makes the next object. With a widget in it, Qt's destructors
then run beside the window's own thread: a timer or movement that is still going is left pointing at
freed memory, and the next tick ends the program.
"""

import gc

from PySide6.QtCore import QObject, Qt, QTimer

_EVERY_MS = 5000


def collect_in_this_thread(parent: QObject) -> None:
    """From now on collect only here, in the event loop, as often as Python's thresholds want."""
    gc.disable()
    timer = QTimer(parent)
    timer.setTimerType(Qt.TimerType.VeryCoarseTimer)  # whole seconds: it wakes nobody alone
    timer.timeout.connect(_collect_if_due)
    timer.start(_EVERY_MS)


def _collect_if_due() -> None:
    due = [
        generation
        for generation, (count, threshold) in enumerate(
            zip(gc.get_count(), gc.get_threshold(), strict=True)
        )
        if count > threshold
    ]
    if due:
        gc.collect(due[-1])
