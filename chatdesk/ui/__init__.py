"""Qt widgets, over services."""

import ctypes
import sys

if sys.version_info < (3, 12):
    # PySide6 6.12 is built for a None that is immortal (PEP 683, Python 3.12): each of its calls
    # that returns nothing takes a reference from None, and after some thousands the interpreter
    # dies with "deallocating None". So None gets references enough for any session.
    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
