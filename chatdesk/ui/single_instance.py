"""One window per data folder: a second start raises the first and ends."""

import hashlib
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

CONNECT_MS = 1000
RAISE = b"raise\n"


class SingleInstance(QObject):
    """Holds the lock of a data folder and hears later starts.

    `raise_requested` is emitted when another start asked for the window.
    """

    raise_requested = Signal()

    def __init__(self, data: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # The name must be short (a path on Unix) and differ between folders and users.
        folder = str(data.resolve()).encode("utf-8", "surrogateescape")
        self._name = f"chatdesk-{hashlib.sha256(folder).hexdigest()[:16]}"
        self._lock = QLockFile(str(data / "window.lock"))
        self._lock.setStaleLockTime(0)  # stale only when the process that holds it is gone
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._answer)

    def is_first(self) -> bool:
        """Take the lock; False when another window has it."""
        if not self._lock.tryLock(0):
            return False
        QLocalServer.removeServer(self._name)  # what a crash may have left
        self._server.listen(self._name)
        return True

    def raise_first(self) -> bool:
        """Ask the window that has the lock to come to the front; whether it heard."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(CONNECT_MS):
            return False
        socket.write(RAISE)
        heard = socket.waitForBytesWritten(CONNECT_MS)
        socket.disconnectFromServer()
        return heard

    def close(self) -> None:
        """Let the next start be the first."""
        self._server.close()
        self._lock.unlock()

    def _answer(self) -> None:
        while connection := self._server.nextPendingConnection():
            connection.disconnected.connect(connection.deleteLater)
            self.raise_requested.emit()
