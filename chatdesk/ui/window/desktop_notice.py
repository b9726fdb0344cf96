"""A notice outside the window, by the desktop's own means."""

import os
import sys
from functools import partial

from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher
from PySide6.QtWidgets import QSystemTrayIcon, QWidget

_PORTAL = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_INTERFACE = "org.freedesktop.portal.Notification"
_BUS = "DBUS_SESSION_BUS_ADDRESS"
_OPEN = "open"  # the only action


class DesktopNotice(QObject):
    """Asks the portal of a Linux desktop; without one, the system's tray.

    `clicked` carries the key of the notice. A later notice of a key takes the place of the first.
    """

    clicked = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._tray: QSystemTrayIcon | None = None
        self._shown = ""  # in the tray, the key
        self._has_portal = False
        if sys.platform.startswith("linux") and os.environ.get(_BUS):
            bus = QDBusConnection.sessionBus()
            self._has_portal = bus.isConnected()
            bus.connect(  # type: ignore[call-overload]  # the stubs want bytes, PySide does not
                _PORTAL, _PATH, _INTERFACE, "ActionInvoked", self, SLOT("on_action(QDBusMessage)")
            )

    def show(self, key: str, title: str, words: str) -> None:
        """Show a notice."""
        if not self._has_portal:
            self._show_in_tray(key, title, words)
            return
        message = QDBusMessage.createMethodCall(_PORTAL, _PATH, _INTERFACE, "AddNotification")
        message.setArguments([key, {"title": title, "body": words, "default-action": _OPEN}])
        watcher = QDBusPendingCallWatcher(QDBusConnection.sessionBus().asyncCall(message), self)
        watcher.finished.connect(partial(self._on_answer, watcher, key, title, words))

    @Slot(QDBusMessage)
    def on_action(self, message: QDBusMessage) -> None:
        """The portal tells of a click."""
        self.clicked.emit(str(message.arguments()[0]))

    def _on_answer(
        self, watcher: QDBusPendingCallWatcher, key: str, title: str, words: str, *_: object
    ) -> None:
        refused = watcher.reply().type() is QDBusMessage.MessageType.ErrorMessage
        watcher.deleteLater()
        if refused:
            self._has_portal = False
            self._show_in_tray(key, title, words)

    def _show_in_tray(self, key: str, title: str, words: str) -> None:
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        if self._tray is None:
            self._tray = QSystemTrayIcon(self._window.windowIcon(), self)
            self._tray.messageClicked.connect(lambda: self.clicked.emit(self._shown))
            self._tray.activated.connect(lambda _: self.clicked.emit(self._shown))
        self._shown = key
        self._tray.show()
        self._tray.showMessage(title, words, self._window.windowIcon())

    def forget(self) -> None:
        """Nothing is to be clicked any more: the window was looked at."""
        if self._tray:
            self._tray.hide()
