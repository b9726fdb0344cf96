"""When a run has to hold still: while an answer is written, on battery, when the machine is hot,
and while somebody uses the computer, where that is wanted.
"""

import threading
import time
from collections.abc import Callable

import psutil

from chatdesk.core.i18n import tr
from chatdesk.core.settings import Settings
from chatdesk.services.personalize.run.idleness import is_in_use

LOOK_EVERY_S = 5.0  # at the battery and the temperature
IDLE_S = 120.0  # without an answer
QUIET_S = 1.5  # after an answer: the title is made, and the next question often comes at once
_HOT_C = 90.0  # where the sensor does not say what is high for it; most processors throttle at 95


class Schedule:
    """Tells a listener whenever a run has to hold still or may go on.

    `answering` is told by the engine, from any thread. `listener` hears why it has to hold still,
    as words for the person, or "" when it may go on; once for each change.
    """

    def __init__(self, settings: Callable[[], Settings], listener: Callable[[str], None]) -> None:
        self._settings = settings
        self._listener = listener
        self._changed = threading.Condition()
        self._answering = False
        self._answered = 0.0
        self._paused = False
        self._closed = False
        self._waiting = ""
        self._thread = threading.Thread(target=self._watch, name="schedule", daemon=True)
        self._thread.start()

    def answering(self, now: bool) -> None:
        """Whether somebody is waiting for an answer, or reading one as it comes."""
        with self._changed:
            self._answering = now
            self._answered = time.monotonic()
            if now:  # at once, and not when the watching thread gets its turn
                self._tell(self._reason())
            self._changed.notify()

    def pause(self, paused: bool) -> None:
        """The person wants it to hold still, or to go on."""
        with self._changed:
            self._paused = paused
            self._tell(self._reason())

    @property
    def is_paused(self) -> bool:
        """Whether the person wants it to hold still."""
        return self._paused

    @property
    def waiting(self) -> str:
        """Why it holds still; "" when it does not."""
        return self._waiting

    def close(self) -> None:
        """Watch no more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                self._changed.wait(LOOK_EVERY_S)
                if not self._answering and self._waiting:
                    self._changed.wait(QUIET_S)
                if not self._closed:
                    self._tell(self._reason())

    def _tell(self, waiting: str) -> None:
        if waiting != self._waiting:
            self._waiting = waiting
            self._listener(waiting)

    def _reason(self) -> str:
        settings = self._settings().learning
        if self._paused:
            return tr("paused")
        if self._answering:
            return tr("waits while you chat")
        if not settings.on_battery and on_battery():
            return tr("waits for the power cable")
        if not settings.when_hot and is_hot():
            return tr("waits until the computer has cooled down")
        just_answered = time.monotonic() - self._answered < IDLE_S
        if settings.when_idle and (just_answered or is_in_use()):
            return tr("waits until nobody uses the computer")
        return ""


def on_battery() -> bool:
    """Whether the computer runs on its battery; False where nothing is known of one."""
    sensors = getattr(psutil, "sensors_battery", None)  # not there on every system
    battery = sensors() if sensors else None
    return battery is not None and battery.power_plugged is False


def is_hot() -> bool:
    """Whether a processor is as hot as its maker calls high; False where nothing is known."""
    sensors = getattr(psutil, "sensors_temperatures", None)
    readings = sensors() if sensors else {}
    return any(
        reading.current >= (reading.high or _HOT_C)
        for name, found in readings.items()
        if name in _PROCESSORS
        for reading in found
    )


_PROCESSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal", "acpitz")
