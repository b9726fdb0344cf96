"""If the system wants no movement, or whoever starts the app."""

import os
import sys

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QStyle

VARIABLE = "CHATDESK_REDUCED_MOTION"  # "1" for none, "0" for it whatever the system wants
_PORTAL_SAYS = "portalWantsNoMotion"  # a property of the application, set when the portal answers
_PORTAL = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_INTERFACE = "org.freedesktop.portal.Settings"
_PORTAL_MS = 2_000
_BUS = "DBUS_SESSION_BUS_ADDRESS"
_KEYS = (  # of the portal, and the value that means no movement
    ("org.freedesktop.appearance", "reduced-motion", 1),
    ("org.gnome.desktop.interface", "enable-animations", False),
)
_SPI_GETCLIENTAREAANIMATION = 0x1042


def reduced_motion(app: QApplication) -> bool:
    """Return True if nothing should move: by our variable, else by what the system says."""
    if chosen := os.environ.get(VARIABLE):
        return chosen != "0"
    still = app.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) <= 0
    steady = app.styleHints().cursorFlashTime() <= 0
    return still or steady or bool(app.property(_PORTAL_SAYS)) or _system_says()


def ask_portal(app: QApplication) -> None:
    """Ask the Linux desktop what it wants; Qt 6.11 does not, and the answer takes a moment."""
    if not sys.platform.startswith("linux") or not os.environ.get(_BUS):
        return  # without an address Qt would look for a bus, or start one
    from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusVariant

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return

    def ask(namespace: str, key: str, none: object) -> None:
        message = QDBusMessage.createMethodCall(_PORTAL, _PATH, _INTERFACE, "ReadOne")
        message.setArguments([namespace, key])
        watcher = QDBusPendingCallWatcher(bus.asyncCall(message, _PORTAL_MS), app)

        def read() -> None:
            for value in watcher.reply().arguments():  # or the words of an error
                if isinstance(value, QDBusVariant) and value.variant() == none:
                    app.setProperty(_PORTAL_SAYS, True)
            watcher.deleteLater()

        watcher.finished.connect(read)

    for key in _KEYS:
        ask(*key)


def _system_says() -> bool:
    if sys.platform == "win32":
        import ctypes

        moves = ctypes.c_int(1)
        parameters = ctypes.windll.user32.SystemParametersInfoW
        parameters(_SPI_GETCLIENTAREAANIMATION, 0, ctypes.byref(moves), 0)
        return not moves.value
    if sys.platform == "darwin":
        # Read as a preference of `com.apple.universalaccess`, as `defaults read` does.
        return bool(QSettings("apple.com", "universalaccess").value("reduceMotion", False, bool))
    return False
