"""Qt widgets, over services."""

import builtins

# Once PySide6 is loaded, its own `__import__` reads the source of every module imported from then
# on, to look for users of its `__feature__` switches, and `linecache` keeps all of it: 18 MB, and a
# tenth of the start time. Nobody here uses `__feature__`, so Python's own stays.
_pythons_import = builtins.__import__
import PySide6.QtCore  # noqa: E402, F401

builtins.__import__ = _pythons_import
