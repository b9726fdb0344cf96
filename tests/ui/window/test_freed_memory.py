"""What native code has freed is not kept by the window."""

import subprocess
import sys

import pytest

_CHILD = """
import ctypes, psutil
from chatdesk.ui.window.freed_memory import give_back

library, process = ctypes.CDLL(None), psutil.Process()
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
blocks = [library.malloc(60_000) for _ in range(1000)]
for block in blocks:
    ctypes.memset(block, 1, 60_000)
for block in blocks[:-1]:  # the last keeps the heap from shrinking by itself
    library.free(block)
before = process.memory_info().rss
give_back()
print(before - process.memory_info().rss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps it")
def test_freed_memory_goes_back_to_the_system() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 30e6


_DIALOG_CLOSED = """
import chatdesk.ui
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog
from chatdesk.ui.window import freed_memory

app = QApplication([])
freed_memory.give_back = lambda: app.exit(7)
freed_memory._SETTLED_MS = 10
freed_memory.give_back_regularly(app)
dialog = QDialog()
dialog.open()
dialog.activateWindow()
dialog.accept()
QTimer.singleShot(10_000, app.quit)
raise SystemExit(app.exec())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps it")
def test_it_goes_back_soon_after_a_dialog_was_closed() -> None:
    done = subprocess.run([sys.executable, "-c", _DIALOG_CLOSED], check=False, timeout=60)
    assert done.returncode == 7
