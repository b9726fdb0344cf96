"""One window per data folder: a second start raises the first and ends.

The second start puts a file into a folder that the first watches; the first takes it away, which
is its answer. That works alike on every system, only for those who may write to the data folder,
and without QtNetwork (3 MB of the window's memory).
"""

import time
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QLockFile, QObject, Signal

ANSWER_WITHIN_S = 3.0  # a first start may not have come to its event loop yet
LOOK_EVERY_S = 0.01


class SingleInstance(QObject):
    """Holds the lock of a data folder and hears later starts.

    `raise_requested` is emitted when another start asked for the window.
    """

    raise_requested = Signal()

    def __init__(self, data: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = QLockFile(str(data / "window.lock"))
        self._lock.setStaleLockTime(0)  # stale only when the process that holds it is gone
        self._bell = data / "window" / "raise"
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self._answer)

    def is_first(self) -> bool:
        """Take the lock; False when another window has it. Raises `OSError`."""
        if not self._lock.tryLock(0):
            return False
        self._bell.parent.mkdir(exist_ok=True)
        self._watcher.addPath(str(self._bell.parent))
        self._bell.unlink(missing_ok=True)  # of a start that nobody heard before a crash
        return True

    def raise_first(self) -> bool:
        """Ask the window that has the lock to come to the front; whether it heard."""
        try:
            self._bell.touch()
            give_up = time.monotonic() + ANSWER_WITHIN_S
            while self._bell.exists():
                if time.monotonic() > give_up:
                    self._bell.unlink(missing_ok=True)
                    return False
                time.sleep(LOOK_EVERY_S)
        except OSError:  # the folder cannot be written to: then nobody can be asked
            return False
        return True

    def close(self) -> None:
        """Let the next start be the first."""
        self._watcher.removePath(str(self._bell.parent))
        self._lock.unlock()

    def _answer(self) -> None:
        if self._bell.exists():
            self._bell.unlink(missing_ok=True)
            self.raise_requested.emit()
