"""One window per data folder: a second start raises the first and ends.

The second start puts a file into a folder that the first watches, with the names of the models it
is to open; the first takes it away, which is its answer. That works alike on every system, only for
those who may write to the data folder, and without QtNetwork (3 MB of the window's memory).
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QLockFile, QObject, Signal

from chatdesk import __version__
from chatdesk.core.files import write_whole

ANSWER_WITHIN_S = 3.0  # a first start may not have come to its event loop yet
LOOK_EVERY_S = 0.01
BELLS = "raise-*"


class SingleInstance(QObject):
    """Holds the lock of a data folder and detects later starts.

    `raise_requested` is emitted when another start asked for the window, with the paths of the
    models to open.
    """

    raise_requested = Signal(object)

    def __init__(self, data: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = QLockFile(str(data / "window.lock"))
        self._lock.setStaleLockTime(0)  # stale only when the process that holds it is gone
        self._folder = data / "window"
        self._version = self._folder / "version"
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self._answer)

    def is_first(self) -> bool:
        """Take the lock; False when another window has it. Raises `OSError`."""
        if not self._lock.tryLock(0):
            return False
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._version.write_text(__version__, "utf-8")
        self._watcher.addPath(str(self._folder))
        for bell in self._folder.glob(BELLS):  # of starts that nobody heard before a crash
            with suppress(OSError):
                bell.unlink(missing_ok=True)
        return True

    def running_version(self) -> str:
        """Return the version of the window that has the lock; our own if it does not say."""
        try:
            return self._version.read_text("utf-8")
        except OSError:
            return __version__

    def raise_first(self, models: Sequence[Path] = ()) -> bool:
        """Ask the window that has the lock to come to the front and open models; if it heard."""
        bell = self._folder / f"raise-{os.getpid()}"  # of its own: several may start at once
        try:
            write_whole(bell, b"\0".join(map(os.fsencode, models)))
            give_up = time.monotonic() + ANSWER_WITHIN_S
            while bell.exists():
                if time.monotonic() > give_up:
                    bell.unlink(missing_ok=True)
                    return False
                time.sleep(LOOK_EVERY_S)
        except OSError:  # the folder cannot be written to: then nobody can be asked
            return False
        return True

    def close(self) -> None:
        """Let the next start be the first."""
        self._watcher.removePath(str(self._folder))
        self._lock.unlock()

    def _answer(self) -> None:
        for bell in self._folder.glob(BELLS):
            try:
                names = bell.read_bytes().split(b"\0")
                bell.unlink()
            except OSError:  # that start gave up a moment ago, or it is no bell
                continue
            self.raise_requested.emit([Path(os.fsdecode(name)) for name in names if name])
