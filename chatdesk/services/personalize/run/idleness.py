"""Detects if the computer is used for something else than training."""

import ctypes
import sys

import psutil

_BUSY_PERCENT = 25.0  # of all cores, without niced processes: the trainer is one
_INPUT_S = 120.0  # since the last key or movement


def is_in_use() -> bool:
    """Return True if the computer was busy with other programs since the last call.

    Windows does not count niced time separately, but reports the time of the last input.
    """
    if sys.platform == "win32":
        return _since_input_s() < _INPUT_S
    spent = psutil.cpu_times_percent(None)
    return bool(spent.user + spent.system > _BUSY_PERCENT)


if sys.platform == "win32":

    class _LastInput(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint), ("tick_ms", ctypes.c_uint))

    def _since_input_s() -> float:
        last = _LastInput(ctypes.sizeof(_LastInput), 0)
        ctypes.windll.user32.GetLastInputInfo(ctypes.byref(last))
        now_ms: int = ctypes.windll.kernel32.GetTickCount()
        return ((now_ms - last.tick_ms) & 0xFFFFFFFF) / 1000
