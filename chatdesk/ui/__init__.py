"""Qt widgets, over services."""

import builtins
import ctypes
import sys

# Once PySide6 is loaded, its own `__import__` reads the source of every module imported from then
# on, to look for users of its `__feature__` switches, and `linecache` keeps all that was read:
# 18 MB, and a tenth of the time to start. Nobody here uses `__feature__`, so Python's own stays.
_pythons_import = builtins.__import__
import PySide6.QtCore  # noqa: E402, F401

builtins.__import__ = _pythons_import

if sys.version_info < (3, 12):
    # PySide6 6.12 is built for a None that is immortal (PEP 683, Python 3.12): each of its calls
    # that returns nothing takes a reference from None, and after some thousands the interpreter
    # dies with "deallocating None". So None gets references enough for any session.
    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
