"""The pauses of a run: during answers, on battery, when hot, and while the computer is used.

The last one only if the settings say so.
"""

import threading
import time
from collections.abc import Callable

import psutil

from chatdesk.core.i18n import tr
from chatdesk.core.settings import Settings
from chatdesk.services.personalize.run.idleness import is_in_use

LOOK_EVERY_S = 5.0  # between looks at the battery and the temperature
IDLE_S = 120.0  # without an answer
QUIET_S = 1.5  # after an answer: the title is made, and the next question often follows at once
_HOT_C = 90.0  # where the sensor has no limit of its own; most processors throttle at 95


class Schedule:
    """Calls a listener whenever a run has to pause or may resume.

    The engine calls `answering`, from any thread. `listener` gets the reason for a pause, as words
    for the user, or "" for none; once for each change.
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
        """Set if somebody is waiting for an answer, or reading one as it comes."""
        with self._changed:
            self._answering = now
            self._answered = time.monotonic()
            if now:  # at once, and not when the watching thread runs next
                self._notify(self._reason())
            self._changed.notify()

    def pause(self, paused: bool) -> None:
        """Set the user's pause."""
        with self._changed:
            self._paused = paused
            self._notify(self._reason())

    @property
    def is_paused(self) -> bool:
        """True while the user pauses it."""
        return self._paused

    @property
    def waiting(self) -> str:
        """The reason for the pause; "" without one."""
        return self._waiting

    def close(self) -> None:
        """Stop to watch."""
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
                    self._notify(self._reason())

    def _notify(self, waiting: str) -> None:
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
    """Return True if the computer runs on its battery; False where that is unknown."""
    sensors = getattr(psutil, "sensors_battery", None)  # not available on every system
    battery = sensors() if sensors else None
    return battery is not None and battery.power_plugged is False


def is_hot() -> bool:
    """Return True if a processor is at its maker's high limit; False where that is unknown."""
    sensors = getattr(psutil, "sensors_temperatures", None)
    readings = sensors() if sensors else {}
    return any(
        reading.current >= (reading.high or _HOT_C)
        for name, found in readings.items()
        if name in _PROCESSORS
        for reading in found
    )


_PROCESSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal", "acpitz")
